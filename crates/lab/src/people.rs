//! People on our side: they are asked, take their time, and answer; a task that
//! they carry out changes the tenant.

mod by_hand;

pub(crate) use by_hand::Theirs;

use jiff::{SignedDuration, Timestamp};
use retake_playbook::ObjectKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::attacker::Foothold;
use crate::company::Company;
use crate::company::life::{Client, add};
use crate::company::names;
use crate::scenario::{Decision, Outcome, Role, Scenario};
use crate::trace::{Actor, Service, Trace, TraceLine};
use crate::world::directory::Password;
use crate::world::tokens::{Class, CutKind};
use crate::world::{MethodKind, Origin, Resource, SignInKind, Surface, World, known};

/// The task of warning somebody.
pub const WARN: &str = "warn";

/// The task of the affected user's first sign-in after the response.
pub const FIRST_SIGN_IN: &str = "first_sign_in";

/// Tasks in the directory that is the master of the account: on-premises, its
/// home tenant, its federation provider.
pub const ELSEWHERE: [&str; 5] = [
    "disable_on_premises",
    "reset_on_premises",
    "enable_on_premises",
    "home_tenant",
    "federation_provider",
];

/// The task of deleting all app passwords of the affected user by hand, on the per-user
/// page (reference §2.2).
pub const DELETE_APP_PASSWORDS: &str = "delete_app_passwords";

/// Words for tasks that ask for a decision and not for work.
const DECISIONS: [&str; 4] = ["approve", "approval", "decide", "second_person"];

/// Somebody is asked for a decision or given a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The role, such as `approver`; see [`Role`].
    pub role: String,
    /// What is asked: `approve` and `second_person` want a decision, [`WARN`]
    /// and [`FIRST_SIGN_IN`] change the world, others are carried out without
    /// a trace in the tenant.
    pub task: String,
    /// What the person is told; only recorded.
    #[serde(default)]
    pub detail: Value,
}

/// What a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The decision is yes.
    Approved,
    /// The task is done; whether that is true must be seen in the tenant.
    Done,
    /// No.
    Refused,
    /// Nothing is heard.
    NoAnswer,
}

/// What comes back from a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonAnswer {
    /// Name of who answers; empty if nobody has the role.
    pub who: String,
    /// What they say.
    pub answer: Answer,
    /// After how long (ISO 8601 in JSON, such as `PT2M30S`).
    pub after: SignedDuration,
    /// What they answer in words, where the question is not whether.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// A task that will be carried out.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) role: Role,
    /// Whose account it is about, by its object id.
    account: String,
    pub(crate) task: String,
    /// What they were told.
    what: String,
    /// The person only says so.
    pub(crate) hollow: bool,
}

/// What a person will answer, and the task that follows, if one does.
pub(crate) fn answer(
    scenario: &Scenario,
    company: &Company,
    world: &World,
    theirs: &Theirs<'_>,
    ask: &Ask,
    ordinal: u64,
) -> (PersonAnswer, Option<Pending>) {
    let role = Role::from_word(&ask.role);
    let person = role.and_then(|role| scenario.people().find(|person| person.role == role));
    let (Some(role), Some(person)) = (role, person) else {
        let nobody = PersonAnswer {
            who: String::new(),
            answer: Answer::NoAnswer,
            after: SignedDuration::ZERO,
            words: None,
        };
        return (nobody, None);
    };
    let draw = company.chance.draw(role.as_str(), &ask.task, ordinal);
    let who = company
        .contacts
        .get(&role)
        .map(|contact| contact.name.clone())
        .unwrap_or_default();
    let decision = DECISIONS.contains(&ask.task.as_str());
    // What is said at one gate stands under the gate's name.
    let gate = ask.detail.get("gate").and_then(Value::as_str);
    let script = gate
        .filter(|_| decision)
        .and_then(|gate| person.tasks.iter().find(|script| script.task == gate))
        .or_else(|| person.tasks.iter().find(|script| script.task == ask.task))
        // What stands in for a right may be scripted for all kinds of things at once.
        .or_else(|| {
            let (word, _) = by_hand::parts(&ask.task)?;
            person.tasks.iter().find(|script| script.task == word)
        });
    let (answer, after, carried, hollow) = if let Some(script) = script {
        let after = script.after.pick(draw);
        match script.outcome {
            Outcome::Done if decision => (Answer::Approved, after, false, false),
            Outcome::Done => (Answer::Done, after, true, false),
            Outcome::SaysDone => (Answer::Done, after, true, true),
            Outcome::Refused => (Answer::Refused, after, false, false),
            Outcome::NoAnswer => (Answer::NoAnswer, after, false, false),
        }
    } else {
        let after = person.after.pick(draw);
        match person.answer {
            Decision::Approved if decision => (Answer::Approved, after, false, false),
            Decision::Approved => (Answer::Done, after, true, false),
            Decision::Refused => (Answer::Refused, after, false, false),
            Decision::NoAnswer => (Answer::NoAnswer, after, false, false),
        }
    };
    // The account that it is about, where there are several.
    let about = ask.detail.get("about").and_then(Value::as_str);
    let account = about
        .and_then(|name| world.user_id(name))
        .filter(|id| company.further.contains(id))
        .unwrap_or_else(|| company.affected.clone());
    // Nobody signs in to a blocked account; the user says so at once.
    let blocked =
        ask.task == FIRST_SIGN_IN && world.users.get(&account).is_none_or(|user| !user.enabled);
    if carried && !hollow && blocked {
        let refused = PersonAnswer {
            who,
            answer: Answer::Refused,
            after,
            words: None,
        };
        return (refused, None);
    }
    let told = ask.detail.get("what").and_then(Value::as_str);
    let told = told.unwrap_or_default().to_owned();
    let seen = carried
        .then(|| by_hand::answer(world, company, theirs, &ask.task, &told, hollow))
        .flatten();
    let pending = carried.then(|| Pending {
        role,
        account,
        task: ask.task.clone(),
        what: told,
        hollow,
    });
    // Whoever is asked about money says what is so.
    let words = (gate == Some("money")).then(|| {
        let moved = if scenario.money_moved { "yes" } else { "no" };
        moved.to_owned()
    });
    let words = words.or(seen);
    let said = PersonAnswer {
        who,
        answer,
        after,
        words,
    };
    (said, pending)
}

