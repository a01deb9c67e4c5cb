//! Looking: reading every artefact of the account and saying what it is and does.
//!
//! Sources are read side by side; one that fails or hangs takes none of the
//! others with it, and is listed with its reason.

use futures_util::future::join_all;
use retake_casefile::{canonical_json, digest};
use retake_playbook::event::{
    Account, Event, Facts, Looked, MailboxKind, Observed, Snapshot, Source,
};
use retake_playbook::judge::source_of;
use retake_playbook::{Digest, ObjectKind, ObjectRef};
use retake_tenant::model::{
    Grant, Mailbox, Method, MethodKind, ServicePrincipal, SignInPreferences, User,
};
use retake_tenant::{Answer, Kind, Read, Tenant, TenantError};

use crate::case::Case;
use crate::conduct::Conduct;
use crate::error::ResponderError;
use crate::evidence::keep;
use crate::preflight::{self, Standing};

mod elsewhere;
mod folders;
pub(crate) mod identity;
mod mailbox;
pub(crate) mod rights;
pub(crate) mod rules;
mod settings;

/// The tenant of Microsoft's own apps (reference §5).
const MICROSOFT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// An object as it was read.
pub(crate) struct Found {
    object: ObjectRef,
    facts: Facts,
    /// What its digest is taken over, where that is not the facts: an object that
    /// two surfaces show has one digest whichever of them could be read.
    basis: Option<Facts>,
    /// What it is and does without any id, where more is known of that than the facts
    /// tell; canonical JSON.
    content: Option<String>,
    /// Its place in an order, where it has one.
    place: Option<i64>,
}

impl Found {
    fn new(object: ObjectRef, facts: Facts) -> Self {
        Self {
            object,
            facts,
            basis: None,
            content: None,
            place: None,
        }
    }

    /// The object.
    pub(crate) fn object(&self) -> &ObjectRef {
        &self.object
    }

    /// What it is and does.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Its place in an order, where it has one.
    pub(crate) fn place(&self) -> Option<i64> {
        self.place
    }

    /// What it is and does, without the ids that it would lose if it were made again.
    pub(crate) fn content(&self) -> String {
        self.content
            .clone()
            .unwrap_or_else(|| content_of(&self.facts))
    }
}

/// The same of facts alone.
pub(crate) fn content_of(facts: &Facts) -> String {
    // Facts are maps of texts and numbers: they always become JSON.
    let value = serde_json::to_value(retake_playbook::undo::content(facts)).unwrap_or_default();
    canonical_json(&value)
}

/// Objects of one source, with the answers that they were seen in.
pub(crate) struct Seen {
    pub(crate) objects: Vec<Found>,
    pub(crate) answers: Vec<Answer>,
    /// Whether all is known of each object, or why not.
    pub(crate) complete: Result<(), String>,
    /// What mailbox there is, where the source tells.
    mailbox: Option<MailboxKind>,
    /// What a person should know although nothing is missing.
    pub(crate) remark: Option<String>,
    /// Whether every object is listed: then what is not there is gone.
    pub(crate) listed: bool,
}

impl Seen {
    fn of<T>(read: Read<T>, objects: Vec<Found>) -> Self {
        let complete = whole(&read);
        Self {
            listed: complete.is_ok(),
            complete,
            objects,
            answers: read.answers,
            mailbox: None,
            remark: None,
        }
    }

    /// There is no mailbox, so there is nothing of the kind in it: both ways into
    /// it said so, and their answers are kept.
    fn no_mailbox(answers: Vec<Answer>) -> Self {
        Self {
            objects: Vec::new(),
            answers,
            complete: Ok(()),
            mailbox: Some(MailboxKind::Absent),
            remark: Some("the account has no mailbox: Exchange and Graph both say so".to_owned()),
            listed: true,
        }
    }

    fn also<T>(mut self, read: Read<T>) -> Self {
        let complete = whole(&read);
        self.listed &= complete.is_ok();
        if self.complete.is_ok() {
            self.complete = complete;
        }
        self.answers.extend(read.answers);
        self
    }
}

