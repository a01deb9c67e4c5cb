//! `retake tenant`, `retake teardown`: how a tenant is reached, and whether the
//! responder may do there what it must.

mod registration;
mod screen;

use std::path::PathBuf;

use dialoguer::{Confirm, Input, Select};
use retake_playbook::codes::{self, Exit};
use retake_responder::preflight::{Can, Scope, Set, SignedInAs, Survey, survey};
use retake_tenant::edge::Keyring;
use serde_json::{Value, json};

use crate::args::{RightsSet, Teardown, Tenant, TenantAdd, TenantCheck};
use crate::failure::Failure;
use crate::home::{Home, write_private};
use crate::lab_link::LabAddress;
use crate::means::SystemKeyring;
use crate::profile::{Cloud, ProfileFile, SignInWay, connect, session_in_keyring};
use crate::terminal::{OURS, STRONG, Terminal, safe};
use registration::Registration;

pub(crate) fn run(command: &Tenant, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    match command {
        Tenant::Add(add) => self::add(add, home, terminal),
        Tenant::List => list(home, terminal),
        Tenant::Check(args) => check(args, home, terminal),
        Tenant::Remove { name } => remove(name, home, terminal),
    }
}

/// What `--set` names.
const fn set_of(set: RightsSet) -> Set {
    match set {
        RightsSet::ReadOnly => Set::ReadOnly,
        RightsSet::Response => Set::Response,
    }
}

fn add(args: &TenantAdd, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    if args.name == "lab" {
        return Err(Failure::usage(
            "`lab` is the lab's own name.",
            "Take another one; `--cloud lab` makes a profile for it.",
        ));
    }
    if !args.replace && ProfileFile::load(home, &args.name).is_ok() {
        return Err(Failure::usage(
            format!(
                "There is a profile `{}` already. Nothing was changed.",
                args.name
            ),
            "`--replace` writes it anew.",
        ));
    }
    let mut profile = asked(args, home, terminal)?;
    let registration = Registration {
        name: &args.name,
        tenant: &profile.tenant_id,
        authority: registration::authority(profile.cloud.unwrap_or_default()),
        set: set_of(args.set),
        signed_in: signed_in(profile.way()),
        way: profile.way(),
    };
    // A managed identity and the Azure command line have no registration of ours, and a
    // partner's customer uses the partner's.
    let registers = profile.partner_of.is_none() && profile.way() != SignInWay::AzureCli;
    let mut document = json!({
        "schema": "retake.tenant/1",
        "name": args.name,
        "saved": null,
        "registration": registers.then(|| registration.page()),
        "manifest": registers.then(|| registration.manifest()),
        "consent": null,
        "check": null,
    });
    if registers {
        terminal.data(&registration.page());
        if let Some(file) = &args.manifest {
            write_private(file, registration.manifest().to_string().as_bytes())?;
            terminal.say(&format!("manifest written to {}", file.display()));
        } else {
            terminal.data(&registration.manifest_page());
        }
    }
    if registers && profile.client_id.is_none() && needs_client_id(profile.way()) {
        if !terminal.is_interactive() {
            terminal.say(&format!(
                "\nMake this registration, then give the same command with --client-id. No profile `{}` was written yet.",
                args.name
            ));
            if terminal.json() {
                terminal.document(&document);
            }
            return Ok(Exit::NeedsPerson);
        }
        profile.client_id = Some(text("Application (client) id of the registration")?);
    }
    if registers && let Some(client) = &profile.client_id {
        let consent = registration.consent(client);
        terminal.data(&consent);
        document["consent"] = consent.into();
    }
    let file = profile.save(home, &args.name)?;
    terminal.say(&format!(
        "\n{OURS}saved{OURS:#}: the profile `{}` is in {}",
        args.name,
        file.display()
    ));
    document["saved"] = file.display().to_string().into();
    if args.no_check {
        terminal.say(&format!("`retake tenant check {}` proves it.", args.name));
        if terminal.json() {
            terminal.document(&document);
        }
        return Ok(Exit::Done);
    }
    let args = TenantCheck {
        name: args.name.clone(),
        set: args.set,
        on: None,
        recording: crate::args::Recording::default(),
    };
    let found = surveyed(&args, home, terminal)?;
    if terminal.json() {
        document["check"] = as_json(&found)?;
        terminal.document(&document);
    } else {
        terminal.data(screen::of(&args.name, &found).trim_end());
    }
    Ok(exit_of(&found))
}

