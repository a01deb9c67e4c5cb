//! The parts of a scenario, one type for each table of the file.

use jiff::SignedDuration;
use retake_playbook::ArtefactId;
use serde::Deserialize;

use super::value::{Count, Percent, Span};

/// How the attacker got in, in the words of the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakeoverPath {
    /// Password (and session) phished, adversary-in-the-middle included.
    CredentialPhishing,
    /// A consent to an app phished.
    ConsentPhishing,
    /// A token or session stolen.
    TokenTheft,
    /// Passwords tried.
    PasswordAttack,
    /// A device code phished.
    DeviceCodePhishing,
    /// No takeover at all.
    None,
}

impl TakeoverPath {
    /// The word in traces and scores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CredentialPhishing => "credential_phishing",
            Self::ConsentPhishing => "consent_phishing",
            Self::TokenTheft => "token_theft",
            Self::PasswordAttack => "password_attack",
            Self::DeviceCodePhishing => "device_code_phishing",
            Self::None => "none",
        }
    }
}

/// What raises the alarm.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// What the responder is told. `{user}`, `{vendor}`, `{amount}` and
    /// `{reporter}` are filled in.
    pub text: String,
}

/// The company around the affected account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    /// How many people work there, the affected user included.
    pub people: Count,
    /// How many outside companies it writes with.
    pub vendors: Count,
    /// For how many days before the attack there is a history.
    pub history_days: u32,
    /// How often a mail reaches the affected mailbox.
    pub mail_every: Span,
    /// What the affected user does there.
    pub affected_job: String,
    /// In which department.
    pub affected_department: String,
    /// How many shared mailboxes the affected user opens; none by default.
    #[serde(default = "Count::none")]
    pub shared_mailboxes: Count,
    /// Names, subjects, folders and devices hold what harms whoever shows them badly.
    #[serde(default)]
    pub hostile_names: bool,
}

/// One step of the attack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What the attacker does.
    #[serde(rename = "do")]
    pub action: Move,
    /// To which further account, by its name under `[[further]]`; to the affected one, if
    /// nothing.
    #[serde(default)]
    pub on: Option<String>,
    /// How long before the alert.
    pub before: Span,
    /// Steps with the same word here exchange their times by seed.
    #[serde(default)]
    pub shuffle: Option<String>,
    /// In how many of a hundred seeds it is taken.
    #[serde(default)]
    pub chance: Percent,
}

/// Something that the attacker does after sign-in was given back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comeback {
    /// What the attacker does.
    #[serde(rename = "do")]
    pub action: Move,
    /// How long after sign-in was open again.
    pub after: Span,
}