fn whole<T>(read: &Read<T>) -> Result<(), String> {
    match read.completeness.why() {
        None => Ok(()),
        Some(why) => Err(why.to_string()),
    }
}

/// The account as the case knows it.
pub(crate) fn account_of(user: &User, manager: Option<String>) -> Account {
    let mut addresses: Vec<String> = user
        .proxy_addresses
        .iter()
        .filter_map(|address| address.split_once(':'))
        .filter(|(kind, _)| kind.eq_ignore_ascii_case("smtp"))
        .map(|(_, address)| address.to_lowercase())
        .chain(user.mail.iter().map(|mail| mail.to_lowercase()))
        .collect();
    addresses.sort();
    addresses.dedup();
    Account {
        id: user.id.clone(),
        upn: user.user_principal_name.clone(),
        display_name: user
            .display_name
            .clone()
            .unwrap_or_else(|| user.user_principal_name.clone()),
        mail: user.mail.clone(),
        department: user.department.clone(),
        job_title: user.job_title.clone(),
        manager,
        enabled: user.account_enabled.unwrap_or(true),
        synced: user.on_premises_sync_enabled == Some(true),
        user_type: user
            .user_type
            .clone()
            .unwrap_or_else(|| "Member".to_owned()),
        sessions_valid_from: user.sign_in_sessions_valid_from_date_time,
        last_password_change: user.last_password_change_date_time,
        addresses,
        standing: retake_playbook::event::Standing {
            restricted: user.is_management_restricted == Some(true),
            last_sync: user.on_premises_last_sync_date_time,
            ..retake_playbook::event::Standing::default()
        },
    }
}

/// Whether the account's domain signs in at another provider. A guest's never
/// does here, and what is known already is not asked again.
async fn federated(tenant: &Tenant, known: Option<&Account>) -> Option<(bool, Vec<Answer>)> {
    let account = known?;
    if account.standing.federated.is_some() || account.is_guest() {
        return None;
    }
    let (_, domain) = account.upn.rsplit_once('@')?;
    let domains = tenant.domains().await.ok()?;
    let held = domains
        .value
        .iter()
        .find(|held| held.name.eq_ignore_ascii_case(domain))?;
    let federated = held
        .authentication_type
        .as_deref()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("federated"));
    Some((federated, domains.answers))
}

