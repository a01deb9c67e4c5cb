//! A hunt as one page that loads nothing and runs nothing.

mod tables;

use askama::Template;
use jiff::Timestamp;
use retake_hunt::retrace::{Activity, DeedKind, Deeds, Retrace, Retraced};
use retake_hunt::{HuntReport, UserAnswer};

use self::tables::{
    ROWS, Table, changes, coverage, damaged, evidence, files, findings, fingerprint, inputs, items,
    own_ledger, posing, reached, read, reasons, sent, sigma, timeline,
};
use super::picture::{BEGIN, Bars, FEET, WIDTH, bars};
use super::{ledger, screen, sums};
use crate::ReportError;
use crate::text::{Text, When};

#[derive(Template)]
#[template(path = "hunt.html")]
struct Page {
    program: &'static str,
    as_of: When,
    title: Text,
    users: Vec<User>,
    others: Vec<(&'static str, u32, Text)>,
    others_more: usize,
    calm: Vec<Text>,
    unknown: Vec<Text>,
    findings: Table,
    sigma: Option<Sigma>,
    coverage: Table,
    inputs: Table,
    counts: Vec<(&'static str, u64)>,
    damaged: Table,
    width: f64,
    begin: f64,
    feet: [f64; 2],
}

struct Sigma {
    told: String,
    found: Table,
    refused: Table,
}

struct User {
    /// For links within the page: ours, never the account's name.
    anchor: String,
    name: Text,
    verdict: &'static str,
    bad: bool,
    score: u32,
    path: String,
    first: Text,
    last: Text,
    sums: Vec<(&'static str, Text, bool)>,
    pictures: Vec<(&'static str, Bars)>,
    theirs: &'static str,
    tables: Vec<(&'static str, Table)>,
}

/// The page. `as_of` is the time of asking.
pub fn page(
    report: &HuntReport,
    retrace: &Retrace<'_>,
    as_of: Timestamp,
) -> Result<String, ReportError> {
    let shown: Vec<&UserAnswer> = report
        .users
        .iter()
        .filter(|answer| retrace.user(&answer.user).is_some())
        .collect();
    let alarming = report.alarming().next();
    let ledger = alarming.map_or(&[][..], |answer| &answer.analysis.coverage);
    let counts = report.imported.counts;
    let others: Vec<&UserAnswer> = report
        .users
        .iter()
        .filter(|answer| retrace.user(&answer.user).is_none())
        .collect();
    let page = Page {
        program: env!("CARGO_PKG_VERSION"),
        as_of: When(as_of),
        title: alarming.map_or_else(
            || "Nobody stands out".into(),
            |answer| format!("{}: {}", answer.analysis.verdict.name(), answer.user).into(),
        ),
        users: shown
            .iter()
            .enumerate()
            .map(|(place, answer)| user(report, place, answer, retrace.user(&answer.user)))
            .collect(),
        others: others
            .iter()
            .take(ROWS)
            .map(|answer| {
                (
                    answer.analysis.verdict.name(),
                    answer.analysis.score,
                    answer.user.as_str().into(),
                )
            })
            .collect(),
        others_more: others.len().saturating_sub(ROWS),
        calm: ledger::covered(report)
            .into_iter()
            .map(Text::from)
            .collect(),
        unknown: ledger::unknown(report, ledger)
            .iter()
            .map(|unknown| unknown.told().into())
            .collect(),
        findings: findings(report, None),
        sigma: sigma(report),
        coverage: coverage(report),
        inputs: inputs(report),
        counts: vec![
            ("read", counts.read),
            ("kept", counts.kept),
            ("repeats", counts.repeats),
            ("damaged", counts.damaged),
        ],
        damaged: damaged(report),
        width: WIDTH,
        begin: BEGIN,
        feet: FEET,
    };
    Ok(page.render()?)
}

fn user(
    report: &HuntReport,
    place: usize,
    answer: &UserAnswer,
    retraced: Option<&Retraced>,
) -> User {
    let analysis = &answer.analysis;
    let none = Deeds::default();
    let deeds = retraced.map_or(&none, |retraced| &retraced.deeds);
    let known = |time: Option<Timestamp>, behind: Option<&retake_hunt::retrace::Behind>| {
        let Some(time) = time else {
            return Text::from("not known");
        };
        behind.map_or_else(
            || When(time).to_string().into(),
            |behind| {
                format!(
                    "{}, {}, record {} ({}, line {})",
                    When(time),
                    behind.operation,
                    behind.record_id,
                    behind.input,
                    behind.line
                )
                .into()
            },
        )
    };
    let theirs = screen::theirs(analysis.verdict);
    let picture = |name, activity: Option<&Activity>| {
        activity
            .filter(|activity| !activity.is_empty())
            .map(|activity| (name, bars(activity, theirs)))
    };
    let mut tables = vec![
        ("Reasons", reasons(analysis)),
        ("Paths of takeover", evidence(analysis)),
        ("What is only the attacker's", fingerprint(analysis)),
        ("Changes", changes(&analysis.changes)),
        ("Mail read", read(analysis)),
        ("Mail sent", sent(analysis)),
        ("Mail changed and deleted", items(analysis)),
    ];
    for (name, kind) in [
        ("Files opened and downloaded", DeedKind::Read),
        ("Files changed", DeedKind::Changed),
        ("Files deleted", DeedKind::Deleted),
        ("Shared", DeedKind::Shared),
    ] {
        tables.push((name, files(deeds, kind)));
    }
    if !analysis.impersonated.is_empty() {
        tables.push((
            "Sent in this name, never from the account",
            posing(analysis),
        ));
    }
    tables.push(("Who else", reached(analysis)));
    tables.push(("What the logs cover for this account", own_ledger(analysis)));
    tables.push(("Findings", findings(report, Some(&answer.user))));
    if let Some(retraced) = retraced {
        tables.push(("Timeline", timeline(retraced)));
    }
    User {
        anchor: format!("user-{}", place + 1),
        name: answer.user.as_str().into(),
        verdict: analysis.verdict.name(),
        bad: analysis.verdict.is_alarming(),
        score: analysis.score,
        path: screen::path_words(analysis),
        first: known(
            analysis.first_known_bad,
            retraced.and_then(|retraced| retraced.first.as_ref()),
        ),
        last: known(
            analysis.last_known_bad,
            retraced.and_then(|retraced| retraced.last.as_ref()),
        ),
        sums: sums::sums(&answer.user, analysis, deeds)
            .into_iter()
            .map(|sum| (sum.label, sum.answer.into(), sum.seen))
            .collect(),
        pictures: retraced.map_or_else(Vec::new, |retraced| {
            [
                picture("The whole time", retraced.activity.as_ref()),
                picture("Closer", retraced.closer.as_ref()),
            ]
            .into_iter()
            .flatten()
            .collect()
        }),
        theirs,
        tables,
    }
}
