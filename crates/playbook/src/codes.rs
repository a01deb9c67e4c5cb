//! The codes of the error book: one for each thing that a person may have to
//! deal with, each with a page under `docs/errors/` and an exit code.

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, and nothing waits.
    Done = 0,
    /// Done so far, and something needs a person.
    NeedsPerson = 1,
    /// The command or its input cannot be used.
    Usage = 2,
    /// The tenant refuses: permission, role or licence.
    Refused = 3,
    /// The tenant cannot be reached, or throttles for too long.
    Unreachable = 4,
    /// Something was altered that must not be.
    Integrity = 5,
    /// The program or this machine failed.
    Internal = 70,
}

/// A code of the error book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `RT` and four digits; the first is that of the exit code.
    pub id: &'static str,
    /// What happened, in a few words.
    pub title: &'static str,
    /// What the process ends with.
    pub exit: Exit,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $exit:ident, $title:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code { id: $id, title: $title, exit: Exit::$exit };)*

        /// Every code.
        pub const CODES: &[Code] = &[$($name),*];
    };
}

codes! {
    /// A gate waits.
    GATE_WAITS = "RT1001", NeedsPerson, "A gate waits for a person";
    /// Accepted, and not so.
    NO_EFFECT = "RT1002", NeedsPerson, "A change was accepted and did not happen";
    /// Changed since the plan.
    OBJECT_CHANGED = "RT1003", NeedsPerson, "An object changed after the plan was made";
    /// No state before.
    NO_EVIDENCE = "RT1004", NeedsPerson, "The state before a change could not be read";
    /// Findings or survivors remain.
    FINDINGS = "RT1005", NeedsPerson, "Findings need a person";
    /// A session that only a person can renew.
    SIGN_IN_NEEDED = "RT1006", NeedsPerson, "A person must sign in";
    /// No way back, or not from here.
    CANNOT_UNDO = "RT1011", NeedsPerson, "An action is not taken back";
    /// The watch found something.
    RE_ENTRY = "RT1012", NeedsPerson, "Something came back";
    /// First access, persistence or impact.
    NOT_EXPLAINED = "RT1013", NeedsPerson, "The case cannot be closed yet";
    /// Another plan than the one in the file.
    PLAN_CHANGED = "RT1014", NeedsPerson, "The plan is no longer the one in the file";
    /// The same name twice, or nobody.
    SECOND_PERSON = "RT1015", NeedsPerson, "A second person has to agree";
    /// No such user.
    UNKNOWN_USER = "RT2001", Usage, "The user is not in this tenant";
    /// The command line or an input file.
    BAD_INPUT = "RT2002", Usage, "The command or its input cannot be used";
    /// No such profile, or no lab.
    NO_PROFILE = "RT2003", Usage, "The tenant profile is not there";
    /// Another tenant.
    WRONG_TENANT = "RT2004", Usage, "Another tenant answered";
    /// No such case.
    UNKNOWN_CASE = "RT2005", Usage, "The case is not in this store";
    /// Not ours, or cut.
    FOREIGN_FILE = "RT2006", Usage, "A file is not one of ours or is not whole";
    /// Written by a newer version.
    NEWER_VERSION = "RT2007", Usage, "The store was written by a newer version";
    /// Two responders.
    LEASED = "RT2008", Usage, "Somebody else is working on this case";
    /// A scenario that cannot be used.
    BAD_SCENARIO = "RT2009", Usage, "The scenario cannot be used";
    /// Nothing is asked there.
    GATE_NOT_WAITING = "RT2011", Usage, "The gate does not wait";
    /// Not a plan of ours, or edited.
    BAD_PLAN_FILE = "RT2012", Usage, "The plan file cannot be used";
    /// In the bin.
    DELETED_USER = "RT2010", Usage, "The account was deleted";
    /// A text of the organisation's.
    BAD_TEMPLATE = "RT2020", Usage, "A template cannot be used";
    /// Rights.
    PERMISSION_MISSING = "RT3001", Refused, "A permission or role is missing";
    /// Licence.
    LICENCE_MISSING = "RT3002", Refused, "The tenant has no licence for this";
    /// Outranks us.
    PROTECTED = "RT3003", Refused, "The account is protected from this app";
    /// No token.
    SIGN_IN_REFUSED = "RT3004", Refused, "Sign-in of the responder was refused";
    /// Said no.
    REFUSED = "RT3005", Refused, "The tenant said no";
    /// Out of time.
    WRONG_CLOCK = "RT3006", Refused, "This machine's clock is wrong";
    /// Nothing to look into.
    NO_MAILBOX = "RT3009", Refused, "The account has no mailbox in Exchange Online";
    /// Nothing recorded.
    AUDITING_OFF = "RT3007", Refused, "Auditing is switched off in the tenant";
    /// Ours or theirs.
    NOT_UNDERSTOOD = "RT3008", Refused, "The service does not understand a request";
    /// No way there.
    UNREACHABLE = "RT4001", Unreachable, "The tenant cannot be reached";
    /// For too long.
    THROTTLED = "RT4002", Unreachable, "The tenant throttles for too long";
    /// Cannot be read.
    BAD_ANSWER = "RT4003", Unreachable, "The tenant's answer cannot be read";
    /// Whose certificate is it?
    NOT_TRUSTED = "RT4004", Unreachable, "A certificate is not trusted";
    /// The proxy.
    PROXY = "RT4005", Unreachable, "There is no way through the proxy";
    /// An export was altered.
    EXPORT_ALTERED = "RT5001", Integrity, "The exported case was altered";
    /// The journal was altered.
    JOURNAL_ALTERED = "RT5002", Integrity, "The journal or evidence was altered";
    /// The key was exposed.
    KEY_EXPOSED = "RT5003", Integrity, "The signing key can be read by others";
    /// Says more than the case.
    ATTESTATION_ALTERED = "RT5004", Integrity, "An attestation does not follow from the case";
    /// No room.
    DISK_FULL = "RT7001", Internal, "No room is left on the disk";
    /// Not writable.
    NOT_WRITABLE = "RT7002", Internal, "The case store cannot be written";
    /// A mistake of ours.
    INTERNAL = "RT7003", Internal, "A mistake in the program";
}

impl Code {
    /// The code with this id, whatever its case.
    pub fn by_id(id: &str) -> Option<Self> {
        CODES
            .iter()
            .find(|code| code.id.eq_ignore_ascii_case(id))
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_begins_with_its_exit_code_and_stands_once() {
        for (index, code) in CODES.iter().enumerate() {
            let first = (code.exit as u8).to_string();
            assert!(
                code.id
                    .strip_prefix("RT")
                    .is_some_and(|d| d.starts_with(&first[..1]))
            );
            assert!(
                CODES
                    .iter()
                    .skip(index + 1)
                    .all(|other| other.id != code.id)
            );
            assert_eq!(Code::by_id(&code.id.to_lowercase()), Some(*code));
        }
    }
}
