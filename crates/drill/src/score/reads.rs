//! What the responder read: answers of the trace whose bodies are in the case.
//!
//! A read counts only with its body: the trace knows the digest, the case holds
//! the bytes under it. What is in neither is not known to have been seen.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use retake_playbook::{Digest, ObjectKind};

use super::case::{Body, Case, is_empty};
use super::trace::{Line, Object, Trace};

/// Looks up what was read, and reads each body once.
#[derive(Debug)]
pub(super) struct Reads<'a> {
    trace: &'a Trace,
    case: &'a Case,
    bodies: RefCell<BTreeMap<Digest, Rc<Body>>>,
}

impl<'a> Reads<'a> {
    pub(super) fn new(trace: &'a Trace, case: &'a Case) -> Self {
        Self {
            trace,
            case,
            bodies: RefCell::default(),
        }
    }

    /// The body of this answer, if the case holds it.
    pub(super) fn body(&self, line: &Line) -> Option<Rc<Body>> {
        let digest = line.response_sha256.as_ref()?;
        if let Some(body) = self.bodies.borrow().get(digest) {
            return Some(Rc::clone(body));
        }
        let body = Rc::new(Body::read(self.case.bytes(Some(digest))?));
        self.bodies
            .borrow_mut()
            .insert(digest.clone(), Rc::clone(&body));
        Some(body)
    }

    /// Whether this answer shows this object as it is. What a log says about it
    /// shows what was done, not what is.
    pub(super) fn shows(&self, line: &Line, object: &Object) -> bool {
        if line.status != Some(200) || !may_show(line, object.kind) {
            return false;
        }
        let Some(body) = self.body(line) else {
            return false;
        };
        let names = self.trace.names(object);
        match object.kind {
            // Any answer may mention an account; one about it has its id as id.
            ObjectKind::Account | ObjectKind::Password | ObjectKind::Session => body
                .values_of("id", None)
                .iter()
                .any(|id| id.as_str().is_some_and(|id| is_one_of(id, &names))),
            ObjectKind::MailboxForwarding => !body
                .values_of("ForwardingSmtpAddress", Some(&names))
                .is_empty(),
            // The same person may hold several rights: the list of one shows no other.
            ObjectKind::MailboxRight => shows_right(line, object) && body.names_any(names.iter()),
            ObjectKind::FolderRight => {
                shows_folder(line, object)
                    && body
                        .values_of("AccessRights", Some(&names))
                        .into_iter()
                        .any(gives_something)
            }
            ObjectKind::AutoReply => !body.values_of("AutoReplyState", None).is_empty(),
            ObjectKind::JunkLists => {
                !body.values_of("BlockedSendersAndDomains", None).is_empty()
                    && (object.id == self.trace.account.id || body.names_any(names.iter()))
            }
            // Records and lists name the app of a role; the role itself has an id.
            ObjectKind::AppRole => body.names_any(std::iter::once(&object.id)),
            // An account's, whose id comes first, and the property last.
            ObjectKind::ResetAttributes => !reset_values(&body, object).is_empty(),
            // Its id ends with the property that shows it.
            ObjectKind::MailProtocols => {
                let property = object.id.rsplit('/').next().unwrap_or_default();
                let whole = object.id == self.trace.account.id;
                !body
                    .values_of(if whole { "ImapEnabled" } else { property }, None)
                    .is_empty()
            }
            _ => body.names_any(names.iter()),
        }
    }