/// What the attacker can do in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// A phishing page in the middle takes password and session (A01, A02, A03).
    Phish,
    /// The stolen session is used from the attacker's own network.
    OpenSession,
    /// Reads mail in the inbox.
    ReadMail,
    /// Registers an authentication method (A04).
    AddMethod,
    /// A visible rule that forwards outside (A07).
    ForwardByRule,
    /// A visible rule that moves replies away and marks them read (A08).
    HideReplies,
    /// A rule that Outlook and Graph do not show (A09).
    HiddenRule,
    /// `ForwardingSmtpAddress` on the mailbox (A13).
    ForwardMailbox,
    /// `ForwardingAddress` on the mailbox, to a contact that the attacker reads (A14).
    ForwardToContact,
    /// A rule named like one of the system's own (A10).
    DisguisedRule,
    /// A sweep rule that takes the vendor's answers away (A12).
    SweepReplies,
    /// The automatic reply answers with the attacker's words (A35).
    AnswerForTheUser,
    /// Entries in the lists of junk mail (A43).
    BendJunkLists,
    /// Protocols switched on (A30).
    OpenProtocols,
    /// A phone of the attacker's, paired with the mailbox (A25).
    PairPhone,
    /// A rule that only desktop Outlook runs (A50).
    ClientSideRule,
    /// Mail to many, until the service stops the account from sending (A40).
    Flood,
    /// Consents to an app of the attacker's (A20).
    ConsentApp,
    /// Answers in a stolen thread with changed bank details.
    SendFraud,
    /// Full access to the mailbox for an account in the attacker's hands (A15).
    GiveFullAccess,
    /// Send as the mailbox, for a guest of the attacker's (A16).
    GiveSendAs,
    /// Send on behalf of the mailbox, for an account in the attacker's hands (A17).
    GiveSendOnBehalf,
    /// A right on the inbox, for a guest of the attacker's (A18).
    GiveInboxRight,
    /// A right on another folder, or one that everybody has (A19).
    GiveFolderRight,
    /// Reads mail in the shared mailboxes that the account opens.
    ReadShared,
    /// A rule in a shared mailbox (A61).
    RuleInShared,
    /// A shared mailbox forwards outside (A61).
    ForwardShared,
    /// A shared mailbox answers by itself with what serves the attacker (A61).
    ReplyInShared,
    /// Asks for money in the name of a shared mailbox.
    SendAsShared,
    /// Malware on the user's computer copies the refresh token of their own
    /// session (A02, A03): no password is known, and nobody signs in.
    StealToken,
    /// From outside, without any account: mail under the user's own address
    /// (Direct Send, reference §15.6).
    SpoofMail,
    /// From outside, without any account here: mail from a vendor's mailbox that
    /// was taken there.
    VendorMail,
    /// Telephones the help desk as the user, gets a new password and a temporary
    /// access pass, signs in with them and registers a method (A01, A02, A03, A04).
    PhoneHelpDesk,

    // Identity.
    /// The user is talked into consenting to an app of the attacker's (A20): no
    /// password is stolen, and no session.
    PhishConsent,
    /// The user enters a device code that the attacker asked for (A02, A03).
    PhishDeviceCode,
    /// Registers an authentication method and makes it the default (A05).
    AddDefaultMethod,
    /// Registers a device, which gets a primary refresh token (A24).
    RegisterDevice,
    /// A temporary access pass in the attacker's hands (A41).
    AddAccessPass,
    /// An administrator is talked into consenting to application permissions for an app
    /// of the attacker's (A22).
    PhishAppConsent,
    /// Consents, as the administrator whose session it has, to the same (A22).
    ConsentAppOnly,
    /// Passwords are tried on many accounts until one fits, which has no second factor
    /// (A01, A02, A03).
    SprayPasswords,
    /// Makes an app password (A06).
    MakeAppPassword,
    /// Answers in a stolen thread by SMTP AUTH with the app password.
    SendBySmtp,
    /// Assigns the account an app that it had no business in (A21).
    AssignApp,
    /// A phone or address of the attacker's among those that self-service reset goes by
    /// (A42).
    ChangeResetContact,
    /// Gives the account a directory role, with the rights of an administrator whose
    /// session it has: the account itself, or another in its hands (A31).
    GiveRole,
}

