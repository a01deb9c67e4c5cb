//! What the tenant closes to us: who is asked what, in which words, and what counts.

use jiff::SignedDuration;
use retake_playbook::errands::{self, quoted, yes_or_no};
use retake_playbook::event::{Analysis, Event, Fingerprint, Looked, Origin, Source, Stopped};
use retake_playbook::judge::{Verdict, judge, undecided};
use retake_playbook::machine::{Phase, standing_in_the_way, unseen};
use retake_playbook::{ActionKind, Command, ObjectKind};

use crate::story::{Story, change, method, rule};

const GRANT: &str = "a permission or role is missing. To go on, grant the application permission `AuditLogsQuery.Read.All` (Microsoft Graph) to the app a1: Entra admin centre, App registrations, API permissions, then admin consent.";

/// The logs as they came out, with these sources closed.
fn analysed(story: &mut Story, closed: &[(&str, &str, &str)]) {
    let changes = story.changes.clone();
    let sources = closed
        .iter()
        .map(|(name, code, why)| Source {
            name: (*name).to_owned(),
            looked: Looked::CouldNot,
            why: Some((*why).to_owned()),
            code: Some((*code).to_owned()),
        })
        .collect();
    story.tell(Event::Analysed(Analysis {
        quick: false,
        verdict: "unknown".into(),
        path: "unknown".into(),
        confidence: 0.0,
        reasons: vec![],
        first_known_bad: None,
        last_known_bad: None,
        fingerprint: Fingerprint::default(),
        changes,
        sent: vec![],
        impersonated: vec![],
        read: vec![],
        accounts: vec![],
        sources,
    }));
}

fn forwarding_away() -> Story {
    let mut story = Story::begin();
    story.objects = vec![rule("r-0815", "to my own", &["ada@home.test"])];
    story.go_to(Phase::Digging);
    story
}

fn verdict(story: &Story) -> (Verdict, String) {
    let judged = judge(&story.state).remove(0);
    (judged.verdict, judged.reasons.join("; "))
}

fn answer(story: &mut Story, said: &str) {
    let errand = errands::errands(&story.state)
        .into_iter()
        .find(|errand| errand.name.starts_with(errands::ASK) && errand.object.is_some())
        .unwrap();
    story.tell(Event::TaskOpened {
        task: errand.task,
        step: errand.step,
        who: errand.who.to_owned(),
        what: errand.what,
        object: errand.object,
    });
    story.tell(Event::TaskDone {
        task: errand.task,
        by: "Ines".into(),
        said: Some(said.to_owned()),
    });
}

#[test]
fn whose_a_rule_is_is_asked_where_no_log_can_ever_tell() {
    for code in ["RT3001", "RT3002", "RT3007"] {
        let mut story = forwarding_away();
        analysed(&mut story, &[("unified audit log", code, GRANT)]);
        let asked = errands::open(&story.state);
        let question = asked
            .iter()
            .find(|errand| errand.name == "ask_owner.inbox_rule")
            .unwrap_or_else(|| panic!("{code}: {asked:#?}"));
        assert_eq!(question.who, "user");
        assert_eq!(
            question.what,
            format!(
                "No log that can be read tells who made the inbox rule \"to my own\" (r-0815) of ada@example.test, which forwards to ada@home.test. The unified audit log could not be read: {GRANT} Ask the owner, at a telephone number that was known before and never by mail, whether they made it. Answer `yes` if it is theirs, `no` if it is not: then it is removed. To look at it: no page of the admin centres shows a mailbox's rules; Outlook on the web as the user (Settings, Mail, Rules) shows those that are not hidden; PowerShell: Get-InboxRule -Mailbox 'ada@example.test' -IncludeHidden | Format-List Name,Identity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo,MoveToFolder,DeleteMessage,MarkAsRead."
            ),
            "{code}"
        );
    }
}