/// The profile, from what was given and what is answered at the terminal.
fn asked(args: &TenantAdd, home: &Home, terminal: &Terminal) -> Result<ProfileFile, Failure> {
    let mut cloud: Option<Cloud> = word("cloud", args.cloud.as_deref(), CLOUDS)?;
    if args.cloud.is_none() && args.tenant_id.is_none() && terminal.is_interactive() {
        cloud = Some(choose("Which cloud is the tenant in?", CLOUDS)?);
    }
    if cloud == Some(Cloud::Lab) {
        let lab = LabAddress::read(&home.lab())?;
        return Ok(ProfileFile {
            tenant_id: lab.tenant_id,
            client_id: Some(lab.client_id),
            cloud,
            sign_in: Some(SignInWay::Secret),
            break_glass: args.break_glass.clone(),
            ..ProfileFile::default()
        });
    }
    let missing = |what: &str, flag: &str| {
        Failure::usage(
            format!("{what} is not known, and nobody is there to ask. Nothing was changed."),
            format!("Give it with {flag}."),
        )
    };
    let tenant_id = match &args.tenant_id {
        Some(given) => given.clone(),
        None if terminal.is_interactive() => text("Tenant id (Entra admin centre, Overview)")?,
        None => return Err(missing("The tenant's id", "--tenant-id")),
    };
    let mut way: Option<SignInWay> = word("sign-in", args.sign_in.as_deref(), WAYS)?;
    let follows = args.secret_file.is_some() || args.partner_of.is_some();
    if way.is_none() && !follows {
        if !terminal.is_interactive() {
            return Err(missing("How to sign in", "--sign-in"));
        }
        way = Some(choose("How does Retake sign in?", WAYS)?);
    }
    let file = |given: &Option<PathBuf>, wanted: bool, what: &str, flag: &str| match given {
        Some(file) => Ok(Some(absolute(file)?)),
        None if !wanted => Ok(None),
        None if terminal.is_interactive() => Ok(Some(absolute(&PathBuf::from(text(what)?))?)),
        None => Err(missing(what, flag)),
    };
    Ok(ProfileFile {
        tenant_id,
        client_id: args.client_id.clone(),
        cloud,
        sign_in: way,
        secret_file: file(
            &args.secret_file,
            way == Some(SignInWay::Secret),
            "The file with the client secret",
            "--secret-file",
        )?,
        certificate_file: file(
            &args.certificate_file,
            way == Some(SignInWay::Certificate),
            "The PEM file with certificate and key",
            "--certificate-file",
        )?,
        token_file: args.token_file.as_ref().map(absolute).transpose()?,
        identity: args.identity.clone(),
        ca_file: args.ca_file.as_ref().map(absolute).transpose()?,
        proxy: args.proxy.clone(),
        break_glass: args.break_glass.clone(),
        partner_of: args.partner_of.clone(),
        ..ProfileFile::default()
    })
}

const CLOUDS: &[(&str, Cloud)] = &[
    ("worldwide", Cloud::Worldwide),
    ("gcc", Cloud::Gcc),
    ("gcc-high", Cloud::GccHigh),
    ("dod", Cloud::Dod),
    ("china", Cloud::China),
    ("lab", Cloud::Lab),
];

const WAYS: &[(&str, SignInWay)] = &[
    ("certificate", SignInWay::Certificate),
    ("secret", SignInWay::Secret),
    ("device-code", SignInWay::DeviceCode),
    ("browser", SignInWay::Browser),
    ("managed-identity", SignInWay::ManagedIdentity),
    ("workload-identity", SignInWay::WorkloadIdentity),
    ("azure-cli", SignInWay::AzureCli),
];