impl Move {
    /// Every move.
    pub const ALL: &'static [Self] = &[
        Self::Phish,
        Self::OpenSession,
        Self::ReadMail,
        Self::AddMethod,
        Self::ForwardByRule,
        Self::HideReplies,
        Self::HiddenRule,
        Self::ForwardMailbox,
        Self::ConsentApp,
        Self::SendFraud,
        Self::PhoneHelpDesk,
        Self::PhishConsent,
        Self::PhishDeviceCode,
        Self::AddDefaultMethod,
        Self::RegisterDevice,
        Self::AddAccessPass,
        Self::PhishAppConsent,
        Self::ConsentAppOnly,
        Self::SprayPasswords,
        Self::MakeAppPassword,
        Self::SendBySmtp,
        Self::AssignApp,
        Self::ChangeResetContact,
        Self::GiveRole,
    ];

    /// What this step leaves in the attacker's hands.
    pub fn leaves(self) -> &'static [ArtefactId] {
        match self {
            Self::Phish | Self::SprayPasswords => &[
                ArtefactId::STOLEN_PASSWORD,
                ArtefactId::REFRESH_TOKENS,
                ArtefactId::ACCESS_TOKEN,
            ],
            Self::PhoneHelpDesk => &[
                ArtefactId::STOLEN_PASSWORD,
                ArtefactId::REFRESH_TOKENS,
                ArtefactId::ACCESS_TOKEN,
                ArtefactId::ADDED_METHOD,
            ],
            Self::AddMethod => &[ArtefactId::ADDED_METHOD],
            Self::ForwardByRule => &[ArtefactId::FORWARDING_RULE],
            Self::HideReplies => &[ArtefactId::HIDING_RULE],
            Self::HiddenRule => &[ArtefactId::HIDDEN_RULE],
            Self::ForwardMailbox => &[ArtefactId::SMTP_FORWARDING],
            Self::ForwardToContact => &[ArtefactId::CONTACT_FORWARDING],
            Self::DisguisedRule => &[ArtefactId::DISGUISED_RULE],
            Self::SweepReplies => &[ArtefactId::SWEEP_RULE],
            Self::RuleInShared | Self::ForwardShared | Self::ReplyInShared => {
                &[ArtefactId::SHARED_MAILBOX]
            }
            Self::GiveFullAccess => &[ArtefactId::FULL_ACCESS],
            Self::GiveSendAs => &[ArtefactId::SEND_AS],
            Self::GiveSendOnBehalf => &[ArtefactId::SEND_ON_BEHALF],
            Self::GiveInboxRight => &[ArtefactId::INBOX_RIGHT],
            Self::GiveFolderRight => &[ArtefactId::FOLDER_RIGHT],
            Self::AnswerForTheUser => &[ArtefactId::AUTO_REPLY],
            Self::BendJunkLists => &[ArtefactId::JUNK_LISTS],
            Self::OpenProtocols => &[ArtefactId::MAIL_PROTOCOLS],
            Self::PairPhone => &[ArtefactId::MOBILE_PARTNERSHIP],
            Self::ClientSideRule => &[ArtefactId::CLIENT_SIDE_RULE],
            // What the service does about the flood serves nobody: it is lifted, not
            // evicted.
            Self::ReadShared
            | Self::SendAsShared
            | Self::OpenSession
            | Self::ReadMail
            | Self::SendFraud
            | Self::SendBySmtp
            | Self::SpoofMail
            | Self::VendorMail
            | Self::Flood => &[],
            Self::ConsentApp | Self::PhishConsent => &[ArtefactId::DELEGATED_GRANT],
            Self::PhishDeviceCode | Self::StealToken => {
                &[ArtefactId::REFRESH_TOKENS, ArtefactId::ACCESS_TOKEN]
            }
            Self::AddDefaultMethod => &[ArtefactId::DEFAULT_METHOD],
            Self::RegisterDevice => &[ArtefactId::REGISTERED_DEVICE],
            Self::PhishAppConsent | Self::ConsentAppOnly => &[ArtefactId::MALICIOUS_APP],
            Self::MakeAppPassword => &[ArtefactId::APP_PASSWORD],
            Self::AddAccessPass => &[ArtefactId::TEMPORARY_ACCESS_PASS],
            Self::AssignApp => &[ArtefactId::APP_ROLE],
            Self::ChangeResetContact => &[ArtefactId::RESET_ATTRIBUTES],
            Self::GiveRole => &[ArtefactId::DIRECTORY_ROLE],
        }
    }

    /// Whether the step needs nothing of the account: it happens outside.
    pub const fn is_outside(self) -> bool {
        matches!(self, Self::SpoofMail | Self::VendorMail)
    }

    /// Whether the step asks somebody for money.
    pub const fn asks_for_money(self) -> bool {
        matches!(
            self,
            Self::SendFraud | Self::SendBySmtp | Self::SpoofMail | Self::VendorMail
        )
    }

    /// The word in a scenario file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phish => "phish",
            Self::OpenSession => "open_session",
            Self::ReadMail => "read_mail",
            Self::AddMethod => "add_method",
            Self::ForwardByRule => "forward_by_rule",
            Self::HideReplies => "hide_replies",
            Self::HiddenRule => "hidden_rule",
            Self::ForwardMailbox => "forward_mailbox",
            Self::ForwardToContact => "forward_to_contact",
            Self::DisguisedRule => "disguised_rule",
            Self::SweepReplies => "sweep_replies",
            Self::AnswerForTheUser => "answer_for_the_user",
            Self::BendJunkLists => "bend_junk_lists",
            Self::OpenProtocols => "open_protocols",
            Self::PairPhone => "pair_phone",
            Self::ClientSideRule => "client_side_rule",
            Self::Flood => "flood",
            Self::ConsentApp => "consent_app",
            Self::SendFraud => "send_fraud",
            Self::ReadShared => "read_shared",
            Self::RuleInShared => "rule_in_shared",
            Self::ForwardShared => "forward_shared",
            Self::ReplyInShared => "reply_in_shared",
            Self::SendAsShared => "send_as_shared",
            Self::GiveFullAccess => "give_full_access",
            Self::GiveSendAs => "give_send_as",
            Self::GiveSendOnBehalf => "give_send_on_behalf",
            Self::GiveInboxRight => "give_inbox_right",
            Self::GiveFolderRight => "give_folder_right",
            Self::StealToken => "steal_token",
            Self::SpoofMail => "spoof_mail",
            Self::VendorMail => "vendor_mail",
            Self::PhoneHelpDesk => "phone_help_desk",
            Self::PhishConsent => "phish_consent",
            Self::PhishDeviceCode => "phish_device_code",
            Self::AddDefaultMethod => "add_default_method",
            Self::RegisterDevice => "register_device",
            Self::AddAccessPass => "add_access_pass",
            Self::PhishAppConsent => "phish_app_consent",
            Self::ConsentAppOnly => "consent_app_only",
            Self::SprayPasswords => "spray_passwords",
            Self::MakeAppPassword => "make_app_password",
            Self::SendBySmtp => "send_by_smtp",
            Self::AssignApp => "assign_app",
            Self::ChangeResetContact => "change_reset_contact",
            Self::GiveRole => "give_role",
        }
    }

    /// Whether this step lets the attacker in, and by which path.
    pub const fn entry(self) -> Option<TakeoverPath> {
        match self {
            Self::Phish => Some(TakeoverPath::CredentialPhishing),
            Self::StealToken => Some(TakeoverPath::TokenTheft),
            Self::PhishConsent | Self::PhishAppConsent => Some(TakeoverPath::ConsentPhishing),
            Self::PhishDeviceCode => Some(TakeoverPath::DeviceCodePhishing),
            Self::SprayPasswords => Some(TakeoverPath::PasswordAttack),
            _ => None,
        }
    }

    /// Whether the step can be done through an app that was consented to, without any
    /// session of the account.
    pub const fn by_app(self) -> bool {
        matches!(self, Self::ReadMail | Self::SendFraud)
    }
}