    /// Whether this answer shows that the object is not there: the service says
    /// so, or the very question that showed it before no longer does.
    pub(super) fn shows_gone(&self, line: &Line, object: &Object) -> bool {
        let names = self.trace.names(object);
        match line.status {
            Some(404) => {
                let path = line.path.to_ascii_lowercase();
                names.iter().any(|name| {
                    let name = name.to_ascii_lowercase();
                    path.contains(&name) || path.contains(&percent_encoded(&name))
                }) || self
                    .body(line)
                    .is_some_and(|body| body.names_any(names.iter()))
            }
            Some(200) => {
                may_show(line, object.kind)
                    && (object.kind != ObjectKind::MailboxRight || shows_right(line, object))
                    && (object.kind != ObjectKind::FolderRight || shows_folder(line, object))
                    && self.body(line).is_some_and(|body| !body.is_cut_off())
                    && !self.shows(line, object)
                    && self
                        .trace
                        .lines
                        .iter()
                        .take(line.n as usize)
                        .flat_map(Line::with_parts)
                        .any(|before| same_question(before, line) && self.shows(before, object))
            }
            _ => false,
        }
    }

    /// Whether this answer shows the object, and switched off wherever it does.
    pub(super) fn shows_switched_off(&self, line: &Line, object: &Object) -> bool {
        let names = self.trace.names(object);
        self.shows(line, object)
            && self.body(line).is_some_and(|body| {
                let values = body.values_of("accountEnabled", Some(&names));
                !values.is_empty() && values.iter().all(|value| value.as_bool() == Some(false))
            })
    }

    /// Whether this answer shows both forwarding fields, and both empty.
    pub(super) fn shows_no_forwarding(&self, line: &Line, object: &Object) -> bool {
        let names = self.trace.names(object);
        line.status == Some(200)
            && self.body(line).is_some_and(|body| {
                ["ForwardingSmtpAddress", "ForwardingAddress"]
                    .iter()
                    .all(|field| {
                        let values = body.values_of(field, Some(&names));
                        !values.is_empty() && values.iter().all(|value| is_empty(value))
                    })
            })
    }

    /// Whether this answer shows a protocol, and shows it off.
    pub(super) fn shows_protocol_off(&self, line: &Line, object: &Object) -> bool {
        let property = object.id.rsplit('/').next().unwrap_or_default();
        // SMTP AUTH is named the other way round, and may be left to the organisation.
        let open = property == "SmtpClientAuthenticationDisabled";
        line.status == Some(200)
            && self.body(line).is_some_and(|body| {
                let values = body.values_of(property, None);
                !values.is_empty() && values.iter().all(|value| value.as_bool() != Some(!open))
            })
    }

    /// Whether this answer shows such a property, with a value that fits.
    pub(super) fn shows_reset_value(
        &self,
        line: &Line,
        object: &Object,
        fits: impl Fn(&serde_json::Value) -> bool,
    ) -> bool {
        line.status == Some(200)
            && may_show(line, object.kind)
            && self.body(line).is_some_and(|body| {
                let values = reset_values(&body, object);
                !values.is_empty() && values.iter().all(fits)
            })
    }

    /// Whether this answer shows such a property without what the attacker put there.
    pub(super) fn shows_contact_gone(&self, line: &Line, object: &Object) -> bool {
        let account = object.id.split('/').next().unwrap_or_default();
        let theirs: Vec<String> = self
            .trace
            .names(object)
            .into_iter()
            .filter(|name| *name != object.id && name != account)
            .collect();
        self.shows_reset_value(line, object, |value| {
            let text = value.to_string();
            !theirs.iter().any(|name| text.contains(name.as_str()))
        })
    }

    /// Whether this answer shows this property of the object, with a value that fits.
    pub(super) fn shows_value(
        &self,
        line: &Line,
        object: &Object,
        property: &str,
        fits: impl Fn(&serde_json::Value) -> bool,
    ) -> bool {
        let names = self.trace.names(object);
        line.status == Some(200)
            && self.body(line).is_some_and(|body| {
                let values = body.values_of(property, Some(&names));
                !values.is_empty() && values.iter().all(|value| fits(value))
            })
    }