fn word<T: Copy>(
    what: &str,
    given: Option<&str>,
    known: &[(&str, T)],
) -> Result<Option<T>, Failure> {
    let Some(given) = given else { return Ok(None) };
    let found = known.iter().find(|(name, _)| *name == given);
    found.map(|(_, value)| Some(*value)).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        Failure::usage(
            format!("`{given}` is no {what}. Nothing was changed."),
            format!("It is one of {}.", names.join(", ")),
        )
    })
}

fn choose<T: Copy>(question: &str, known: &[(&str, T)]) -> Result<T, Failure> {
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    Select::new()
        .with_prompt(question)
        .items(&names)
        .default(0)
        .interact_opt()
        .ok()
        .flatten()
        .and_then(|index| known.get(index))
        .map(|(_, value)| *value)
        .ok_or_else(unanswered)
}

fn text(question: &str) -> Result<String, Failure> {
    Input::<String>::new()
        .with_prompt(question)
        .interact_text()
        .map(|answer| answer.trim().to_owned())
        .map_err(|_| unanswered())
}

fn unanswered() -> Failure {
    Failure::usage("Nothing was answered. Nothing was changed.", "")
}

/// A profile is used from any directory.
fn absolute(file: &PathBuf) -> Result<PathBuf, Failure> {
    std::path::absolute(file).map_err(|error| {
        Failure::usage(
            format!("{} cannot be used: {error}.", file.display()),
            "Name a file.",
        )
    })
}

/// Which kind of permission counts for this way of signing in.
const fn signed_in(way: SignInWay) -> SignedInAs {
    match way {
        SignInWay::DeviceCode | SignInWay::Browser | SignInWay::AzureCli => SignedInAs::Person,
        SignInWay::Secret
        | SignInWay::Certificate
        | SignInWay::ManagedIdentity
        | SignInWay::WorkloadIdentity => SignedInAs::App,
    }
}

const fn needs_client_id(way: SignInWay) -> bool {
    !matches!(way, SignInWay::ManagedIdentity | SignInWay::AzureCli)
}

fn list(home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    let names = ProfileFile::list(home)?;
    let mut rows = Vec::new();
    for name in &names {
        // A profile that cannot be read is listed, too: that is what one looks for.
        let row = match ProfileFile::load(home, name) {
            Ok(profile) => json!({
                "name": name,
                "tenant_id": profile.tenant_id,
                "cloud": profile.cloud.unwrap_or_default(),
                "sign_in": profile.partner_of.is_none().then(|| profile.way()),
                "partner_of": profile.partner_of,
            }),
            Err(failure) => json!({"name": name, "error": failure.message}),
        };
        rows.push(row);
    }
    if terminal.json() {
        terminal.document(&json!({"schema": "retake.tenants/1", "tenants": rows}));
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        terminal.say("There is no profile yet. `retake tenant add NAME` makes one.");
    }
    for row in &rows {
        let word = |key: &str| row[key].as_str().map(safe).unwrap_or_default();
        if row["error"].is_string() {
            terminal.data(&format!("{:<16} {}", word("name"), word("error")));
        } else {
            let how = row["partner_of"].as_str().map_or_else(
                || word("sign_in"),
                |partner| format!("partner {}", safe(partner)),
            );
            terminal.data(&format!(
                "{:<16} {:<36} {:<10} {how}",
                word("name"),
                word("tenant_id"),
                word("cloud")
            ));
        }
    }
    Ok(Exit::Done)
}

fn check(args: &TenantCheck, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    let found = surveyed(args, home, terminal)?;
    if terminal.json() {
        terminal.document(&as_json(&found)?);
    } else {
        terminal.data(screen::of(&args.name, &found).trim_end());
    }
    Ok(exit_of(&found))
}

fn surveyed(args: &TenantCheck, home: &Home, terminal: &Terminal) -> Result<Survey, Failure> {
    let runtime = super::runtime()?;
    runtime.block_on(async {
        let connection = connect(home, &args.name, &args.recording)?;
        let _told = connection
            .tape
            .as_ref()
            .map(|tape| tape.told_at_the_end(terminal));
        connection.sign_in(terminal).await?;
        // A secret that is wrong or a tenant that is not there is no missing permission.
        connection.tenant.sign_in().await?;
        let scope = Scope {
            set: set_of(args.set),
            break_glass: &connection.break_glass,
            probe: true,
            on: args.on.as_deref(),
        };
        let found = Box::pin(survey(&connection.tenant, scope)).await;
        wrong_tenant(&found, &connection.tenant.profile().tenant_id)?;
        Ok(found)
    })
}