/// How the attacker behaves once the response has begun.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttackerHabits {
    /// How often it tries everything it holds.
    pub tick: Span,
    /// How soon it looks again after it lost something.
    pub reacts: Span,
    /// How many rules it plants anew, at most, in place of lost ones.
    pub replants: u32,
    /// Whether it registers a second method while its session is alive.
    pub second_method: bool,
}

impl Default for AttackerHabits {
    fn default() -> Self {
        Self {
            tick: Span::exactly(SignedDuration::from_mins(10)),
            reacts: Span::exactly(SignedDuration::from_mins(1)),
            replants: 2,
            second_method: false,
        }
    }
}

/// Something legitimate that looks odd.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bait {
    /// What it is.
    pub kind: BaitKind,
    /// In how many of a hundred seeds it is there.
    #[serde(default)]
    pub chance: Percent,
}

/// The kinds of legitimate oddities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaitKind {
    /// A rule of the affected user moves invoices to a folder.
    RuleFilesInvoices,
    /// A rule forwards newsletters to a colleague.
    RuleForwardsToColleague,
    /// A rule marks some machine's notices read and moves them.
    RuleQuietsNotices,
    /// An old rule forwards travel bookings to the user's own outside address.
    RuleForwardsHome,
    /// An app with mail rights, consented to long ago from the user's network.
    GrantMailApp,
    /// A calendar app with small rights.
    GrantCalendarApp,
    /// The user's own authentication methods.
    OwnMethods,
    /// A colleague's mailbox forwards to an outside address.
    ColleagueForward,
    /// Colleagues' rules, some with one-letter names.
    ColleagueRules,
    /// Colleagues' consents.
    ColleagueGrants,
    /// The affected user's mailbox forwards to a colleague, where the attack does not
    /// set that field.
    ForwardInside,
    /// Exchange's own hidden rules of the mailbox.
    SystemRules,
    /// A sweep rule of the affected user tidies newsletters up.
    SweepNewsletters,
    /// The affected user's own holiday text, where the attack does not set the reply.
    HolidayReply,
    /// Entries of the affected user's own in the lists of junk mail.
    OwnJunkEntries,
    /// Old protocols that a program of the user's and a scanner need.
    OldProtocols,
    /// The affected user's own phone.
    OwnPhone,
    /// A rule that the affected user's own Outlook runs.
    OwnClientSideRules,
    /// A directory role that an administrator gave to the affected account long ago.
    OldRole,
    /// The affected user signs in from a journey.
    Travel,
    /// An assistant has had full access to the mailbox for long; in some seeds
    /// somebody who left still stands in the list.
    AssistantFullAccess,
    /// A team may send as the mailbox.
    TeamSendAs,
    /// The manager may send on behalf, by the user's own choice.
    ManagerSendOnBehalf,
    /// A colleague keeps the affected user's calendar, as a delegate, for long.
    CalendarDelegate,
    /// A folder of the affected user's own that colleagues read, by the user's own choice.
    TeamFolder,
    /// Shared mailboxes have rules of their own.
    SharedRules,
    /// A shared mailbox forwards a copy outside, for long.
    SharedForward,
    /// A shared mailbox answers by itself, for long.
    SharedReply,
    /// The affected user is on a journey when the alert comes.
    TravelNow,
    /// The affected user works through a VPN with its exit in another country, on
    /// the day before the alert and on its day.
    Vpn,
    /// The affected user has a new phone since the day before the alert: another
    /// mail program, another method, the old one taken away.
    NewPhone,

    // Identity.
    /// The user's own laptop, registered long ago.
    OwnLaptop,
    /// A new telephone of the user's, registered from the office some days ago.
    RegisteredPhone,
    /// An app with small rights that the user consented to some days ago.
    GrantNewApp,
    /// An app with application permissions on everybody's mail, for years.
    BackupApp,
    /// Apps that the user was assigned: one long ago, one by an administrator some days
    /// before.
    AssignedApps,
    /// The user's own phone and private address for self-service reset: the address from
    /// long ago, the phone changed from the office some days before.
    OwnContacts,
}

