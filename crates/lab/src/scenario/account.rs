//! The affected account, where it is not an ordinary member with a licence and
//! a mailbox: the table `[account]`.

use jiff::SignedDuration;
use serde::Deserialize;

use super::check::Problem;
use super::value::Span;
use super::{BaitKind, Move, Scenario};

/// What the affected account is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Affected {
    /// Its kind.
    pub kind: AccountKind,
    /// The display name, instead of one that the seed chooses.
    pub display_name: Option<String>,
    /// What stands before the `@` of its user principal name, instead of what
    /// follows from the name.
    pub alias: Option<String>,
    /// Directory roles that it holds, by their names.
    pub roles: Vec<String>,
    /// How often the on-premises directory is synchronised.
    pub sync_every: Span,
    /// Whether the former name of a renamed account stays among its addresses.
    pub keeps_former_address: bool,
}

impl Default for Affected {
    fn default() -> Self {
        Self {
            kind: AccountKind::Member,
            display_name: None,
            alias: None,
            roles: Vec::new(),
            sync_every: Span::exactly(SignedDuration::from_mins(30)),
            keeps_former_address: true,
        }
    }
}

/// A further account in the same attacker's hands: a colleague's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Further {
    /// By which steps name it.
    pub name: String,
    /// Directory roles that it holds, by their names.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Whether the alert names it; else the response has to find it.
    #[serde(default = "named")]
    pub named: bool,
}

const fn named() -> bool {
    true
}

/// How many colleagues have a part in the response or the fraud: further accounts are
/// those that come after them.
pub(crate) const FIRST_FURTHER: usize = 5;

/// The kinds of accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A member with a licence and a mailbox.
    #[default]
    Member,
    /// A guest from another organisation: `…#EXT#@…`.
    Guest,
    /// A member of a restricted management administrative unit.
    Restricted,
    /// A member with directory roles.
    Administrator,
    /// Without any licence, and so without a mailbox.
    NoLicence,
    /// With a licence that holds no mailbox.
    NoMailbox,
    /// The account behind a shared mailbox.
    SharedMailbox,
    /// Deleted shortly before the alert, and still to be restored.
    Deleted,
    /// Renamed shortly before the alert, which names the old name.
    Renamed,
    /// Synchronised from an on-premises directory.
    Synced,
    /// In a domain whose sign-in another provider carries out.
    Federated,
}

impl AccountKind {
    /// The word in a scenario file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Guest => "guest",
            Self::Restricted => "restricted",
            Self::Administrator => "administrator",
            Self::NoLicence => "no_licence",
            Self::NoMailbox => "no_mailbox",
            Self::SharedMailbox => "shared_mailbox",
            Self::Deleted => "deleted",
            Self::Renamed => "renamed",
            Self::Synced => "synced",
            Self::Federated => "federated",
        }
    }

    /// Whether there is a mailbox in this tenant.
    pub const fn has_mailbox(self) -> bool {
        !matches!(self, Self::Guest | Self::NoLicence | Self::NoMailbox)
    }
}

impl Move {
    /// Whether the step happens in the victim's mailbox.
    const fn needs_mailbox(self) -> bool {
        matches!(
            self,
            Self::ReadMail
                | Self::ForwardByRule
                | Self::HideReplies
                | Self::HiddenRule
                | Self::ForwardMailbox
                | Self::SendFraud
        )
    }
}

impl BaitKind {
    /// Whether the bait is a rule in the victim's mailbox.
    const fn needs_mailbox(self) -> bool {
        matches!(
            self,
            Self::RuleFilesInvoices
                | Self::RuleForwardsToColleague
                | Self::RuleQuietsNotices
                | Self::RuleForwardsHome
        )
    }
}

/// What does not go together with the kind of the account.
pub(super) fn first_problem(scenario: &Scenario) -> Option<Problem> {
    let account = scenario.account.get_ref();
    let kind = account.kind;
    let name = kind.as_str();
    let at = scenario.account.span().start;
    let wrong = |offset: usize, reason: String| Some(Problem { offset, reason });
    let roles = account
        .roles
        .iter()
        .chain(&scenario.responder.unit_roles)
        .find(|role| crate::world::known::role_template(role).is_none());
    if let Some(role) = roles {
        return wrong(at, format!("`{role}` is no directory role of the lab"));
    }
    if (kind == AccountKind::Administrator) == account.roles.is_empty() {
        return wrong(
            at,
            "account.roles: an `administrator` holds at least one, other accounts hold none"
                .to_owned(),
        );
    }
    if kind != AccountKind::Restricted && !scenario.responder.unit_roles.is_empty() {
        return wrong(
            at,
            "responder.unit_roles: only an account of the kind `restricted` is in a unit"
                .to_owned(),
        );
    }
    if account
        .alias
        .as_deref()
        .is_some_and(|alias| alias.is_empty() || alias.contains(['@', '/', ' ']))
    {
        return wrong(
            at,
            "account.alias: one or more characters without `@`, `/` and spaces".to_owned(),
        );
    }
    if let Some(problem) = further_problem(scenario) {
        return Some(problem);
    }
    if kind.has_mailbox() {
        return None;
    }
    for step in &scenario.steps {
        let action = step.get_ref().action;
        if action.needs_mailbox() {
            return wrong(
                step.span().start,
                format!(
                    "`{}` needs a mailbox, and a `{name}` account has none",
                    action.as_str()
                ),
            );
        }
        let registers = matches!(
            action,
            Move::AddMethod
                | Move::AddDefaultMethod
                | Move::AddAccessPass
                | Move::ChangeResetContact
        );
        if kind == AccountKind::Guest && registers {
            return wrong(
                step.span().start,
                "a guest's methods belong to the home tenant: nothing can be registered here"
                    .to_owned(),
            );
        }
    }
    let bait = scenario
        .baits
        .iter()
        .find(|bait| bait.get_ref().kind.needs_mailbox())?;
    wrong(
        bait.span().start,
        format!("this bait is a rule in the mailbox, and a `{name}` account has none"),
    )
}

/// What is wrong with the further accounts, or with a step that names one.
fn further_problem(scenario: &Scenario) -> Option<Problem> {
    let wrong = |offset: usize, reason: String| Some(Problem { offset, reason });
    for (index, held) in scenario.further.iter().enumerate() {
        let at = held.span().start;
        let further = held.get_ref();
        if further.name.is_empty()
            || scenario
                .further()
                .take(index)
                .any(|other| other.name == further.name)
        {
            return wrong(
                at,
                "further.name: each has one, and no two the same".to_owned(),
            );
        }
        if let Some(role) = further
            .roles
            .iter()
            .find(|role| crate::world::known::role_template(role).is_none())
        {
            return wrong(at, format!("`{role}` is no directory role of the lab"));
        }
        let entered = scenario
            .steps()
            .any(|step| step.on.as_ref() == Some(&further.name) && step.action.entry().is_some());
        if !entered {
            return wrong(
                at,
                format!(
                    "no step lets the attacker into `{}`: it is not in its hands",
                    further.name
                ),
            );
        }
        let enough = FIRST_FURTHER + scenario.further.len() + 1;
        if (scenario.company.people.low as usize) < enough {
            return wrong(
                at,
                format!("company.people: at least {enough} are needed with these further accounts"),
            );
        }
    }
    let unknown = scenario.steps.iter().find(|step| {
        let on = step.get_ref().on.as_ref();
        on.is_some_and(|on| !scenario.further().any(|further| further.name == *on))
    })?;
    wrong(
        unknown.span().start,
        "step.on: there is no further account of this name".to_owned(),
    )
}