/// Takes a snapshot and writes it.
pub(crate) async fn snapshot(
    case: &Case<'_>,
    tenant: &Tenant,
    conduct: Conduct,
) -> Result<(), ResponderError> {
    let at = case.now();
    let Some(user) = case.with_state(user_key) else {
        return Ok(());
    };
    let kinds = [
        ObjectKind::InboxRule,
        ObjectKind::MailboxForwarding,
        ObjectKind::Method,
        ObjectKind::OauthGrant,
        ObjectKind::MailboxRight,
        ObjectKind::FolderRight,
        ObjectKind::SweepRule,
        ObjectKind::AutoReply,
        ObjectKind::JunkLists,
        ObjectKind::MailProtocols,
        ObjectKind::MobilePartnership,
        ObjectKind::SendingBlock,
        // Identity.
        ObjectKind::Device,
        ObjectKind::ServicePrincipal,
        ObjectKind::AppRole,
        ObjectKind::ResetAttributes,
        ObjectKind::DirectoryRole,
    ];
    let known = case.with_state(|state| state.account.clone());
    let (opened, names) =
        case.with_state(|state| (elsewhere::known(state, at), elsewhere::Names::of(state)));
    let (account, seen, federation, elsewhere) = futures_util::future::join4(
        tenant.user(&user),
        join_all(kinds.into_iter().map(|kind| observe(tenant, &user, kind))),
        federated(tenant, known.as_ref()),
        elsewhere::look(tenant, &user, opened, &names),
    )
    .await;
    let mut standing = known.map(|account| account.standing).unwrap_or_default();
    if let Some((federated, answers)) = federation {
        keep(case, "domains", &answers)?;
        standing.federated = Some(federated);
    }
    let mailbox = seen
        .iter()
        .filter_map(|seen| seen.as_ref().ok()?.mailbox)
        .next_back();
    standing.mailbox = mailbox.or(standing.mailbox);

    let tokens = preflight::tokens(tenant).await;
    let mut sources = Vec::new();
    let mut objects = Vec::new();
    let manager = case.with_state(|state| {
        state
            .account
            .as_ref()
            .and_then(|account| account.manager.clone())
    });
    let account = match account {
        Ok(read) => {
            keep(case, "account", &read.answers)?;
            sources.push(source(ObjectKind::Account, &Ok(())));
            let mut account = account_of(&read.value, manager);
            account.standing.federated = standing.federated;
            account.standing.mailbox = standing.mailbox;
            Some(account)
        }
        Err(error) => {
            sources.push(failed(ObjectKind::Account, &tokens, &error));
            None
        }
    };
    for (kind, seen) in kinds.into_iter().zip(seen) {
        match seen {
            Ok(seen) => {
                sources.push(Source {
                    why: seen.complete.clone().err().or(seen.remark.clone()),
                    ..source(kind, &seen.complete)
                });
                objects.extend(record(case, kind, seen)?);
            }
            Err(_) if !conduct.errors => sources.push(source(kind, &Ok(()))),
            Err(error) => sources.push(failed(kind, &tokens, &error)),
        }
    }
    match elsewhere.list {
        None => {}
        Some(Ok(seen)) => {
            sources.push(Source {
                name: elsewhere::LIST.to_owned(),
                why: seen.complete.clone().err().or(seen.remark.clone()),
                ..source(ObjectKind::Mailbox, &seen.complete)
            });
            objects.extend(record_as(case, elsewhere::LIST, seen)?);
        }
        Some(Err(_)) if !conduct.errors => {}
        Some(Err(error)) => sources.push(Source {
            name: elsewhere::LIST.to_owned(),
            ..failed(ObjectKind::Mailbox, &tokens, &error)
        }),
    }
    if let Some(seen) = elsewhere.settings {
        sources.push(Source {
            name: elsewhere::SETTINGS.to_owned(),
            ..source(ObjectKind::InboxRule, &seen.complete)
        });
        objects.extend(record_as(case, elsewhere::SETTINGS, seen)?);
    }
    objects.sort_by(|a: &Observed, b: &Observed| a.object.cmp(&b.object));
    let number = case.with_state(|state| state.snapshots.len());
    case.append(Event::SnapshotTaken(Snapshot {
        snapshot: u32::try_from(number).unwrap_or(u32::MAX - 1) + 1,
        at,
        account,
        objects,
        sources,
    }))?;
    Ok(())
}

/// Keeps the answers and binds each object to them.
pub(crate) fn record(
    case: &Case<'_>,
    kind: ObjectKind,
    seen: Seen,
) -> Result<Vec<Observed>, ResponderError> {
    record_as(case, source_of(kind), seen)
}

fn record_as(case: &Case<'_>, what: &str, seen: Seen) -> Result<Vec<Observed>, ResponderError> {
    let evidence = keep(case, what, &seen.answers)?;
    seen.objects
        .into_iter()
        .map(|found| {
            Ok(Observed {
                digest: digest_of(found.basis.as_ref().unwrap_or(&found.facts))?,
                object: found.object,
                evidence: evidence.clone(),
                facts: found.facts,
            })
        })
        .collect()
}

/// Whether an object is the one of this id, by whichever name a surface gives it.
pub(crate) fn is_named(observed: &Observed, id: &str) -> bool {
    let aliases: &[String] = match &observed.facts {
        Facts::InboxRule { aliases, .. } | Facts::SweepRule { aliases, .. } => aliases,
        _ => &[],
    };
    observed.object.id == id || aliases.iter().any(|alias| alias == id)
}

/// SHA-256 of the facts as canonical JSON.
fn digest_of(facts: &Facts) -> Result<Digest, ResponderError> {
    let value = serde_json::to_value(facts)?;
    Ok(digest(canonical_json(&value).as_bytes()))
}