fn as_json(found: &Survey) -> Result<Value, Failure> {
    serde_json::to_value(found).map_err(|error| {
        Failure::new(
            codes::INTERNAL,
            format!("The result cannot be written as JSON: {error}."),
            "Please report it.",
        )
    })
}

fn exit_of(found: &Survey) -> Exit {
    match found.can() {
        Can::Yes => Exit::Done,
        Can::No => codes::PERMISSION_MISSING.exit,
        Can::Unknown => Exit::NeedsPerson,
    }
}

/// A profile that leads into another tenant than it names is worse than none.
fn wrong_tenant(found: &Survey, named: &str) -> Result<(), Failure> {
    match &found.tenant {
        Some(tenant) if !named.contains('.') && !tenant.eq_ignore_ascii_case(named) => {
            Err(Failure::new(
                codes::WRONG_TENANT,
                format!("The tenant that answered is {tenant}, and the profile names {named}."),
                "Correct the tenant id in the profile.",
            ))
        }
        _ => Ok(()),
    }
}

fn remove(name: &str, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    let profile = ProfileFile::load(home, name).ok();
    if !ProfileFile::remove(home, name)? {
        return Err(Failure::new(
            codes::NO_PROFILE,
            format!("There is no profile `{name}`. Nothing was changed."),
            "`retake tenant list` shows which there are.",
        ));
    }
    terminal.say(&format!("{OURS}removed{OURS:#}: the profile `{name}`"));
    let left = profile
        .map(|profile| left_here(name, &profile))
        .unwrap_or_default();
    for line in &left {
        terminal.say(&format!("  {line}"));
    }
    if terminal.json() {
        terminal.document(&removed(name, true, None, &left));
    }
    terminal.say(
        "The app registration and every case stay. `retake teardown` says what else to remove.",
    );
    Ok(Exit::Done)
}

/// What was removed, in the form `retake.removed/1`.
fn removed(name: &str, removed: bool, in_tenant: Option<&str>, left: &[String]) -> Value {
    json!({
        "schema": "retake.removed/1",
        "name": name,
        "removed": removed,
        "in_tenant": in_tenant,
        "left_here": left,
    })
}

/// What the profile named and this machine still holds.
fn left_here(name: &str, profile: &ProfileFile) -> Vec<String> {
    let mut left: Vec<String> = [&profile.secret_file, &profile.certificate_file]
        .into_iter()
        .flatten()
        .map(|file| format!("{} holds its secret: delete it too", file.display()))
        .collect();
    if let Some(session) = session_in_keyring(profile, name) {
        left.push(forgotten(&session, name, &SystemKeyring));
    }
    left
}

/// Takes a person's session out of the keyring, and says how that went.
fn forgotten(session: &str, name: &str, keyring: &dyn Keyring) -> String {
    match keyring.remove(session) {
        Ok(()) => format!("the system's keyring holds no session of `{name}` any more"),
        Err(error) => format!(
            "a session of `{name}` may be left: {error}. It is worthless once the registration is gone; until then, revoke the person's sessions"
        ),
    }
}

