//! What a call needs: one entry for every request that the client can send.

use std::fmt;

mod table;

pub use table::*;

/// One kind of request, as it is documented: where it goes, who may send it, where we know that from.
///
/// The documentation's list of permissions is made from [`CALLS`].
#[derive(Debug, PartialEq, Eq)]
pub struct CallSpec {
    /// Its stable name, for example `graph.user.block`.
    pub id: &'static str,
    /// What it does, in a few words that a person reads.
    pub does: &'static str,
    /// The HTTP method.
    pub method: Verb,
    /// The path with `{…}` where a value goes. In `'{…}'` quotes are doubled besides percent-encoding.
    pub path_template: &'static str,
    /// The least-privileged application permissions; having one of them suffices.
    pub permissions: &'static [&'static str],
    /// Roles that must be held as well, least first; empty if none. One suffices.
    pub roles: &'static [&'static str],
    /// The service that answers.
    pub service: Service,
    /// Whether it changes the tenant.
    pub change: bool,
    /// Where its form is documented.
    pub source: &'static str,
}

impl CallSpec {
    /// The entry with this id.
    pub fn by_id(id: &str) -> Option<&'static Self> {
        CALLS.iter().find(|spec| spec.id == id).copied()
    }

    /// What is in a batch of this call; nothing for a call that is no batch.
    pub fn batch_of(&self) -> Option<&'static Self> {
        (self.id == SERVICE_PRINCIPALS.id).then_some(&SERVICE_PRINCIPAL)
    }

    /// Method and path template in one text.
    pub fn signature(&self) -> String {
        format!("{} {}", self.method, self.path_template)
    }
}

/// An HTTP method that the client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Read.
    Get,
    /// Create or act.
    Post,
    /// Change some fields.
    Patch,
    /// Remove.
    Delete,
}

impl Verb {
    /// As it stands in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Verb> for http::Method {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Get => Self::GET,
            Verb::Post => Self::POST,
            Verb::Patch => Self::PATCH,
            Verb::Delete => Self::DELETE,
        }
    }
}

/// A service of the tenant; each wants a token of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// The token service.
    SignIn,
    /// Microsoft Graph.
    Graph,
    /// Exchange Online's cmdlets over REST.
    Exchange,
    /// The Office 365 Management Activity API.
    Activity,
}

impl Service {
    /// What a person reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SignIn => "Entra sign-in",
            Self::Graph => "Microsoft Graph",
            Self::Exchange => "Exchange Online",
            Self::Activity => "the Management Activity API",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_found_again() {
        let ids: HashSet<_> = CALLS.iter().map(|spec| spec.id).collect();
        assert_eq!(ids.len(), CALLS.len());
        for spec in CALLS {
            assert_eq!(CallSpec::by_id(spec.id), Some(*spec));
        }
    }

    #[test]
    fn every_call_names_its_source_and_what_it_needs() {
        for spec in CALLS {
            assert!(spec.source.starts_with("reference §"), "{}", spec.id);
            assert!(spec.path_template.starts_with('/'), "{}", spec.id);
            assert!(!spec.does.is_empty(), "{}", spec.id);
            assert_eq!(
                spec.permissions.is_empty(),
                spec.service == Service::SignIn,
                "{}",
                spec.id
            );
            assert!(
                !(spec.change && spec.method == Verb::Get),
                "{}: a GET changes nothing",
                spec.id
            );
        }
    }
}