/// By what the account is asked for: its id, or the name that was typed.
pub(crate) fn user_key(state: &retake_playbook::State) -> Option<String> {
    state
        .account
        .as_ref()
        .map(|account| account.id.clone())
        .or_else(|| {
            state
                .opened
                .as_ref()
                .map(|(_, opened)| opened.account.clone())
        })
}

fn source(kind: ObjectKind, complete: &Result<(), String>) -> Source {
    Source {
        name: source_of(kind).to_owned(),
        looked: if complete.is_ok() {
            Looked::Whole
        } else {
            Looked::InPart
        },
        why: complete.clone().err(),
        // What is missing for want of a right says so by its code.
        code: complete.as_ref().err().and_then(|why| {
            retake_playbook::codes::CODES
                .iter()
                .find(|code| why.contains(&format!("({})", code.id)))
                .map(|code| code.id.to_owned())
        }),
    }
}

fn failed(kind: ObjectKind, tokens: &Standing, error: &TenantError) -> Source {
    Source {
        name: source_of(kind).to_owned(),
        looked: Looked::CouldNot,
        why: Some(preflight::said(tokens, error)),
        code: Some(crate::act::code_of(error).id.to_owned()),
    }
}

/// Reads what an object stands among, as far as a change of it needs.
pub(crate) async fn observe_object(
    tenant: &Tenant,
    user: &str,
    object: &ObjectRef,
) -> Result<Seen, TenantError> {
    match (object.kind, rights::right_of(object)) {
        (ObjectKind::ServicePrincipal, _) => identity::app(tenant, &object.id).await,
        (ObjectKind::MailboxRight, Some(right)) => rights::holders_of(tenant, user, right).await,
        (ObjectKind::FolderRight, _) => folders::rights_on(tenant, user, object).await,
        (kind, _) => observe(tenant, user, kind).await,
    }
}

/// Reads all objects of one kind.
pub(crate) async fn observe(
    tenant: &Tenant,
    user: &str,
    kind: ObjectKind,
) -> Result<Seen, TenantError> {
    match kind {
        ObjectKind::Method => methods(tenant, user).await,
        ObjectKind::InboxRule => rules::inbox_rules(tenant, user).await,
        ObjectKind::MailboxForwarding | ObjectKind::Mailbox => forwarding(tenant, user).await,
        ObjectKind::MailboxRight => rights::mailbox_rights(tenant, user).await,
        ObjectKind::FolderRight => folders::folder_rights(tenant, user).await,
        ObjectKind::SweepRule => mailbox::sweep_rules(tenant, user).await,
        ObjectKind::AutoReply => settings::auto_reply(tenant, user).await,
        ObjectKind::JunkLists => settings::junk_lists(tenant, user).await,
        ObjectKind::MailProtocols => settings::protocols(tenant, user).await,
        ObjectKind::MobilePartnership => settings::mobile_devices(tenant, user).await,
        ObjectKind::SendingBlock => settings::sending_block(tenant, user).await,
        ObjectKind::Device => identity::devices(tenant, user).await,
        ObjectKind::ServicePrincipal => identity::apps(tenant).await,
        ObjectKind::AppRole => identity::app_roles(tenant, user).await,
        ObjectKind::ResetAttributes => identity::reset_attributes(tenant, user).await,
        ObjectKind::DirectoryRole => identity::roles(tenant, user).await,
        _ => grants(tenant, user).await,
    }
}

async fn methods(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let (methods, preferences) = futures_util::future::join(
        tenant.authentication_methods(user),
        tenant.sign_in_preferences(user),
    )
    .await;
    let methods = methods?;
    // Only beta tells the default; without it nothing is known to be the default,
    // and the deletion order falls back on the tenant's own refusal (reference §2.3).
    let default = preferences.as_ref().ok().map(|read| &read.value);
    let objects = methods
        .value
        .iter()
        .filter(|method| !method.id.is_empty())
        .map(|method| method_facts(method, default))
        .collect();
    let seen = Seen::of(methods, objects);
    Ok(match preferences {
        Ok(preferences) => seen.also(preferences),
        Err(_) => seen,
    })
}