#[test]
fn a_log_that_merely_failed_is_read_again_and_nobody_is_asked() {
    let mut story = forwarding_away();
    analysed(
        &mut story,
        &[("unified audit log", "RT4001", "the service did not answer")],
    );
    assert_eq!(errands::errands(&story.state), []);
    assert!(undecided(&story.state).iter().all(|open| !open.closed));
    assert!(unseen(&story.state).unwrap().contains("did not answer"));
}

#[test]
fn the_owners_word_decides_where_no_record_does_and_no_record_is_overruled() {
    let mut yes = forwarding_away();
    analysed(
        &mut yes,
        &[("unified audit log", "RT3007", "auditing is switched off")],
    );
    assert_eq!(verdict(&yes).0, Verdict::Unclear);
    answer(&mut yes, "yes");
    let (judged, why) = verdict(&yes);
    assert_eq!(judged, Verdict::Legitimate);
    assert!(why.contains("Ines says on"), "{why}");

    let mut no = forwarding_away();
    analysed(
        &mut no,
        &[("unified audit log", "RT3007", "auditing is switched off")],
    );
    answer(&mut no, "No, never seen it");
    assert_eq!(verdict(&no).0, Verdict::Foothold);

    // Neither is no answer.
    let mut unsure = forwarding_away();
    analysed(
        &mut unsure,
        &[("unified audit log", "RT3007", "auditing is switched off")],
    );
    answer(&mut unsure, "perhaps");
    assert_eq!(verdict(&unsure).0, Verdict::Unclear);
    assert!(
        errands::open(&unsure.state)
            .iter()
            .any(|errand| errand.name == "ask_owner.inbox_rule")
    );

    // A record that turns up later tells more than a memory.
    yes.changes = vec![change(
        ObjectKind::InboxRule,
        &["to my own"],
        "forwardto ada@home.test",
        Origin::Attacker,
    )];
    analysed(&mut yes, &[]);
    assert_eq!(verdict(&yes).0, Verdict::Foothold);
}

#[test]
fn an_answer_about_a_rule_is_none_about_what_becomes_of_it() {
    let mut story = forwarding_away();
    let closed = [("unified audit log", "RT3007", "auditing is switched off")];
    analysed(&mut story, &closed);
    answer(&mut story, "yes");
    assert_eq!(undecided(&story.state), []);
    story.objects[0].digest = crate::story::digest("another rule under the same id");
    story.snapshot();
    analysed(&mut story, &closed);
    assert_eq!(errands::owner_said(&story.state, &story.objects[0]), None);
}

/// A method that nobody lets us read.
fn unread_methods() -> Story {
    let mut story = Story::begin();
    story.unread = Some(ObjectKind::Method);
    story.go_to(Phase::Draining);
    // The story's unread source has no code: give it the one of a missing right.
    let mut closed = story.state.snapshot().unwrap().clone();
    for source in &mut closed.sources {
        if source.looked == Looked::CouldNot {
            source.code = Some("RT3001".into());
            source.why = Some(GRANT.replace(
                "AuditLogsQuery.Read.All",
                "UserAuthenticationMethod.ReadWrite.All",
            ));
        }
    }
    closed.snapshot += 1;
    closed.at = story.now;
    story.tell(Event::SnapshotTaken(closed));
    story
}

