//! Each command once, as a stranger uses it, and the help that leads there.

use insta::assert_snapshot;
use serde_json::Value;

use crate::stranger::{Home, Served, named};

#[test]
fn the_help_names_every_command() {
    let home = Home::new();
    let help = home.retake(&["--help"]);
    named(&home, None, || {
        assert_snapshot!(help.session(), @r"
$ retake --help
How to say it: the retake binary.

Usage: retake [OPTIONS] <COMMAND>

Commands:
  drill        Practise: a takeover in the lab, the response, and the score
  lab          Serve a lab tenant with a live attacker in it
  respond      Take an account back, from the alert to the closed case. The same command resumes
  contain      Block sign-in and revoke sessions, verified; the first ten seconds alone
  release      Take a containment back
  plan         Write the present plan of a case to a file, to be read and approved elsewhere
  approve      Answer the gate that waits, in your name. Nothing is carried out by it
  override     Open a gate whose condition does not hold, with a reason that stays
  undo         Take actions of a case back, in any order, or all that can be
  watch        Look whether something came back; reopens the case if so
  tenant       Profiles of tenants: how each is reached, and what the responder may do there
  teardown     Take away what Retake holds in a tenant and on this machine. Cases stay
  case         Read, export and verify cases
  hunt         Find out from exported logs what happened
  sql          Ask the table of events that a hunt left, in SQL
  explain      Explain a code of the error book, a step, a gate or an artefact
  completions  Print what makes a shell complete commands and options
  man          Print a manual page, or write all of them
  help         Print this message or the help of the given subcommand(s)

Options:
      --home <DIR>  Where cases, profiles and the lab's address are kept [env: RETAKE_HOME]
      --json        One JSON document for programs instead of words (docs/reference/schemas)
  -h, --help        Print help
  -V, --version     Print version
[exit 0]
");
    });
    assert_eq!(help.code, 0);
    assert_eq!(home.names(), Vec::<String>::new());
}

#[test]
fn the_reference_of_commands_is_what_the_program_prints() {
    let home = Home::new();
    let pages = [
        ("commands", "docs/reference/commands.md"),
        ("catalogue", "docs/reference/catalogue.md"),
        ("playbook", "docs/reference/playbook.md"),
        ("permissions", "docs/reference/permissions.md"),
        ("errors", "docs/errors/README.md"),
    ];
    for (page, file) in pages {
        let printed = home.retake(&["docs", page]);
        assert_eq!(printed.code, 0);
        let path = format!("{}/../../{file}", env!("CARGO_MANIFEST_DIR"));
        let kept = std::fs::read_to_string(&path).unwrap();
        assert!(
            printed.stdout.trim_end() == kept.trim_end(),
            "{file} is not what `retake docs {page}` prints: `cargo xtask docs` writes it"
        );
    }
}

#[test]
fn every_code_of_the_error_book_is_explained() {
    let home = Home::new();
    let index = home.retake(&["explain"]).stdout;
    let codes: Vec<&str> = index
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("RT")?.get(..4))
        .collect();
    assert!(codes.len() > 20, "{index}");
    for about in ["S3.5", "return", "A09"] {
        assert!(index.contains(&format!("\n  {about} ")), "{about}: {index}");
    }
    for code in codes {
        let page = home.retake(&["explain", &format!("rt{code}")]);
        assert_eq!(page.code, 0);
        assert!(page.stdout.starts_with(&format!("# RT{code}: ")));
    }
}