/// Carries a task out.
pub(crate) fn carry_out(
    world: &mut World,
    company: &mut Company,
    trace: &mut Trace,
    now: Timestamp,
    task: &Pending,
    theirs: &[Foothold],
) {
    let mut line = TraceLine::new(
        now,
        Actor::Person(task.role.as_str().to_owned()),
        Service::Person,
        &task.task,
    )
    .about(ObjectKind::Person, task.role.as_str());
    if !task.hollow {
        line.effect = match task.task.as_str() {
            WARN => Some(json!({"kind": "warned", "who": task.role.as_str()})),
            FIRST_SIGN_IN => {
                line = line.about(ObjectKind::Account, task.account.clone());
                first_sign_in(world, company, &task.account, now)
            }
            other if ELSEWHERE.contains(&other) => {
                line = line.about(ObjectKind::Account, task.account.clone());
                elsewhere(world, company, &task.account, now, other)
            }
            DELETE_APP_PASSWORDS => {
                line = line.about(ObjectKind::Account, task.account.clone());
                Some(delete_app_passwords(world, company, &task.account, now))
            }
            "client_side_rules" => Some(client_side_rules(world, company, &task.account)),
            other if by_hand::parts(other).is_some() => {
                line = line.about(ObjectKind::Account, company.affected.clone());
                let done = by_hand::carry_out(world, company, now, other, &task.what, theirs);
                Some(done)
            }
            other => Some(json!({"kind": "done", "task": other})),
        };
    }
    trace.push(line);
}

fn delete_app_passwords(
    world: &mut World,
    company: &Company,
    account: &str,
    now: Timestamp,
) -> Value {
    let me = account.to_owned();
    let origin = company.at_the_portal(world, Role::IdentityAdmin);
    world.delete_app_passwords(now, &origin, &me);
    json!({"kind": "done", "task": DELETE_APP_PASSWORDS, "touched": [
        {"kind": "app_password", "id": me, "effect": {"kind": "deleted"}},
    ]})
}

/// Somebody opens desktop Outlook and deletes the rules there that the owner did not
/// make.
fn client_side_rules(world: &mut World, company: &Company, account: &str) -> Value {
    let own: Vec<&str> = company
        .kept
        .iter()
        .filter(|kept| kept.object.kind == ObjectKind::ClientSideRule)
        .map(|kept| kept.object.id.as_str())
        .collect();
    let mut touched = Vec::new();
    if let Some(mailbox) = world.mailboxes.get_mut(account) {
        mailbox.client_side_rules.retain(|rule| {
            let keep = own.contains(&rule.id.as_str());
            if !keep {
                touched.push(json!({
                    "kind": "client_side_rule",
                    "id": rule.id,
                    "effect": {"kind": "deleted"},
                }));
            }
            keep
        });
    }
    json!({"kind": "done", "task": "client_side_rules", "touched": touched})
}

/// What is done where the account belongs. On-premises it takes effect here with
/// the next cycle of the synchronisation.
fn elsewhere(
    world: &mut World,
    company: &mut Company,
    account: &str,
    now: Timestamp,
    task: &str,
) -> Option<Value> {
    let me = account.to_owned();
    let text = format!(
        "Fresh-{}",
        world
            .next(&me, "password elsewhere")
            .text(b"abcdefghkmnpqrstuvwxyz23456789", 16)
    );
    let directory = world.users.get_mut(&me)?.on_premises.as_mut();
    let reset = match (task, directory) {
        ("disable_on_premises", Some(directory)) => {
            directory.enabled = false;
            false
        }
        ("enable_on_premises", Some(directory)) => {
            directory.enabled = true;
            false
        }
        ("reset_on_premises", Some(directory)) => {
            directory.new_password = Some(Password::new(&me, &text));
            true
        }
        ("home_tenant" | "federation_provider", None) => {
            world.provider_resets(now, &me, &text);
            true
        }
        // There is nothing of the kind.
        _ => return None,
    };
    if reset && let Some(habits) = company.habits.get_mut(&me) {
        habits.password = text;
        habits.client = None;
    }
    let mut touched = Vec::new();
    if reset {
        touched.push(json!({"kind": "password", "id": me, "effect": {"kind": "password_set"}}));
    }
    if matches!(task, "home_tenant" | "federation_provider") {
        touched.push(json!({"kind": "session", "id": me, "effect": {"kind": "revoked"}}));
    }
    Some(json!({"kind": "done", "task": task, "touched": touched}))
}

