//! Recipients of the organisation that have no account: mail contacts, each a name
//! for an address outside.

use jiff::Timestamp;

use super::World;

/// A mail contact.
#[derive(Clone, Debug)]
pub(crate) struct MailContact {
    /// The directory object's guid.
    pub(crate) id: String,
    /// `Name`, which is also how other objects refer to it.
    pub(crate) name: String,
    pub(crate) alias: String,
    /// `ExternalEmailAddress`, without the `SMTP:` prefix.
    pub(crate) external: String,
    pub(crate) created: Timestamp,
}

impl MailContact {
    fn is_called(&self, key: &str) -> bool {
        let key = key
            .strip_prefix("smtp:")
            .or_else(|| key.strip_prefix("SMTP:"))
            .unwrap_or(key);
        [&self.id, &self.name, &self.alias, &self.external]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(key))
    }
}

impl World {
    /// An administrator makes a contact; its guid.
    pub(crate) fn add_contact(&mut self, now: Timestamp, name: &str, external: &str) -> String {
        let id = self.next(external, "contact").uuid().to_string();
        let alias: String = name
            .to_lowercase()
            .chars()
            .map(|letter| if letter == ' ' { '.' } else { letter })
            .collect();
        self.contacts.insert(
            id.clone(),
            MailContact {
                id: id.clone(),
                name: name.to_owned(),
                alias,
                external: external.to_owned(),
                created: now,
            },
        );
        id
    }

    /// The contact of this name, alias, address or guid.
    pub(crate) fn contact(&self, key: &str) -> Option<&MailContact> {
        self.contacts
            .values()
            .find(|contact| !key.is_empty() && contact.is_called(key))
    }

    /// Where mail to a recipient goes that a mailbox's setting names: a contact's
    /// outside address, a user's own.
    pub(crate) fn reaches(&self, recipient: &str) -> String {
        match self.contact(recipient) {
            Some(contact) => contact.external.clone(),
            None => self
                .find_user(recipient)
                .map_or_else(|| recipient.to_owned(), |user| user.mail.clone()),
        }
    }
}