fn method_facts(method: &Method, preferences: Option<&SignInPreferences>) -> Found {
    let kind = method
        .odata_type
        .trim_start_matches('#')
        .trim_start_matches("microsoft.graph.")
        .to_owned();
    let detail = match method.kind() {
        MethodKind::Phone => Some(format!(
            "{} {}",
            method.phone_type.as_deref().unwrap_or("phone"),
            method.phone_number.as_deref().unwrap_or_default()
        )),
        MethodKind::Email => method.email_address.clone(),
        _ => method.display_name.clone(),
    };
    let name = match &detail {
        Some(detail) => format!("{} {detail}", method.kind().words()),
        None => method.kind().words().to_owned(),
    };
    let default = preferences.is_some_and(|preferences| is_default(method, preferences));
    let facts = |default| Facts::Method {
        method: kind.clone(),
        default,
        created: method.created_date_time,
        detail: detail.clone(),
    };
    Found {
        object: ObjectRef::new(ObjectKind::Method, &method.id).named(name),
        facts: facts(default),
        // Choosing another default makes no other method of this one.
        basis: Some(facts(false)),
        content: None,
        place: None,
    }
}

/// The default is a kind, not an id (reference §2.3).
fn is_default(method: &Method, preferences: &SignInPreferences) -> bool {
    let phone = |kind: &str| method.phone_type.as_deref() == Some(kind);
    match preferences
        .user_preferred_method_for_secondary_authentication
        .as_deref()
    {
        Some("push") => matches!(
            method.kind(),
            MethodKind::Authenticator | MethodKind::PasswordlessAuthenticator
        ),
        Some("oath") => matches!(
            method.kind(),
            MethodKind::SoftwareOath | MethodKind::HardwareOath | MethodKind::Authenticator
        ),
        Some("sms" | "voiceMobile") => phone("mobile"),
        Some("voiceAlternateMobile") => phone("alternateMobile"),
        Some("voiceOffice") => phone("office"),
        _ => false,
    }
}

async fn forwarding(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let mailbox = match tenant.get_mailbox(user).await {
        Ok(mailbox) => mailbox,
        Err(error) => return or_no_mailbox(tenant, user, error).await,
    };
    let kind = match mailbox.value.recipient_type_details.as_deref() {
        Some("UserMailbox") => Some(MailboxKind::User),
        Some("SharedMailbox") => Some(MailboxKind::Shared),
        Some(_) => Some(MailboxKind::Other),
        None => None,
    };
    let object = ObjectRef::new(ObjectKind::MailboxForwarding, user).named("mailbox forwarding");
    let to = mailbox.value.forwarding_address.clone();
    let mut facts = forwarding_facts(&mailbox.value);
    let recipients = match &to {
        Some(to) => Some(tenant.get_recipients(to).await),
        None => None,
    };
    let mut unknown = None;
    match &recipients {
        Some(Ok(read)) => {
            if let Facts::Forwarding { target, .. } = &mut facts {
                *target = mailbox::target(&read.value);
                if target.is_none() {
                    unknown = Some("nobody of that name was found".to_owned());
                }
            }
        }
        Some(Err(error)) => unknown = Some(error.to_string()),
        None => {}
    }
    let kept = ObjectRef::new(ObjectKind::Mailbox, user).named("mailbox");
    let keeping = keeping_facts(&mailbox.value);
    let mut seen = Seen::of(
        mailbox,
        vec![Found::new(object, facts), Found::new(kept, keeping)],
    );
    if let Some(Ok(read)) = recipients {
        seen = seen.also(read);
    }
    if let (Some(to), Some(why)) = (to, unknown) {
        // What is forwarded is known, and where it goes is not.
        seen.complete = Err(format!("who \"{to}\" is could not be looked up: {why}"));
    }
    seen.mailbox = kind;
    Ok(seen)
}

/// What a failed read of something in the mailbox means: there is no mailbox, if both
/// ways into it say so. One of the two alone may be a directory that lags.
async fn or_no_mailbox(
    tenant: &Tenant,
    user: &str,
    error: TenantError,
) -> Result<Seen, TenantError> {
    if !lacks_mailbox(&error) {
        return Err(error);
    }
    match tenant.graph_inbox_rules(user).await {
        Err(other) if says_no_mailbox(&other) => Ok(Seen::no_mailbox(refusals([&error, &other]))),
        _ => Err(error),
    }
}

