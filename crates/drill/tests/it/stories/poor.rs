//! A tenant that shows little, and a responder who may do half: exact tasks instead of
//! silence.

use retake_drill::Run;
use retake_drill::score::Outcome;
use retake_playbook::event::{Event, Looked};
use retake_playbook::{ActionKind, ObjectKind, Phase, State, errands};

use super::{
    bundle_of, did, known_well, play, play_of, seeds, state_of, table, whereabouts, with_task,
};

/// What the responder cannot change here, and what it cannot even read.
const REFUSED: [ObjectKind; 4] = [
    ObjectKind::InboxRule,
    ObjectKind::MailboxForwarding,
    ObjectKind::OauthGrant,
    ObjectKind::AutoReply,
];

fn clean(run: &Run) -> State {
    let state = state_of(run);
    let score = &run.score;
    let at = format!("seed {}: {}", score.seed, whereabouts(&state));
    assert_eq!(score.faults(), Vec::<String>::new(), "{at}");
    assert_eq!(state.phase, Phase::Closed, "{at}");
    for held in &score.artefacts {
        assert!(!held.usable.ever(), "{held:?} {at}");
    }
    assert_eq!(score.collateral, [], "{at}");
    let radius = &score.blast_radius;
    for (what, known) in [
        ("sent", &radius.sent),
        ("changed", &radius.changed),
        ("accounts", &radius.accounts),
    ] {
        known_well(what, known, &at);
    }
    state
}

#[test]
fn what_the_tenant_closes_people_do_and_the_attacker_is_out() {
    for seed in seeds() {
        let run = play("poor-tenant", seed);
        let state = clean(&run);
        let score = &run.score;
        // Nothing here tells how they came in or what was read, and nothing is made up.
        assert!(!score.knowable.path && !score.knowable.read, "seed {seed}");
        assert_eq!(score.path.said, "unknown", "seed {seed}");
        assert_eq!(score.blast_radius.read.said, 0, "seed {seed}");
        // Some it removes itself, some people do in its place.
        assert!(
            did(&state).contains(&ActionKind::RemoveInboxRule),
            "seed {seed}"
        );
        let tasks = score
            .artefacts
            .iter()
            .filter(|held| held.outcome == Outcome::Task)
            .count();
        assert!(tasks >= 4, "seed {seed}: {tasks}");
    }
}

/// Every refusal and every source that could not be read has its task, with what is missing,
/// where to go, the cmdlet, the object and the answer that is expected.
#[test]
fn whatever_is_refused_or_unread_is_a_task_with_exact_words() {
    for seed in seeds() {
        let run = play("poor-tenant", seed);
        let state = state_of(&run);
        let tasks: Vec<&str> = state
            .tasks
            .values()
            .map(|task| task.what.as_str())
            .collect();
        let about = |parts: &[&str]| {
            assert!(
                tasks
                    .iter()
                    .any(|what| parts.iter().all(|part| what.contains(part))),
                "seed {seed}: no task says {parts:?}: {tasks:#?}"
            );
        };
        let bundle = bundle_of(&run);
        let unread: Vec<_> = bundle
            .records()
            .iter()
            .flat_map(|record| match &record.event {
                Event::SnapshotTaken(snapshot) => snapshot.sources.clone(),
                Event::Analysed(analysis) => analysis.sources.clone(),
                _ => Vec::new(),
            })
            .filter(|source| source.looked == Looked::CouldNot)
            .filter(|source| !source.name.ends_with("non-interactive"))
            .collect();
        assert!(unread.len() >= 4, "{unread:?}");
        for source in &unread {
            about(&[&source.name, "PowerShell"]);
        }
        for action in state
            .actions
            .values()
            .filter(|action| action.stopped.is_some())
        {
            let object = &action.planned.object;
            if REFUSED.contains(&object.kind) {
                about(&[
                    &object.id,
                    "could not be removed",
                    "To go on, g",
                    "PowerShell",
                    "Answer",
                ]);
            } else {
                about(&["Exchange Administrator", "Set-Mailbox", "Answer"]);
            }
        }
        about(&[
            "`UserAuthenticationMethod.ReadWrite.All`",
            "Authentication methods",
            "Get-MgUserAuthenticationMethod",
        ]);
        about(&[
            "`DelegatedPermissionGrant.ReadWrite.All`",
            "Remove-MgOauth2PermissionGrant",
        ]);
        about(&["no licence", "Sign-in logs"]);
        about(&["auditing is switched off", "Set-AdminAuditLogConfig"]);
    }
}

