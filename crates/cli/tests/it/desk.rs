//! People who are not at the terminal: answers at gates, plan files, taking back,
//! looking again, closing.

use std::path::PathBuf;

use serde_json::Value;

use crate::json::follows;
use crate::stranger::{Home, Ran, Served};

/// A case that waits for its containment to be ordered, and what answers it.
struct Desk {
    home: Home,
    served: Served,
    case: String,
}

impl Desk {
    fn opened() -> Self {
        let home = Home::new();
        let served = Served::to(&home);
        let mut desk = Self {
            home,
            served,
            case: String::new(),
        };
        let waits = desk.respond(&[]);
        assert_eq!(waits.code, 1, "{}", waits.session());
        desk.case = desk.home.case();
        desk
    }

    fn respond(&self, more: &[&str]) -> Ran {
        let mut all = vec!["respond", self.served.user(), "--tenant", "lab"];
        all.extend(["--as", "Rosa Lind"]);
        all.extend(more);
        self.home.retake(&all)
    }

    /// A command on the case: its words, with CASE for the case's id.
    fn run(&self, command: &str) -> Ran {
        let words: Vec<String> = command
            .split('|')
            .flat_map(|part| match part.strip_prefix('=') {
                Some(text) => vec![text.to_owned()],
                None => part.split_whitespace().map(str::to_owned).collect(),
            })
            .map(|word| {
                if word == "CASE" {
                    self.case.clone()
                } else {
                    word
                }
            })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.home.retake(&words)
    }

    fn refused(&self, command: &str, code: &str, words: &str) {
        let before = self.records();
        let ran = self.run(command);
        assert_ne!(ran.code, 0, "{}", ran.session());
        assert!(
            ran.stderr.contains(&format!("error {code}")),
            "{}",
            ran.session()
        );
        assert!(ran.stderr.contains(words), "{words}: {}", ran.session());
        assert_eq!(self.records(), before, "nothing is recorded by a refusal");
    }

    fn document(&self, form: &str, command: &str) -> Value {
        let ran = self.run(&format!("{command} --json"));
        let document: Value = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", ran.session()));
        follows(form, &document);
        document
    }