/// What stands in the tenant can be taken away by an administrator alone: an app with the
/// rights to do that to itself would have far more than the playbook needs.
pub(crate) fn teardown(args: &Teardown, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    let profile = ProfileFile::load(home, &args.name)?;
    let in_tenant = if profile.cloud == Some(Cloud::Lab) {
        Some("In the lab: nothing, it ends with its process.".to_owned())
    } else if let Some(partner) = &profile.partner_of {
        Some(format!(
            "In the customer's tenant {}: whatever the partner's app was granted there. The registration is the partner's: `retake teardown {partner}`.",
            safe(&profile.tenant_id)
        ))
    } else {
        profile.client_id.as_ref().map(|client| {
            registration::removal(&profile.tenant_id, client, signed_in(profile.way()))
        })
    };
    if let Some(text) = &in_tenant {
        terminal.data(text);
    }
    terminal.data("\nOn this machine: the profile. Cases are kept.");
    let agreed = args.yes
        || (terminal.is_interactive()
            && Confirm::new()
                .with_prompt(format!("Remove the profile `{}`?", args.name))
                .default(false)
                .interact()
                .unwrap_or(false));
    let mut left = Vec::new();
    if agreed {
        ProfileFile::remove(home, &args.name)?;
        terminal.say(&format!(
            "{OURS}removed{OURS:#}: the profile `{}`",
            args.name
        ));
        left = left_here(&args.name, &profile);
        for line in &left {
            terminal.say(&format!("  {line}"));
        }
    } else {
        terminal.say(&format!(
            "Nothing was removed. {STRONG}--yes{STRONG:#} removes what is on this machine."
        ));
    }
    if terminal.json() {
        terminal.document(&removed(&args.name, agreed, in_tenant.as_deref(), &left));
    }
    Ok(if agreed {
        Exit::Done
    } else {
        Exit::NeedsPerson
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use retake_tenant::edge::KeyringError;
    use secrecy::{ExposeSecret as _, SecretString};

    use super::*;

    /// A keyring with what is in it; locked when it is.
    #[derive(Default)]
    struct Double {
        kept: Mutex<BTreeMap<String, String>>,
        locked: bool,
    }

    impl Keyring for Double {
        fn load(&self, name: &str) -> Result<Option<SecretString>, KeyringError> {
            Ok(self.kept.lock().unwrap().get(name).cloned().map(Into::into))
        }

        fn store(&self, name: &str, secret: &SecretString) -> Result<(), KeyringError> {
            let secret = secret.expose_secret().to_owned();
            self.kept.lock().unwrap().insert(name.to_owned(), secret);
            Ok(())
        }

        fn remove(&self, name: &str) -> Result<(), KeyringError> {
            if self.locked {
                return Err(KeyringError("it is locked".to_owned()));
            }
            self.kept.lock().unwrap().remove(name);
            Ok(())
        }
    }

    fn profile(more: &str) -> ProfileFile {
        toml::from_str(&format!(
            "tenant_id = \"t1\"\nclient_id = \"c1\"\nsign_in = \"browser\"\n{more}"
        ))
        .unwrap()
    }

    #[test]
    fn a_profile_that_goes_takes_its_session_out_of_the_keyring_and_no_other() {
        let own = session_in_keyring(&profile("keep_tokens = \"keyring\"\n"), "contoso").unwrap();
        // The name under which the client keeps it.
        assert_eq!(own, "login.microsoftonline.com/t1/c1");
        let keyring = Double::default();
        for name in [own.as_str(), "login.microsoftonline.com/t2/c1"] {
            keyring.store(name, &SecretString::from("refresh")).unwrap();
        }
        let said = forgotten(&own, "contoso", &keyring);
        assert!(
            said.contains("holds no session of `contoso` any more"),
            "{said}"
        );
        assert!(keyring.load(&own).unwrap().is_none());
        assert_eq!(keyring.kept.lock().unwrap().len(), 1, "another's stays");
        // Once more: nothing there is no error.
        assert_eq!(forgotten(&own, "contoso", &keyring), said);

        let locked = Double {
            locked: true,
            ..Double::default()
        };
        let said = forgotten(&own, "contoso", &locked);
        assert!(
            said.contains("may be left") && said.contains("it is locked"),
            "{said}"
        );
    }

    #[test]
    fn a_profile_without_a_session_of_its_own_leaves_the_keyring_alone() {
        assert_eq!(session_in_keyring(&profile(""), "contoso"), None);
        assert_eq!(
            session_in_keyring(&profile("keep_tokens = \"memory\"\n"), "contoso"),
            None
        );
        let customer: ProfileFile =
            toml::from_str("tenant_id = \"t2\"\npartner_of = \"partner\"\n").unwrap();
        assert_eq!(session_in_keyring(&customer, "customer"), None);
    }
}