#[test]
fn what_cannot_be_read_is_looked_at_by_somebody_after_the_last_token_has_ended() {
    let mut story = unread_methods();
    let [errand] = &errands::open(&story.state)[..] else {
        panic!("{:#?}", errands::open(&story.state));
    };
    let errand = errand.clone();
    assert_eq!(errand.name, "look_by_hand.method");
    assert_eq!(
        errand.what,
        "The authentication methods could not be read: A permission or role is missing. To go on, grant the application permission `UserAuthenticationMethod.ReadWrite.All` (Microsoft Graph) to the app a1: Entra admin centre, App registrations, API permissions, then admin consent. Either have that granted and give the same command again, or somebody with the role Authentication Administrator looks: Entra admin centre, Users, ada@example.test, Authentication methods; PowerShell: Get-MgUserAuthenticationMethod -UserId 'ada@example.test'. With the owner on the telephone, go through every authentication method of ada@example.test. What the owner does not know: Delete (the default method last); PowerShell: Remove-MgUserAuthenticationPhoneMethod -UserId 'ada@example.test' -PhoneAuthenticationMethodId '…', and so for each kind. Keep a picture of each before. Answer with the name, id and time of each that was removed, or that there was none."
    );
    let done = |story: &mut Story| {
        story.tell(Event::TaskOpened {
            task: errand.task,
            step: errand.step,
            who: errand.who.to_owned(),
            what: errand.what.clone(),
            object: None,
        });
        story.tell(Event::TaskDone {
            task: errand.task,
            by: "Ines".into(),
            said: None,
        });
    };
    // While a token can live, whoever looked can have missed what was made afterwards.
    done(&mut story);
    assert!(!errands::is_settled(&story.state, &errand));
    story.now = story.state.access_ends_at().unwrap() + SignedDuration::from_secs(1);
    done(&mut story);
    assert!(errands::is_settled(&story.state, &errand));
    assert_eq!(unseen(&story.state), None);
}

#[test]
fn what_was_refused_is_asked_for_once_and_said_to_be_there_still_where_it_is() {
    let mut story = Story::begin();
    story.objects = vec![method(
        "m1",
        "phoneAuthenticationMethod",
        false,
        "mobile +1 555 0100",
    )];
    story.go_to(Phase::Evicting);
    let remove = story
        .state
        .plan_actions()
        .find(|action| action.planned.kind == ActionKind::RemoveMethod)
        .unwrap()
        .planned
        .action;
    story.stop(remove, Stopped::Refused);
    story.go_to(Phase::Halted);
    let Some(Command::HandOut(asked)) = story.commands().into_iter().next() else {
        panic!("{:?}", story.commands());
    };
    let errand = asked[0].clone();
    assert_eq!(errand.name, "remove_by_hand.method");
    for part in [
        "(m1)",
        "could not be removed, and still works",
        "PowerShell",
        "it is then read",
    ] {
        assert!(errand.what.contains(part), "{}", errand.what);
    }
    story.tell(Event::TaskOpened {
        task: errand.task,
        step: errand.step,
        who: errand.who.to_owned(),
        what: errand.what.clone(),
        object: errand.object.clone(),
    });
    story.tell(Event::TaskDone {
        task: errand.task,
        by: "Ines".into(),
        said: None,
    });
    let until = story.now;
    story.tell(Event::Waited { until });
    // The tenant shows it still.
    story.go_to(Phase::Halted);
    assert!(
        matches!(&story.commands()[..], [Command::Stop(_)]),
        "{:?}",
        story.commands()
    );
    let why = standing_in_the_way(&story.state);
    assert!(why.starts_with("Ines said on"), "{why}");
    assert!(why.contains("the tenant still shows it"), "{why}");
    // Whoever comes back to the case has it asked again.
    assert!(errands::to_ask(&story.state).is_empty());
}

#[test]
fn words_of_the_tenant_end_no_command() {
    assert_eq!(quoted("o'brien@example.test"), "'o''brien@example.test'");
    assert_eq!(
        quoted("a\u{2019}; Remove-Mailbox x"),
        "'a\u{2019}\u{2019}; Remove-Mailbox x'"
    );
    assert_eq!(quoted("a\nb"), "'a b'");
}

#[test]
fn yes_and_no_are_whole_words() {
    assert_eq!(yes_or_no(" Yes, mine"), Some(true));
    assert_eq!(yes_or_no("no: never"), Some(false));
    for unsure in ["", "nothing like that", "yesterday", "perhaps"] {
        assert_eq!(yes_or_no(unsure), None, "{unsure}");
    }
}
