//! Looking: reading every artefact of the account and saying what it is and does.
//!
//! Sources are read side by side; one that fails or hangs takes none of the
//! others with it, and is listed with its reason.

use futures_util::future::join_all;
use retake_casefile::{canonical_json, digest};
use retake_playbook::event::{
    Account, Event, Facts, Looked, MailboxKind, Observed, Snapshot, Source, Standing,
};
use retake_playbook::judge::source_of;
use retake_playbook::{Digest, ObjectKind, ObjectRef};
use retake_tenant::model::{
    ExchangeRule, Grant, MailFolder, Mailbox, MessageRule, Method, MethodKind, ServicePrincipal,
    SignInPreferences, User,
};
use retake_tenant::{Answer, Kind, Read, Tenant, TenantError};

use crate::case::Case;
use crate::error::ResponderError;
use crate::evidence::keep;

/// The tenant of Microsoft's own apps (reference §5).
const MICROSOFT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// Objects of one source, with the answers that they were seen in.
pub(crate) struct Seen {
    pub(crate) objects: Vec<(ObjectRef, Facts)>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) complete: Result<(), String>,
    /// What mailbox there is, where the source tells.
    mailbox: Option<MailboxKind>,
}

impl Seen {
    fn of<T>(read: Read<T>, objects: Vec<(ObjectRef, Facts)>) -> Self {
        Self {
            complete: whole(&read),
            objects,
            answers: read.answers,
            mailbox: None,
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
        }
    }