/// A person on our side.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// What they are in the response.
    pub role: Role,
    /// What they answer when they are asked for a decision.
    #[serde(default = "Person::approves")]
    pub answer: Decision,
    /// How long they take for a decision.
    #[serde(default = "Person::soon")]
    pub after: Span,
    /// What they do with particular tasks.
    #[serde(rename = "task", default)]
    pub tasks: Vec<TaskScript>,
}

impl Person {
    const fn approves() -> Decision {
        Decision::Approved
    }

    const fn soon() -> Span {
        Span::exactly(SignedDuration::from_mins(2))
    }
}

/// What a person is in the response.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, serde::Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Approves changes.
    Approver,
    /// The second person for changes of tenant scope.
    SecondPerson,
    /// The business contact in finance.
    Finance,
    /// The affected user.
    User,
    /// The service desk.
    HelpDesk,
    /// Administers mail.
    MailAdmin,
    /// Administers identities.
    IdentityAdmin,
    /// Works for the endpoint team.
    Endpoint,
    /// The bank's fraud desk.
    Bank,
}

impl Role {
    /// The word in traces, requests and scenario files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approver => "approver",
            Self::SecondPerson => "second_person",
            Self::Finance => "finance",
            Self::User => "user",
            Self::HelpDesk => "help_desk",
            Self::MailAdmin => "mail_admin",
            Self::IdentityAdmin => "identity_admin",
            Self::Endpoint => "endpoint",
            Self::Bank => "bank",
        }
    }

    /// The role with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Approver,
            Self::SecondPerson,
            Self::Finance,
            Self::User,
            Self::HelpDesk,
            Self::MailAdmin,
            Self::IdentityAdmin,
            Self::Endpoint,
            Self::Bank,
        ]
        .into_iter()
        .find(|role| role.as_str() == word)
    }
}