#[test]
fn contain_blocks_and_revokes_and_release_takes_it_back() {
    let home = Home::new();
    let served = Served::to(&home);
    let before = served.state();
    let user = served.user();
    let ran = home.retake(&["contain", user, "--tenant", "lab", "--as", "Robin", "--yes"]);
    named(&home, Some(&served), || {
        assert_snapshot!(ran.without_view(), @r#"
$ retake contain [USER] --tenant lab --as Robin --yes

S1.7 gate `contain`: Block sign-in and revoke all sessions now?
  [NAME] <[USER]>, Accounts payable specialist, Finance

  S2.1 Block sign-in: [USER]
    why:     nobody can sign in as this account while it is being cleaned
    breaks:  the user cannot sign in anywhere; mail still arrives; Exchange comes back up to 40 min after release
    undo:    set accountEnabled to true again (retake release)
    effect:  new sign-ins at once; apps with continuous access evaluation within 15 min
    PATCH https://localhost:[PORT]/v1.0/users/[ID]
    {"accountEnabled":false}
    PS> Update-MgUser -UserId '[ID]' -AccountEnabled:$false

  S3.1 Revoke sessions: [USER]
    why:     ends every refresh token and session cookie
    breaks:  the user is signed out everywhere
    undo:    cannot be undone: ended sessions cannot be given back; the user signs in again
    effect:  refresh within a few minutes; access tokens without continuous access evaluation live on up to 90 min
    POST https://localhost:[PORT]/v1.0/users/[ID]/revokeSignInSessions
    {}
    PS> Revoke-MgUserSignInSession -UserId '[ID]'
  if refused: Nothing is changed; the case stays open for investigation.

contained: sign-in is blocked and sessions are revoked, both verified.
Rules, forwards, consents and methods are still as they are: `retake respond` goes on.
[exit 0]
"#);
    });
    assert_eq!(ran.code, 0);
    assert_eq!(served.changes(), 2, "one block, one revoke, nothing else");
    let mut contained = served.state();
    assert_eq!(contained["users"][user]["accountEnabled"], false);
    contained["users"][user]["accountEnabled"] = true.into();
    assert_eq!(without_attack(contained), without_attack(before.clone()));

    let again = home.retake(&["contain", user, "--tenant", "lab", "--as", "Robin", "--yes"]);
    assert_eq!(again.code, 0, "{}", again.session());
    assert_eq!(served.changes(), 2, "it is contained already");

    let released = home.retake(&[
        "release",
        user,
        "--tenant",
        "lab",
        "--as",
        "Robin",
        "--reason",
        "a false alarm",
    ]);
    named(&home, Some(&served), || {
        assert_snapshot!(released.without_view(), @r"
$ retake release [USER] --tenant lab --as Robin --reason a false alarm

closed: case [CASE]
  first access: not looked at
  persistence: none found
  impact: not looked at

  retake case export [CASE] --out [CASE].tar
  retake case report [CASE] --out .
  fingerprint of this store's key: [FINGERPRINT]
[exit 0]
");
    });
    assert_eq!(released.code, 0);
    assert_eq!(served.changes(), 3);
    assert_eq!(without_attack(served.state()), without_attack(before));
    assert!(home.cases()[0]["closed"].as_bool().unwrap());
}

/// The attacker goes on while we work, and is not what is compared here.
fn without_attack(mut state: Value) -> Value {
    for user in state["users"].as_object_mut().unwrap().values_mut() {
        user.as_object_mut().unwrap().remove("riskState");
    }
    state
}

#[test]
fn release_without_a_containment_changes_nothing() {
    let home = Home::new();
    let served = Served::to(&home);
    let before = served.state();
    let ran = home.retake(&[
        "release",
        served.user(),
        "--tenant",
        "lab",
        "--as",
        "Robin",
        "--reason",
        "a false alarm",
    ]);
    named(&home, Some(&served), || {
        assert_snapshot!(ran.without_view(), @r"
$ retake release [USER] --tenant lab --as Robin --reason a false alarm

closed: case [CASE]
  first access: not looked at
  persistence: none found
  impact: not looked at

  retake case export [CASE] --out [CASE].tar
  retake case report [CASE] --out .
  fingerprint of this store's key: [FINGERPRINT]
[exit 0]
");
    });
    assert_eq!(served.state(), before);
    assert_eq!(served.changes(), 0);
}

#[test]
fn a_case_can_be_listed_shown_read_exported_verified_and_reported() {
    let home = Home::new();
    let served = Served::to(&home);
    let none = home.retake(&["case", "list"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, ""));
    let ran = home.retake(&[
        "respond",
        served.user(),
        "--tenant",
        "lab",
        "--as",
        "Robin",
        "--yes",
        "--alert",
        "telephone call",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.session());
    let case = home.case();

    let listed = home.retake(&["case", "list"]);
    named(&home, Some(&served), || {
        assert_snapshot!(listed.session(), @r"
$ retake case list
[CASE]  closed  [TIME]  [USER]
[exit 0]
");
    });

    let shown = home.retake(&["case", "show", &case]);
    assert_eq!(shown.code, 0);
    assert!(shown.stdout.contains("telephone call"), "{}", shown.stdout);
    assert!(shown.stdout.contains("stands   Closed"), "{}", shown.stdout);
    let state = home.retake(&["case", "show", &case, "--json"]).json();
    assert_eq!(state["schema"], "retake.state/1");
    assert_eq!(state["state"]["phase"], "closed");

    let log = home.retake(&["case", "log", &case]);
    let lines = home.retake(&["case", "log", &case, "--json"]);
    let records: Vec<Value> = lines
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(log.stdout.lines().count(), records.len());
    for (before, after) in records.iter().zip(&records[1..]) {
        assert_eq!(
            before["hash"], after["previous"],
            "each record names the one before"
        );
    }

    let out = home.path().join("out");
    let file = out.join("case.tar");
    std::fs::create_dir(&out).unwrap();
    let file = file.to_str().unwrap();
    let exported = home.retake(&["case", "export", &case, "--out", file]);
    assert_eq!(exported.code, 0, "{}", exported.session());
    let fingerprint = exported.stdout.trim();
    assert!(
        ran.stderr.contains(fingerprint),
        "the fingerprint was shown when the case was closed"
    );
    let proven = home.retake(&["case", "verify", file, "--key", fingerprint]);
    assert_eq!(proven.code, 0, "{}", proven.session());
    assert!(
        proven
            .stdout
            .contains(&format!("{} records", records.len()))
    );
    // Without its home a case can be verified all the same.
    let elsewhere = Home::new().retake(&["case", "verify", file]);
    assert_eq!(elsewhere.code, 0, "{}", elsewhere.session());
    assert!(elsewhere.stderr.contains(fingerprint));

    let reported = home.retake(&["case", "report", &case, "--out", out.to_str().unwrap()]);
    assert_eq!(reported.code, 0, "{}", reported.session());
    let files: Vec<&str> = reported.stdout.lines().collect();
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(
            text.contains(&case) && text.contains(served.user()),
            "{path}"
        );
    }
    let ends = [
        ".html",
        ".md",
        ".json",
        ".attestation.json",
        "fraud-pack.txt",
        "user-briefing.txt",
        "related-secrets.txt",
    ];
    assert_eq!(files.len(), ends.len(), "{files:?}");
    for end in ends {
        assert!(
            files.iter().any(|file| file.ends_with(end)),
            "{end}: {files:?}"
        );
    }

    let again = home.retake(&["respond", served.user(), "--tenant", "lab"]);
    assert_eq!(again.code, 1, "a closed case is over: {}", again.session());
    assert_eq!(home.cases().len(), 2, "a new alert is a new case");
}

#[test]
fn a_score_as_json_has_every_key_in_every_run() {
    let home = Home::new();
    let ran = home.retake(&["drill", "--compare", "--json"]);
    let scores = ran.json();
    assert_eq!(ran.stderr, "", "no talk beside the data");
    assert_eq!(scores["schema"], "retake.score/1");
    let runs = scores["runs"].as_array().unwrap();
    assert!(runs.len() >= 5, "retake and four controls");
    assert_eq!(runs[0]["sequence"], "retake");
    for run in runs {
        for path in [
            "scenario",
            "sequence",
            "seed",
            "artefacts",
            "collateral",
            "order_violations",
            "changes_without_evidence",
            "claims_not_verified",
            "clock/first_block",
            "clock/revoked",
            "clock/evicted",
            "clock/finance_warned",
            "clock/closed",
            "leaked_after_block/messages",
            "leaked_after_block/bytes",
            "calls/total",
            "calls/throttled",
            "calls/failed",
            "calls/retried",
            "attacker_after_containment/tokens",
            "attacker_after_containment/reads",
            "attacker_after_containment/sends",
            "attacker_after_containment/changes",
            "attacker_after_containment/through",
            "path/truth",
            "path/said",
            "path/confidence",
            "blast_radius/read/precision",
            "blast_radius/sent/recall",
            "blast_radius/changed/truth",
            "blast_radius/accounts/said",
            "warned/due",
            "warned/done",
        ] {
            let pointer = format!("/{path}");
            assert!(
                run.pointer(&pointer).is_some(),
                "{}: {path}",
                run["sequence"]
            );
        }
        for artefact in run["artefacts"].as_array().unwrap() {
            for instant in ["at_end", "after_restore", "after_24h"] {
                assert!(artefact["usable"][instant].is_boolean(), "{artefact}");
            }
        }
    }
    let clean = |run: &Value| {
        run["collateral"].as_array().unwrap().is_empty()
            && run["artefacts"]
                .as_array()
                .unwrap()
                .iter()
                .all(|artefact| artefact["usable"]["after_24h"] == false)
    };
    assert!(clean(&runs[0]), "{}", runs[0]);
    assert!(
        runs[1..].iter().all(|run| !clean(run)),
        "a control is not clean"
    );
    assert_eq!(
        ran.code, 0,
        "the code is about retake, not about the controls"
    );
}

#[test]
fn a_comparison_shows_retake_and_the_controls_side_by_side() {
    let home = Home::new();
    let ran = home.retake(&["drill", "--all", "--compare"]);
    let tables: Vec<&str> = ran.stdout.split("\n\n").collect();
    let scenarios: Vec<&str> = retake_lab::Scenario::names().collect();
    assert_eq!(
        tables.len(),
        scenarios.len(),
        "a table for each scenario: {}",
        ran.stdout
    );
    for (table, scenario) in tables.iter().zip(scenarios) {
        assert!(table.trim_start().starts_with(scenario), "{table}");
        let row = |name: &str| -> Vec<&str> {
            let line = table
                .lines()
                .find_map(|line| line.trim_start().strip_prefix(name))
                .unwrap_or_else(|| panic!("{name}: {table}"));
            line.split("  ")
                .map(str::trim)
                .filter(|c| !c.is_empty())
                .collect()
        };
        // The controls stand in their columns, and a score that cannot fail would show.
        for name in [
            "usable at the end",
            "usable once sign-in is back",
            "usable a day later",
            "survivors",
            "collateral",
            "order violations",
            "changes without evidence",
            "claims not verified",
            "leaked after the block",
            "first block, slowest",
            "path of takeover right",
            "people warned",
        ] {
            let columns = retake_drill::rehearsals::sequences().count();
            assert_eq!(row(name).len(), columns, "{name}: {table}");
        }
        assert_eq!(row("clean runs")[0], "1 of 1", "{table}");
    }
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_drill_keeps_what_it_is_told_to_keep() {
    let home = Home::new();
    let (dir, trace) = (home.path().join("kept"), home.path().join("trace.jsonl"));
    let ran = home.retake(&[
        "drill",
        "--quiet",
        "--seed",
        "3",
        "--keep",
        dir.to_str().unwrap(),
        "--trace",
        trace.to_str().unwrap(),
    ]);
    assert_eq!(ran.code, 0, "{}", ran.session());
    assert!(
        ran.stdout
            .contains("score  invoice-fraud · seed 3 · retake")
    );
    let case = dir.join("invoice-fraud-3.tar");
    let proven = home.retake(&["case", "verify", case.to_str().unwrap()]);
    assert_eq!(proven.code, 0, "{}", proven.session());
    assert!(dir.join("invoice-fraud-3.html").is_file());
    assert!(dir.join("invoice-fraud-3.md").is_file());
    let lines = std::fs::read_to_string(trace).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["service"], "scenario");
}