    fn also<T>(mut self, read: Read<T>) -> Self {
        if self.complete.is_ok() {
            self.complete = whole(&read);
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
        standing: Standing {
            restricted: user.is_management_restricted == Some(true),
            last_sync: user.on_premises_last_sync_date_time,
            ..Standing::default()
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
pub(crate) async fn snapshot(case: &Case<'_>, tenant: &Tenant) -> Result<(), ResponderError> {
    let at = case.now();
    let Some(user) = case.with_state(user_key) else {
        return Ok(());
    };
    let kinds = [
        ObjectKind::InboxRule,
        ObjectKind::MailboxForwarding,
        ObjectKind::Method,
        ObjectKind::OauthGrant,
    ];
    let known = case.with_state(|state| state.account.clone());
    let (account, seen, federation) = futures_util::future::join3(
        tenant.user(&user),
        join_all(kinds.into_iter().map(|kind| observe(tenant, &user, kind))),
        federated(tenant, known.as_ref()),
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
            sources.push(source(ObjectKind::Account, &Ok(()), None));
            let mut account = account_of(&read.value, manager);
            account.standing.federated = standing.federated;
            account.standing.mailbox = standing.mailbox;
            Some(account)
        }
        Err(error) => {
            sources.push(failed(ObjectKind::Account, &error));
            None
        }
    };
    for (kind, seen) in kinds.into_iter().zip(seen) {
        match seen {
            Ok(seen) => {
                sources.push(source(kind, &seen.complete, seen.mailbox));
                objects.extend(record(case, kind, seen)?);
            }
            Err(error) => sources.push(failed(kind, &error)),
        }
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
    let evidence = keep(case, source_of(kind), &seen.answers)?;
    seen.objects
        .into_iter()
        .map(|(object, facts)| {
            Ok(Observed {
                object,
                digest: digest_of(&facts)?,
                evidence: evidence.clone(),
                facts,
            })
        })
        .collect()
}

/// SHA-256 of the facts as canonical JSON.
pub(crate) fn digest_of(facts: &Facts) -> Result<Digest, ResponderError> {
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

fn source(kind: ObjectKind, complete: &Result<(), String>, mailbox: Option<MailboxKind>) -> Source {
    let absent = (mailbox == Some(MailboxKind::Absent))
        .then(|| "the account has no mailbox: Exchange and Graph both say so".to_owned());
    Source {
        name: source_of(kind).to_owned(),
        looked: if complete.is_ok() {
            Looked::Whole
        } else {
            Looked::InPart
        },
        why: complete.clone().err().or(absent),
    }
}

fn failed(kind: ObjectKind, error: &TenantError) -> Source {
    Source {
        name: source_of(kind).to_owned(),
        looked: Looked::CouldNot,
        why: Some(error.to_string()),
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
        ObjectKind::InboxRule => inbox_rules(tenant, user).await,
        ObjectKind::MailboxForwarding => forwarding(tenant, user).await,
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

fn method_facts(method: &Method, preferences: Option<&SignInPreferences>) -> (ObjectRef, Facts) {
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
    (
        ObjectRef::new(ObjectKind::Method, &method.id).named(name),
        Facts::Method {
            method: kind,
            default,
            created: method.created_date_time,
            detail,
        },
    )
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
        // One of the two alone may be a directory that lags.
        Err(error) if error.kind == Kind::NotFound => {
            return match tenant.mail_folders(user).await {
                Err(other) if says_no_mailbox(&other) => {
                    Ok(Seen::no_mailbox(refusals([&error, &other])))
                }
                _ => Err(error),
            };
        }
        Err(error) => return Err(error),
    };
    let kind = match mailbox.value.recipient_type_details.as_deref() {
        Some("UserMailbox") => Some(MailboxKind::User),
        Some("SharedMailbox") => Some(MailboxKind::Shared),
        Some(_) => Some(MailboxKind::Other),
        None => None,
    };
    let object = ObjectRef::new(ObjectKind::MailboxForwarding, user).named("mailbox forwarding");
    let facts = forwarding_facts(&mailbox.value);
    let mut seen = Seen::of(mailbox, vec![(object, facts)]);
    seen.mailbox = kind;
    Ok(seen)
}

/// Graph's word for an account without a mailbox (reference §10.1).
fn says_no_mailbox(error: &TenantError) -> bool {
    error.code.as_deref() == Some("MailboxNotEnabledForRESTAPI")
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
    let apps = join_all(
        clients
            .into_iter()
            .map(|client| tenant.service_principal(client)),
    )
    .await;
    let mut found: Vec<Read<ServicePrincipal>> = Vec::new();
    let mut missing = None;
    for app in apps {
        match app {
            Ok(app) => found.push(app),
            Err(error) => missing = Some(error.to_string()),
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
        seen.complete = Err(format!("an app could not be read: {why}"));
    }
    Ok(seen)
}

fn grant_facts(grant: &Grant, app: Option<&ServicePrincipal>) -> (ObjectRef, Facts) {
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
    (
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

/// Rules come from two places: Graph shows what Outlook shows, Exchange shows
/// all. What only Exchange shows is hidden (reference §0.6).
async fn inbox_rules(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let (all, shown, folders) = futures_util::future::join3(
        tenant.get_inbox_rules(user, true),
        tenant.graph_inbox_rules(user),
        tenant.mail_folders(user),
    )
    .await;
    let all = match (all, &shown) {
        (Err(error), Err(other)) if error.kind == Kind::NotFound && says_no_mailbox(other) => {
            return Ok(Seen::no_mailbox(refusals([&error, other])));
        }
        (all, _) => all?,
    };
    let shown = shown?;
    let folder_names: &[MailFolder] = folders.as_ref().map_or(&[], |read| &read.value);
    let objects = pair(&all.value, &shown.value, folder_names);
    let seen = Seen::of(all, objects).also(shown);
    Ok(match folders {
        Ok(folders) => seen.also(folders),
        Err(_) => seen,
    })
}

/// Finds for each rule that Graph shows its twin in Exchange's list; names are
/// not unique, so of several the most alike is taken.
fn pair(
    all: &[ExchangeRule],
    shown: &[MessageRule],
    folders: &[MailFolder],
) -> Vec<(ObjectRef, Facts)> {
    let mut taken = vec![false; all.len()];
    let mut objects = Vec::new();
    for rule in shown {
        let name = rule.display_name.as_deref().unwrap_or_default();
        let twin = all
            .iter()
            .enumerate()
            .filter(|(index, other)| {
                !taken[*index] && other.name.as_deref().unwrap_or_default() == name
            })
            .max_by_key(|(index, other)| (likeness(rule, other), std::cmp::Reverse(*index)));
        let twin = twin.map(|(index, other)| {
            taken[index] = true;
            other
        });
        objects.push(shown_facts(rule, twin, folders));
    }
    for (rule, taken) in all.iter().zip(taken) {
        if !taken {
            objects.push(hidden_facts(rule));
        }
    }
    objects
}

fn likeness(shown: &MessageRule, other: &ExchangeRule) -> u32 {
    let actions = shown.actions.clone().unwrap_or_default();
    let forwards = graph_forwards(shown);
    let others = exchange_forwards(other);
    let mut points = 0;
    points += u32::from(forwards == others) * 4;
    points += u32::from(shown.sequence == other.priority) * 2;
    points +=
        u32::from(actions.mark_as_read.unwrap_or(false) == other.mark_as_read.unwrap_or(false));
    points += u32::from(actions.move_to_folder.is_some() == other.move_to_folder.is_some());
    points += u32::from(actions.delete.unwrap_or(false) == other.delete_message.unwrap_or(false));
    points += u32::from(shown.is_enabled == other.enabled);
    points
}

fn graph_forwards(rule: &MessageRule) -> Vec<String> {
    let actions = rule.actions.clone().unwrap_or_default();
    let mut forwards: Vec<String> = actions
        .forward_to
        .iter()
        .chain(&actions.forward_as_attachment_to)
        .chain(&actions.redirect_to)
        .filter_map(|recipient| recipient.email_address.address.as_deref())
        .map(bare)
        .collect();
    forwards.sort();
    forwards.dedup();
    forwards
}

/// `"Name" [SMTP:address]` or `"Name" [EX:/o=…]`, in any order of case
/// (reference §6.6; the form for outside recipients is UNCONFIRMED, so a bare
/// address is taken too). The name is the attacker's: only the last bracket counts.
fn exchange_forwards(rule: &ExchangeRule) -> Vec<String> {
    let mut forwards: Vec<String> = rule
        .forward_to
        .iter()
        .chain(&rule.forward_as_attachment_to)
        .chain(&rule.redirect_to)
        .map(|text| match (text.rfind('['), text.rfind(']')) {
            (Some(open), Some(close)) if open < close => bare(&text[open + 1..close]),
            _ => bare(text.trim_matches(|c| c == '"' || c == ' ')),
        })
        .collect();
    forwards.sort();
    forwards.dedup();
    forwards
}

fn shown_facts(
    rule: &MessageRule,
    twin: Option<&ExchangeRule>,
    folders: &[MailFolder],
) -> (ObjectRef, Facts) {
    let name = rule.display_name.clone().unwrap_or_default();
    let actions = rule.actions.clone().unwrap_or_default();
    let moves_to = actions.move_to_folder.as_ref().map(|id| {
        folders
            .iter()
            .find(|folder| folder.id == *id)
            .and_then(|folder| folder.display_name.clone())
            .or_else(|| twin.and_then(|twin| twin.move_to_folder.clone()))
            .unwrap_or_else(|| id.clone())
    });
    let conditions = serde_json::json!({
        "conditions": rule.conditions,
        "exceptions": rule.exceptions,
    });
    (
        ObjectRef::new(ObjectKind::InboxRule, &rule.id).named(&name),
        Facts::InboxRule {
            name,
            enabled: rule.is_enabled.unwrap_or(true),
            hidden: false,
            aliases: twin.map(aliases).unwrap_or_default(),
            forwards_to: graph_forwards(rule),
            moves_to,
            deletes: actions.delete == Some(true) || actions.permanent_delete == Some(true),
            marks_read: actions.mark_as_read == Some(true),
            conditions: canonical_json(&conditions),
        },
    )
}

fn hidden_facts(rule: &ExchangeRule) -> (ObjectRef, Facts) {
    let name = rule.name.clone().unwrap_or_default();
    let conditions = serde_json::json!({
        "from": rule.from,
        "subject": rule.subject_contains_words,
        "subject or body": rule.subject_or_body_contains_words,
    });
    (
        ObjectRef::new(ObjectKind::InboxRule, &rule.identity).named(&name),
        Facts::InboxRule {
            name,
            enabled: rule.enabled.unwrap_or(true),
            hidden: true,
            aliases: aliases(rule),
            forwards_to: exchange_forwards(rule),
            moves_to: rule.move_to_folder.clone(),
            deletes: rule.delete_message == Some(true) || rule.soft_delete_message == Some(true),
            marks_read: rule.mark_as_read == Some(true),
            conditions: canonical_json(&conditions),
        },
    )
}

fn aliases(rule: &ExchangeRule) -> Vec<String> {
    let mut aliases = vec![rule.identity.clone()];
    aliases.extend(rule.number().map(str::to_owned));
    aliases.dedup();
    aliases
}