/// What a person answers when asked for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes.
    Approved,
    /// No.
    Refused,
    /// Nothing at all.
    NoAnswer,
}

/// What a person does with one task.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskScript {
    /// Which task; `warn` and `first_sign_in` change the world.
    pub task: String,
    /// What comes of it.
    pub outcome: Outcome,
    /// After how long.
    pub after: Span,
}

/// What comes of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is done.
    Done,
    /// The person says no.
    Refused,
    /// The person is not heard of again.
    NoAnswer,
    /// The person says that it is done, and did nothing.
    SaysDone,
}

/// What the responder's app registration may do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responder {
    /// Application permissions, as Graph and Exchange name them.
    pub permissions: Vec<String>,
    /// Directory roles of the app's service principal.
    pub roles: Vec<String>,
    /// Directory roles of the operator who signs in by device code.
    #[serde(default)]
    pub operator_roles: Vec<String>,
    /// Directory roles of the app's service principal over the restricted
    /// management unit that the affected account is in.
    #[serde(default)]
    pub unit_roles: Vec<String>,
}

/// What the tenant has paid for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licences {
    /// Entra ID P1: sign-in logs over Graph.
    pub entra_p1: bool,
    /// Entra ID P2: risk detections.
    pub entra_p2: bool,
    /// Audit records of reading mail.
    pub mail_items_accessed: bool,
    /// Exchange Online Plan 2 or the archiving add-on: mailboxes can be held.
    #[serde(default = "yes")]
    pub litigation_hold: bool,
}

const fn yes() -> bool {
    true
}

/// How long the services take.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delays {
    /// Until a revocation bites at the token endpoint.
    pub revocation: Span,
    /// Until a continuously evaluated token is cut.
    pub continuous_evaluation: Span,
    /// Until a read of the directory shows a write.
    pub directory_reads: Span,
    /// Until a sign-in is in the log.
    pub sign_in_log: Span,
    /// Until a change is in the directory's audit log.
    pub directory_audit: Span,
    /// Until a record is in the unified audit log.
    pub audit_log: Span,
    /// Until a re-enabled user is let into the mailbox again.
    pub mailbox_reenabled: Span,
}

/// How the logs are kept and searched.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Logs {
    /// Whether the unified audit is on.
    pub audit: bool,
    /// Records that one audit search gives at most; past it the search succeeds
    /// and is cut off.
    pub search_limit: usize,
    /// Records on a page of an audit search, when none is asked for.
    pub search_page: usize,
    /// Whether the count of an audit search says nothing true.
    pub counts_lie: bool,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            audit: true,
            search_limit: 1_000_000,
            search_page: 150,
            counts_lie: false,
        }
    }
}

/// What must be so at the end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Artefacts that the attack leaves and that must be evicted.
    pub evict: Vec<ArtefactId>,
    /// Who must be warned, and why.
    #[serde(default)]
    pub warn: Vec<Warning>,
}

/// Somebody who must be warned.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// Who.
    pub who: Role,
    /// Why.
    pub why: String,
}