/// What nobody could read stays somebody's word, also at the end.
#[test]
fn what_is_not_known_is_said_and_what_was_only_said_is_told_as_that() {
    let run = play("poor-tenant", 1);
    let state = state_of(&run);
    let (_, closing) = state.closed.as_ref().unwrap();
    let unknown = closing.unknown.join("\n");
    for part in [
        "authentication methods could not be read at the end",
        "unified audit log could not be read",
        "not verified (S4.2)",
        "sign-ins, interactive could not be read",
    ] {
        assert!(unknown.contains(part), "{part}: {unknown}");
    }
    assert!(
        closing.first_access.contains("not known"),
        "{}",
        closing.first_access
    );
    assert!(
        closing
            .persistence
            .contains("people's word alone: authentication methods"),
        "{}",
        closing.persistence
    );
    // What the tenant shows was read, though a person did it.
    let verified = state
        .tasks
        .iter()
        .filter(|(number, task)| errands::is_number_of_errand(**number) && task.verified.is_some());
    assert!(verified.count() >= 3);
}

/// Says done, did nothing, and the tenant shows it: the case stays open, blocked, and names
/// what still works.
#[test]
fn whoever_says_done_and_did_nothing_is_caught_by_reading() {
    for (kind, artefact) in [("mailbox_forwarding", "A13"), ("app_consent", "A20")] {
        let (role, name) = if kind == "app_consent" {
            ("identity_admin", "app consent")
        } else {
            ("mail_admin", "mailbox forwarding")
        };
        let script =
            format!("task = \"remove_by_hand.{kind}\"\noutcome = \"says_done\"\nafter = \"3m\"");
        let run = play_of(&with_task(table("poor-tenant"), role, &script), 2);
        let state = state_of(&run);
        assert_eq!(
            state.phase,
            Phase::Halted,
            "{kind}: {}",
            whereabouts(&state)
        );
        assert!(
            state.effective.is_none() && state.restored_at.is_none(),
            "{kind}"
        );
        let why = whereabouts(&state);
        for part in ["said on", "the tenant still shows it", name] {
            assert!(why.contains(part), "{kind}: {part}: {why}");
        }
        let held = run
            .score
            .artefacts
            .iter()
            .find(|held| held.id.to_string() == artefact)
            .unwrap();
        assert_eq!(held.outcome, Outcome::Survived, "{kind}");
    }
}

#[test]
fn where_nobody_answers_the_case_stays_open_with_the_words_of_what_still_works() {
    for (role, task) in [
        ("mail_admin", "remove_by_hand"),
        ("identity_admin", "look_by_hand"),
        ("user", "ask_owner"),
    ] {
        for outcome in ["no_answer", "refused"] {
            let script = format!("task = \"{task}\"\noutcome = \"{outcome}\"\nafter = \"3m\"");
            let run = play_of(&with_task(table("poor-tenant"), role, &script), 1);
            let state = state_of(&run);
            let at = format!("{task} {outcome}: {}", whereabouts(&state));
            assert_eq!(state.phase, Phase::Halted, "{at}");
            assert!(state.effective.is_none() && state.is_contained(), "{at}");
            assert!(!state.account.as_ref().unwrap().enabled, "{at}");
            let open = errands::open(&state);
            assert!(
                open.iter().any(|errand| errand.name.starts_with(task)),
                "{at}"
            );
            let words = retake_playbook::machine::standing_in_the_way(&state);
            assert!(words.contains("PowerShell"), "{words}");
        }
    }
}

/// Who looks at what we cannot read and only says so cannot be caught by us: the case says
/// whose word it is, and the score sees what still works.
#[test]
fn a_word_that_nothing_can_check_is_no_finding_and_the_score_sees_through_it() {
    let script = "task = \"look_by_hand.method\"\noutcome = \"says_done\"\nafter = \"3m\"";
    let run = play_of(
        &with_task(table("poor-tenant"), "identity_admin", script),
        1,
    );
    let state = state_of(&run);
    let method = run
        .score
        .artefacts
        .iter()
        .find(|held| held.id.to_string() == "A04")
        .unwrap();
    assert_eq!(method.outcome, Outcome::Survived, "{}", whereabouts(&state));
    if let Some((_, closing)) = &state.closed {
        assert!(
            closing
                .unknown
                .iter()
                .any(|line| line.contains("not verified (S4.2)"))
        );
    }
}