    /// The responder's reads between two line numbers, both excluded.
    pub(super) fn between(&self, after: u64, before: u64) -> impl Iterator<Item = &'a Line> {
        self.trace
            .lines
            .iter()
            .filter(move |line| line.n > after && line.n < before)
            .flat_map(Line::with_parts)
            .filter(|line| line.is_read())
    }
}

/// Whether this is a place where an object of this kind is shown.
fn may_show(line: &Line, kind: ObjectKind) -> bool {
    let graph = |part: &str| line.service == "graph" && line.path.contains(part);
    match kind {
        ObjectKind::Account
        | ObjectKind::Password
        | ObjectKind::Session
        | ObjectKind::ResetAttributes => graph("/users"),
        // Ids of phone methods are the same for everybody (reference §2.2).
        ObjectKind::Method => graph("/authentication/"),
        ObjectKind::InboxRule => line.service == "exchange" || graph("/messageRules"),
        ObjectKind::MailboxForwarding
        | ObjectKind::Mailbox
        | ObjectKind::MailboxRight
        | ObjectKind::FolderRight
        | ObjectKind::SweepRule
        | ObjectKind::AutoReply
        | ObjectKind::JunkLists
        | ObjectKind::MailProtocols
        | ObjectKind::MobilePartnership
        | ObjectKind::SendingBlock => line.service == "exchange",
        ObjectKind::OauthGrant => graph("auth2PermissionGrants"),
        ObjectKind::AppRole => graph("/appRoleAssign"),
        ObjectKind::ServicePrincipal => graph("/servicePrincipals"),
        ObjectKind::Device => graph("/devices") || graph("edDevices"),
        _ => true,
    }
}

/// Whether this answer is the list that a right stands in, by the right in its id.
fn shows_right(line: &Line, object: &Object) -> bool {
    let cmdlet = match object.id.split('|').nth(1) {
        Some("FullAccess") => "Get-MailboxPermission",
        Some("SendAs") => "Get-RecipientPermission",
        Some("SendOnBehalf") => "Get-Mailbox",
        _ => return false,
    };
    line.operation
        .as_deref()
        .is_some_and(|operation| operation.eq_ignore_ascii_case(cmdlet))
}

/// Whether this answer is the list of the folder that a right is on, by the mailbox and
/// the folder in its id.
fn shows_folder(line: &Line, object: &Object) -> bool {
    let cmdlet = line
        .operation
        .as_deref()
        .is_some_and(|operation| operation.eq_ignore_ascii_case("Get-MailboxFolderPermission"));
    let place = object.id.rsplit_once('|').map(|(place, _)| place);
    cmdlet
        && line
            .target
            .as_ref()
            .is_some_and(|asked| Some(asked.id.as_str()) == place)
}

/// Whether an entry gives more than when somebody is busy. An entry for nobody in
/// particular stays in the list when it is taken back.
fn gives_something(rights: &serde_json::Value) -> bool {
    let text = rights.to_string().to_ascii_lowercase();
    let words: Vec<&str> = text
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words
        .iter()
        .any(|word| !["none", "availabilityonly"].contains(word))
}

/// What an answer shows of a property that self-service reset goes by.
fn reset_values(body: &Body, object: &Object) -> Vec<serde_json::Value> {
    let (account, property) = object.id.rsplit_once('/').unwrap_or((&object.id, ""));
    let ids = BTreeSet::from([account.to_owned()]);
    body.values_of(property, Some(&ids))
        .into_iter()
        .cloned()
        .collect()
}

/// The same request; for Graph, where the question stands in the path, the same path.
fn same_question(one: &Line, other: &Line) -> bool {
    if !one.is_read() || one.service != other.service {
        return false;
    }
    let same_bytes = one.request_sha256.is_some() && one.request_sha256 == other.request_sha256;
    same_bytes || (one.service == "graph" && one.method == "GET" && one.path == other.path)
}

fn is_one_of(id: &str, names: &BTreeSet<String>) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(id))
}

/// As a client may write an id into a path.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02x}");
        }
    }
    encoded
}