    fn records(&self) -> usize {
        self.run("case log CASE --json").stdout.lines().count()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

#[test]
fn a_case_is_carried_by_people_who_answer_from_elsewhere_and_taken_back() {
    let desk = Desk::opened();
    let old = desk.file("old.json").display().to_string();
    let plan = desk.file("plan.json").display().to_string();

    // Gates that do not wait, names that are no gates, and files that are no plans.
    desk.refused(
        "approve CASE plan --as Ina",
        "RT2011",
        "the case waits at `contain`",
    );
    desk.refused("approve CASE now --as Ina", "RT2002", "second-person");
    desk.refused(
        "override CASE contain --as Ina --reason|= ",
        "RT2002",
        "reason is empty",
    );
    let written = desk.run(&format!("plan CASE --out|={old}"));
    assert_eq!(written.code, 0, "{}", written.session());
    let text = std::fs::read_to_string(&old).unwrap();
    follows("plan", &serde_json::from_str(&text).unwrap());
    for (bad, place, why) in [
        ("{\n \"schema\": ", "line 2", "EOF"),
        ("{\"schema\": \"retake.plan/9\"}", "schema", "retake.plan/1"),
        (&text.replace("Block sign-in", "Wave"), "digest", "edited"),
        (
            &text.replace(&desk.case, "2020-01-01-00000000"),
            "case",
            "not of",
        ),
        (
            &text.replacen('{', "{\"more\": 1, ", 1),
            "line 1",
            "unknown field",
        ),
    ] {
        let file = desk.file("bad.json");
        std::fs::write(&file, bad).unwrap();
        let command = format!("approve CASE contain --as Ina --plan|={}", file.display());
        desk.refused(&command, "RT2012", place);
        desk.refused(&command, "RT2012", why);
    }
    // The plan that was read is the plan that is approved.
    let approved = desk.document(
        "answer",
        &format!("approve CASE contain --as|=Ina Roth|--plan|={old}|"),
    );
    assert_eq!(approved["gate"], "contain");
    assert_eq!(approved["by"], "Ina Roth");
    assert_eq!(approved["stands"], "containing");
    let waits = desk.respond(&[]);
    assert!(
        waits.stderr.contains("gate `plan` waits"),
        "{}",
        waits.session()
    );

    // A later plan is another plan.
    desk.refused(
        &format!("approve CASE plan --as Ina --plan|={old}"),
        "RT1014",
        "plan: 1 → 2",
    );
    desk.document("plan", "plan CASE");
    desk.document(
        "answer",
        "approve CASE money --as|=Karla Maier|--answer|=not known|",
    );
    assert_eq!(desk.run(&format!("plan CASE --out|={plan}")).code, 0);
    let approve = format!("approve CASE plan --as|=Ina Roth|--plan|={plan}");
    assert_eq!(desk.run(&approve).code, 0);
    let log = desk.run("case log CASE").stdout;
    let digest: Value = serde_json::from_slice(&std::fs::read(&plan).unwrap()).unwrap();
    assert!(log.contains(digest["digest"].as_str().unwrap()), "{log}");

    // The block of a case that is under way is not undone, and the rest is not harmed.
    let before = desk.served.state();
    let block = desk.run("undo CASE --tenant lab --action 1 --as Ina --reason test");
    assert_eq!(block.code, 1);
    assert!(
        block.stdout.contains("RT1011") && block.stdout.contains("retake release"),
        "{}",
        block.session()
    );
    assert_eq!(desk.served.state(), before);
    // Before the watch there is nothing to watch and nothing to close.
    desk.refused("watch CASE --tenant lab", "RT2011", "has not begun");
    desk.refused("case close CASE --as Ina", "RT2011", "does not wait");

    let closed = desk.respond(&["--yes"]);
    assert_eq!(closed.code, 0, "{}", closed.session());
    let quiet = desk.document("watch", "watch CASE --tenant lab");
    assert_eq!(quiet["result"], "quiet");

    // Everything that can be is taken back, and what cannot be is named.
    let dry = desk.document("undo", "undo CASE --tenant lab --all --dry-run");
    assert_eq!(dry["dry_run"], true);
    let clean = desk.served.state();
    let undone = desk.document(
        "undo",
        "undo CASE --tenant lab --all --as|=Ina Roth|--reason|=it was theirs|",
    );
    let outcomes = |wanted: &str| {
        let actions = undone["actions"].as_array().unwrap();
        actions
            .iter()
            .filter(|one| one["outcome"] == wanted)
            .count()
    };
    assert_eq!(outcomes("stopped"), 0, "{undone:#}");
    let sent = dry["actions"].as_array().unwrap().iter();
    assert_eq!(
        outcomes("restored"),
        sent.filter(|one| one["call"].is_string()).count()
    );
    assert!(outcomes("refused") > 3);
    assert_ne!(desk.served.state(), clean);
    // A second time nothing is done, and the watch does not take it for a re-entry.
    let again = desk.served.state();
    let twice = desk.run("undo CASE --tenant lab --all --as Ina --reason again");
    assert_eq!(twice.code, 0, "{}", twice.session());
    assert!(
        twice.stdout.contains("was undone already"),
        "{}",
        twice.session()
    );
    assert_eq!(desk.served.state(), again);
    assert_eq!(
        desk.document("watch", "watch CASE --tenant lab")["result"],
        "quiet"
    );
}

#[test]
fn a_refusal_from_elsewhere_stops_the_case_and_an_override_says_why() {
    let desk = Desk::opened();
    assert_eq!(desk.run("approve CASE contain --as Ina --refuse").code, 0);
    let shown = desk.run("case show CASE").stdout;
    assert!(shown.contains("Ina refused"), "{shown}");
    // Taken up again, it asks again; and somebody goes on all the same.
    assert_eq!(desk.respond(&[]).code, 1);
    let order =
        desk.run("override CASE contain --as|=Ina Roth|--reason|=the bank is on the telephone");
    assert_eq!(order.code, 0, "{}", order.session());
    let log = desk.run("case log CASE").stdout;
    assert!(
        log.contains("overridden by Ina Roth: the bank is on the telephone"),
        "{log}"
    );
}