/// Graph's word for an account without a mailbox (reference §10.1).
fn says_no_mailbox(error: &TenantError) -> bool {
    error.code.as_deref() == Some("MailboxNotEnabledForRESTAPI")
}

/// Exchange's word for it (reference §6.5).
fn lacks_mailbox(error: &TenantError) -> bool {
    matches!(error.kind, Kind::NoMailbox | Kind::NotFound)
}

/// The refusals themselves, as evidence.
fn refusals<const N: usize>(errors: [&TenantError; N]) -> Vec<Answer> {
    errors
        .into_iter()
        .filter_map(|error| error.answer.clone())
        .collect()
}

fn forwarding_facts(mailbox: &Mailbox) -> Facts {
    let forwarding = mailbox.forwarding();
    Facts::Forwarding {
        smtp: forwarding.smtp_address.map(|address| bare(&address)),
        address: forwarding.address,
        keeps_copy: forwarding.keep_copy,
        target: None,
    }
}

fn keeping_facts(mailbox: &Mailbox) -> Facts {
    let keeping = mailbox.keeping();
    Facts::Keeping {
        retain_days: keeping.retain_days,
        single_item_recovery: keeping.single_item_recovery,
        litigation_hold: keeping.litigation_hold,
        hold_licensed: mailbox.hold_licensed(),
    }
}

/// An address without its `smtp:` prefix, in lower case.
fn bare(address: &str) -> String {
    let lower = address.trim().to_lowercase();
    lower.strip_prefix("smtp:").unwrap_or(&lower).to_owned()
}

async fn grants(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let grants = tenant.grants_of_user(user).await?;
    let mut clients: Vec<&str> = grants
        .value
        .iter()
        .map(|grant| grant.client_id.as_str())
        .collect();
    clients.sort_unstable();
    clients.dedup();
    // One round trip for all of them, however many there are.
    let apps = tenant.service_principals(&clients).await;
    let mut found: Vec<Read<ServicePrincipal>> = Vec::new();
    let mut missing = None;
    for app in apps {
        match app {
            Ok(app) => found.push(app),
            Err(error) => {
                let said = preflight::said(&preflight::tokens(tenant).await, &error);
                missing = Some(format!("({}): {said}", crate::act::code_of(&error).id));
            }
        }
    }
    let objects = grants
        .value
        .iter()
        .map(|grant| {
            let app = found
                .iter()
                .map(|read| &read.value)
                .find(|app| app.id == grant.client_id);
            grant_facts(grant, app)
        })
        .collect();
    let mut seen = Seen::of(grants, objects);
    for app in found {
        seen = seen.also(app);
    }
    if let Some(why) = missing {
        seen.complete = Err(format!("an app could not be read {why}"));
    }
    Ok(seen)
}

fn grant_facts(grant: &Grant, app: Option<&ServicePrincipal>) -> Found {
    let mut scopes: Vec<String> = grant.scopes().map(str::to_owned).collect();
    scopes.sort();
    let name = app.and_then(|app| app.display_name.clone());
    let object = ObjectRef::new(ObjectKind::OauthGrant, &grant.id);
    let object = match &name {
        Some(name) => object.named(name),
        None => object,
    };
    let verified_publisher = app
        .and_then(|app| app.verified_publisher.as_ref())
        .and_then(|publisher| publisher.get("verifiedPublisherId"))
        .is_some_and(|id| id.as_str().is_some_and(|id| !id.is_empty()));
    let first_party = app
        .and_then(|app| app.app_owner_organization_id.as_deref())
        .is_some_and(|owner| owner.eq_ignore_ascii_case(MICROSOFT));
    Found::new(
        object,
        Facts::Grant {
            client: grant.client_id.clone(),
            app_id: app.map(|app| app.app_id.clone()),
            app_name: name,
            verified_publisher,
            first_party,
            scopes,
        },
    )
}