/// The affected user comes back: a temporary access pass from the help desk, a
/// sign-in on the own device, a new password, a new method.
fn first_sign_in(
    world: &mut World,
    company: &mut Company,
    account: &str,
    now: Timestamp,
) -> Option<Value> {
    let me = account.to_owned();
    let chance = company.chance;
    if !world.users.get(&me)?.enabled {
        return None;
    }
    let by_desk = company.at_the_portal(world, Role::HelpDesk);
    let office = company.office.enter(world, 2);
    let mut touched = Vec::new();
    // A pass that the responder made is used; otherwise the help desk makes one.
    let is_pass = |kind: &MethodKind| matches!(kind, MethodKind::TemporaryAccessPass { .. });
    let there = world
        .users
        .get(&me)?
        .methods
        .iter()
        .find(|method| is_pass(&method.kind))
        .map(|method| method.id.clone());
    let pass = there.unwrap_or_else(|| {
        let pass = world
            .next(&me, "access pass")
            .text(b"abcdefghkmnpqrstuvwxyz23456789+#", 10);
        world.add_method(
            now,
            &by_desk,
            &me,
            MethodKind::TemporaryAccessPass {
                pass,
                starts: now,
                minutes: 60,
                once: true,
            },
        )
    });

    let habits = company.habits.get(&me)?.clone();
    let origin = Origin::user(&me, known::OFFICE_HOME, &office, &habits.browser);
    let signed_in = add(now, SignedDuration::from_secs(90));
    let session = world.open_session(signed_in, &me, Class::NonPassword, true, &origin);
    let mut entry =
        world.sign_in_entry(signed_in, SignInKind::Interactive, &origin, Resource::Graph);
    entry.session = Some(session.clone());
    "multiFactorAuthentication".clone_into(&mut entry.requirement);
    "oAuth2".clone_into(&mut entry.protocol);
    entry.steps = vec![(String::from("Temporary Access Pass"), true)];
    world.record_sign_in(entry);

    let own = origin.clone().in_session(&session).through(Surface::Entra);
    let new_method = world.add_method(
        add(signed_in, SignedDuration::from_secs(60)),
        &own,
        &me,
        MethodKind::Authenticator {
            display_name: chance
                .draw(&me, "new phone", 0)
                .word(&names::PHONES)
                .to_owned(),
            device_tag: String::from("SoftwareTokenActivated"),
            version: format!(
                "6.{}.{}",
                chance.draw(&me, "new app", 0).between(2404, 2410),
                chance.draw(&me, "new app", 1).between(1000, 9000)
            ),
        },
    );
    touched.push(json!({"kind": "method", "id": new_method, "effect": {"kind": "created"}}));
    let text = format!(
        "{}-{}-{}",
        chance
            .draw(&me, "new password", 0)
            .word(&names::COMPANY_SECOND),
        chance.draw(&me, "new password", 1).word(&names::SURNAMES),
        world.next(&me, "new password number").below(90_000) + 10_000
    );
    // Whose password is mastered elsewhere has a new one from there already.
    let own_password = world
        .users
        .get(&me)
        .is_some_and(|user| user.on_premises.is_none() && !world.is_federated(user));
    let text = if own_password {
        text
    } else {
        habits.password.clone()
    };
    if own_password {
        touched.push(json!({"kind": "password", "id": me, "effect": {"kind": "password_set"}}));
        world.set_password(
            add(signed_in, SignedDuration::from_secs(80)),
            &own,
            &me,
            &text,
            false,
            CutKind::UserChangedPassword,
        );
    }
    // A pass for one use is gone after it.
    if let Some(user) = world.users.get_mut(&me) {
        user.methods.retain(|method| method.id != pass);
    }
    let scopes = [
        "Mail.ReadWrite",
        "Mail.Send",
        "MailboxSettings.ReadWrite",
        "User.Read",
    ]
    .map(String::from);
    let refresh = world.issue_refresh(signed_in, &session, known::OUTLOOK_WEB, &scopes);
    if let Some(habits) = company.habits.get_mut(&me) {
        habits.password = text;
        habits.client = refresh.map(|refresh| Client {
            refresh,
            session,
            turns: 1,
            desk: office,
        });
    }
    Some(json!({"kind": "first_sign_in", "touched": touched}))
}
