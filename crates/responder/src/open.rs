//! Opening a case: finding the account first, so that a mistyped name leaves
//! nothing behind, and a responder around it.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::{Either, join, select};
use retake_casefile::{CaseId, Store};
use retake_playbook::event::{CaseOpened, Event};
use retake_tenant::edge::{Clock, Entropy};
use retake_tenant::{Kind, Tenant};

use crate::case::{Case, Watcher};
use crate::conduct::Conduct;
use crate::error::ResponderError;
use crate::evidence::keep;
use crate::find::by_former_name;
use crate::logs::Pages;
use crate::observe::account_of;
use crate::people::People;
use crate::preflight::Early;
use crate::templates::Templates;

/// How long the first look at the account may take: a directory that hangs must
/// not keep a case from being opened.
pub(crate) const FIRST_LOOK: Duration = Duration::from_secs(2);

/// What a responder needs around it.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The tenant.
    pub tenant: &'a Tenant,
    /// The case store.
    pub store: &'a Store,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Entropy for passwords and case ids.
    pub entropy: &'a dyn Entropy,
    /// Who answers.
    pub people: &'a dyn People,
    /// Who watches.
    pub watcher: &'a dyn Watcher,
}

/// What a case is opened with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The account as it was named.
    pub account: String,
    /// Who responds, by name.
    pub responder: String,
    /// What raised the case.
    pub alert: String,
}

/// One responder on one case.
pub struct Responder<'a> {
    pub(crate) around: Surroundings<'a>,
    pub(crate) case: Case<'a>,
    pub(crate) name: String,
    pub(crate) conduct: Conduct,
    pub(crate) pages: Mutex<Pages>,
    /// Accounts for emergencies, by sign-in name or object id.
    pub(crate) break_glass: Vec<String>,
    pub(crate) early: Early,
    /// The texts that people get.
    pub(crate) templates: Templates,
}

impl<'a> Responder<'a> {
    /// Takes up the open case of this account, or opens one.
    ///
    /// Nothing is written before the account was found; an account that does not
    /// exist, a wrong tenant or a missing permission leaves no case behind.
    pub async fn open(around: Surroundings<'a>, opening: Opening) -> Result<Self, ResponderError> {
        let tenant_id = around.tenant.profile().tenant_id.clone();
        if let Some(id) = around.store.find_open(&tenant_id, &opening.account)? {
            return Self::resume(around, id, opening);
        }
        around.tenant.sign_in().await?;
        let quick = around.tenant.with_deadline(FIRST_LOOK);
        let early = Early::default();
        let (user, organization) = {
            let beside = Box::pin(early.look(&quick));
            let first = Box::pin(join(quick.user(&opening.account), quick.organization()));
            // Whatever rights are known by then are known; nobody waits for the rest.
            match select(beside, first).await {
                Either::Left(((), first)) => first.await,
                Either::Right((first, _)) => first,
            }
        };
        // Another tenant stops everything. That it cannot be asked stops nothing.
        if let Err(error) = &organization
            && error.kind == Kind::WrongTenant
        {
            return Err(error.clone().into());
        }
        let user = match user {
            Ok(read) => Ok(read),
            Err(error) if waits_for_nothing(&error.kind) => Err(error),
            // An object id has no former name, and what the directory does not
            // have under one it does not have.
            Err(error) if error.kind == Kind::NotFound && error.target.contains('@') => {
                Ok(by_former_name(around.tenant, &opening.account).await?)
            }
            Err(error) => return Err(error.into()),
        };
        if let Ok(read) = &user
            && let Some(id) = around
                .store
                .find_open(&tenant_id, &read.value.user_principal_name)?
        {
            return Self::resume(around, id, opening);
        }
        let key = user.as_ref().map_or_else(
            |_| opening.account.clone(),
            |read| read.value.user_principal_name.clone(),
        );
        let now = around.clock.now();
        let id = new_case_id(around.entropy, now);
        let id = around.store.create_case(&tenant_id, &key, &id, now)?;
        let opening = Opening {
            account: key,
            ..opening
        };
        let mut this = Self::resume(around, id, opening)?;
        this.early = early;
        match user {
            Ok(read) => {
                let digests = keep(&this.case, "account", &read.answers)?;
                if let Some(evidence) = digests.into_iter().next_back() {
                    let account = account_of(&read.value, None);
                    this.case.append(Event::AccountRead { account, evidence })?;
                }
            }
            Err(error) => {
                this.case.append(Event::AccountUnread {
                    why: error.to_string(),
                })?;
            }
        }
        Ok(this)
    }

    /// Takes up a case whose journal may still be empty: whoever made it may
    /// have died before the first record.
    fn resume(
        around: Surroundings<'a>,
        id: CaseId,
        opening: Opening,
    ) -> Result<Self, ResponderError> {
        let this = Self::take(around, id, &opening.responder)?;
        if this.case.with_state(|state| state.opened.is_none()) {
            this.case.append(Event::CaseOpened(CaseOpened {
                case: this.case.id().to_string(),
                tenant: around.tenant.profile().tenant_id.clone(),
                account: opening.account,
                responder: opening.responder,
                alert: opening.alert,
                program: env!("CARGO_PKG_VERSION").to_owned(),
            }))?;
        }
        Ok(this)
    }

    /// Takes up an existing case.
    pub fn take(
        around: Surroundings<'a>,
        id: CaseId,
        responder: &str,
    ) -> Result<Self, ResponderError> {
        let case = Case::take(around.store, id, responder, around.clock, around.watcher)?;
        Ok(Self {
            around,
            case,
            name: responder.to_owned(),
            conduct: Conduct::default(),
            pages: Mutex::default(),
            break_glass: Vec::new(),
            early: Early::default(),
            templates: Templates::default(),
        })
    }

    /// The same responder with another conduct. For tests of the judge.
    #[doc(hidden)]
    #[must_use]
    pub fn with_conduct(mut self, conduct: Conduct) -> Self {
        self.conduct = conduct;
        self
    }

    /// The same responder, told which accounts are kept for emergencies.
    #[must_use]
    pub fn with_break_glass(mut self, accounts: Vec<String>) -> Self {
        self.break_glass = accounts;
        self
    }

    /// The same responder with the organisation's texts for people.
    #[must_use]
    pub fn with_templates(mut self, templates: Templates) -> Self {
        self.templates = templates;
        self
    }

    /// The case's id.
    pub fn case_id(&self) -> &CaseId {
        self.case.id()
    }
}

/// Failures that must not keep a case from being opened: the block needs no read.
fn waits_for_nothing(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::TimedOut { .. }
            | Kind::Unreachable { .. }
            | Kind::Throttled
            | Kind::Server { .. }
            | Kind::BadAnswer { .. }
    )
}

/// `2026-03-02-` and eight digits of entropy.
fn new_case_id(entropy: &dyn Entropy, now: jiff::Timestamp) -> String {
    let mut random = [0_u8; 4];
    entropy.fill(&mut random);
    let number = u32::from_be_bytes(random);
    format!("{}-{number:08x}", now.strftime("%Y-%m-%d"))
}
