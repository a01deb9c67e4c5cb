//! The properties of an account that self-service reset goes by: other mail addresses
//! and phone numbers (reference §2.1).

use jiff::Timestamp;
use serde_json::json;

use super::audit::Activity;
use super::directory::User;
use super::tokens::CutKind;
use super::{Origin, World};

/// One of these properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contact {
    /// `otherMails`.
    OtherMails,
    /// `mobilePhone`.
    MobilePhone,
    /// `businessPhones`.
    BusinessPhones,
}

impl Contact {
    /// The property that Graph calls so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::OtherMails, Self::MobilePhone, Self::BusinessPhones]
            .into_iter()
            .find(|contact| contact.as_str() == name)
    }

    /// As Graph calls it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::OtherMails => "otherMails",
            Self::MobilePhone => "mobilePhone",
            Self::BusinessPhones => "businessPhones",
        }
    }

    /// As records of the directory call it.
    const fn recorded(self) -> &'static str {
        match self {
            Self::OtherMails => "OtherMail",
            Self::MobilePhone => "Mobile",
            Self::BusinessPhones => "TelephoneNumber",
        }
    }

    /// Its values.
    pub(crate) fn of(self, user: &User) -> Vec<String> {
        match self {
            Self::OtherMails => user.other_mails.clone(),
            Self::MobilePhone => user.mobile_phone.iter().cloned().collect(),
            Self::BusinessPhones => user.business_phones.clone(),
        }
    }
}

impl World {
    /// Sets a property, and writes what it was and is.
    pub(crate) fn set_contact(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        contact: Contact,
        values: Vec<String>,
    ) {
        let Some(held) = self.users.get_mut(user) else {
            return;
        };
        let old = contact.of(held);
        match contact {
            Contact::OtherMails => held.other_mails.clone_from(&values),
            Contact::MobilePhone => held.mobile_phone = values.first().cloned(),
            Contact::BusinessPhones => held.business_phones.clone_from(&values),
        }
        let word = contact.recorded();
        let target = self.user_target(
            user,
            vec![
                (
                    word.to_owned(),
                    Some(json!(old).to_string()),
                    Some(json!(values).to_string()),
                ),
                (
                    String::from("Included Updated Properties"),
                    None,
                    Some(json!(word).to_string()),
                ),
            ],
        );
        self.audit_directory(
            now,
            by,
            &Activity {
                name: "Update user",
                category: "UserManagement",
                service: "Core Directory",
                operation: "Update",
            },
            vec![target],
        );
    }

    /// Whether self-service reset sends its code to one of these addresses or numbers:
    /// it must still be the account's, and the account not be blocked.
    pub(crate) fn can_reset_by_contact(&self, user: &str, values: &[String]) -> bool {
        self.users.get(user).is_some_and(|held| {
            held.enabled
                && [
                    Contact::OtherMails,
                    Contact::MobilePhone,
                    Contact::BusinessPhones,
                ]
                .into_iter()
                .flat_map(|contact| contact.of(held))
                .any(|value| values.contains(&value))
        })
    }

    /// Completes a self-service reset with a code that was sent there.
    pub(crate) fn reset_by_contact(
        &mut self,
        now: Timestamp,
        origin: &Origin,
        user: &str,
        values: &[String],
        password: &str,
    ) -> bool {
        let can = self.can_reset_by_contact(user, values);
        if can {
            self.set_password(
                now,
                origin,
                user,
                password,
                false,
                CutKind::SelfServiceReset,
            );
        }
        can
    }
}
