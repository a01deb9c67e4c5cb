//! A hunt as one page that loads nothing and runs nothing.

use askama::Template;
use jiff::Timestamp;
use retake_hunt::event::{NO_TIME, Outcome};
use retake_hunt::retrace::{Activity, DeedKind, Deeds, Retrace, Retraced};
use retake_hunt::{Analysis, By, Change, ForOrAgainst, HowRead, HuntReport, UserAnswer, Verdict};
use retake_playbook::ObjectKind;

use super::picture::{BEGIN, Bars, FEET, WIDTH, bars};
use super::{ledger, screen, sums};
use crate::ReportError;
use crate::text::{Text, When, count};

/// A table ends here, and says how many rows more there are.
const ROWS: usize = 5_000;

/// The timeline of one account ends here.
const LINES: usize = 2_000;

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

/// Rows under heads.
struct Table {
    heads: &'static [&'static str],
    rows: Vec<Vec<Text>>,
    more: usize,
    none: &'static str,
}

impl Table {
    fn new(
        heads: &'static [&'static str],
        none: &'static str,
        rows: impl Iterator<Item = Vec<Text>>,
    ) -> Self {
        let mut all = rows;
        let kept: Vec<Vec<Text>> = all.by_ref().take(ROWS).collect();
        Self {
            heads,
            rows: kept,
            more: all.count(),
            none,
        }
    }
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
        bad: matches!(analysis.verdict, Verdict::Compromised | Verdict::Suspicious),
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

fn text(text: impl Into<String>) -> Text {
    Text::new(text)
}

fn or_dash(value: Option<&str>) -> Text {
    text(value.unwrap_or("–"))
}

fn when(time: Timestamp) -> Text {
    text(When(time).to_string())
}

/// Ids of records; of many the first ones.
fn ids(events: &[String]) -> Text {
    let named: Vec<&str> = events.iter().take(5).map(String::as_str).collect();
    let more = if events.len() > 5 {
        format!(" and {} more", events.len() - 5)
    } else {
        String::new()
    };
    text(format!("{}{more}", named.join(", ")))
}

fn reasons(analysis: &Analysis) -> Table {
    Table::new(
        &["Points", "Reason", "Records"],
        "None.",
        analysis.reasons.iter().map(|reason| {
            vec![
                text(reason.points.to_string()),
                text(&reason.text),
                ids(&reason.events),
            ]
        }),
    )
}

fn evidence(analysis: &Analysis) -> Table {
    Table::new(
        &["Path", "Speaks", "Evidence", "Records"],
        "None was considered.",
        analysis.path_evidence.iter().map(|evidence| {
            vec![
                text(evidence.path.name().replace('_', " ")),
                text(match evidence.for_or_against {
                    ForOrAgainst::For => "for",
                    ForOrAgainst::Against => "against",
                }),
                text(&evidence.text),
                ids(&evidence.events),
            ]
        }),
    )
}

fn fingerprint(analysis: &Analysis) -> Table {
    let print = &analysis.fingerprint;
    let networks: Vec<String> = print
        .networks
        .iter()
        .map(|number| format!("AS{number}"))
        .collect();
    let all = [
        ("address", &print.addresses),
        ("network", &networks),
        ("user agent", &print.user_agents),
        ("session", &print.sessions),
        ("token", &print.token_ids),
        ("app", &print.apps),
        ("device", &print.devices),
    ];
    Table::new(
        &["What", "Value"],
        "Nothing is known.",
        all.into_iter().flat_map(|(what, values)| {
            values
                .iter()
                .map(move |value| vec![text(what), text(value)])
        }),
    )
}

fn changes(changes: &[Change]) -> Table {
    Table::new(
        &[
            "Time",
            "What",
            "Name",
            "By",
            "Values",
            "Why, and what it raises",
            "Record",
        ],
        "None.",
        changes.iter().map(|change| {
            let values: Vec<String> = change
                .parameters
                .iter()
                .map(|(key, value)| match change.was.get(key) {
                    Some(was) if !was.is_empty() => format!("{key} = {value} (was {was})"),
                    _ => format!("{key} = {value}"),
                })
                .collect();
            let mut why = change.reasons.clone();
            if !change.detections.is_empty() {
                why.push(format!("raises {}", change.detections.join(", ")));
            }
            vec![
                when(change.at),
                text(format!(
                    "{} ({})",
                    change.object_kind.words(),
                    change.operation
                )),
                or_dash(change.name.as_deref()),
                text(match change.by {
                    By::Attacker => "attacker",
                    By::User => "user",
                    By::Responder => "responder",
                    By::Unknown => "not known",
                }),
                text(values.join("; ")),
                text(why.join("; ")),
                text(&change.record_id),
            ]
        }),
    )
}

fn read(analysis: &Analysis) -> Table {
    Table::new(
        &[
            "Time",
            "Folder",
            "Subject",
            "Message id",
            "How it is known",
            "Record",
        ],
        "None is recorded.",
        analysis.blast.read.iter().map(|mail| {
            vec![
                when(mail.at),
                or_dash(mail.folder.as_deref()),
                or_dash(mail.subject.as_deref()),
                or_dash(mail.message_id.as_deref()),
                text(match mail.how {
                    HowRead::Bind => "the message is listed",
                    HowRead::Sync => "its folder was synchronised as a whole",
                    HowRead::Throttled => "recording was throttled: assume everything for 24 hours",
                }),
                text(&mail.record_id),
            ]
        }),
    )
}

fn sent(analysis: &Analysis) -> Table {
    Table::new(
        &["Time", "Subject", "Recipients", "Message id", "Records"],
        "None is recorded.",
        analysis.blast.sent.iter().map(|mail| {
            vec![
                when(mail.at),
                or_dash(mail.subject.as_deref()),
                text(mail.recipients.join(", ")),
                or_dash(mail.message_id.as_deref()),
                ids(&mail.events),
            ]
        }),
    )
}

fn posing(analysis: &Analysis) -> Table {
    Table::new(
        &[
            "Time",
            "Subject",
            "Recipients",
            "Handed over by",
            "Message id",
        ],
        "None.",
        analysis.impersonated.iter().map(|mail| {
            vec![
                when(mail.at),
                or_dash(mail.subject.as_deref()),
                text(mail.recipients.join(", ")),
                text(&mail.address),
                text(&mail.message_id),
            ]
        }),
    )
}

fn items(analysis: &Analysis) -> Table {
    Table::new(
        &["Time", "Operation", "Messages", "Record"],
        "None is recorded.",
        analysis
            .blast
            .changed
            .iter()
            .filter(|item| item.kind == ObjectKind::Message)
            .map(|item| {
                vec![
                    when(item.at),
                    text(&item.operation),
                    ids(&item.ids),
                    text(&item.record_id),
                ]
            }),
    )
}

fn files(deeds: &Deeds, kind: DeedKind) -> Table {
    let list = deeds.list(kind);
    let kept = list.len();
    let mut table = Table::new(
        &["Time", "Operation", "What", "With", "Record"],
        "None is recorded.",
        list.into_iter().map(|deed| {
            vec![
                when(deed.at),
                text(&deed.operation),
                or_dash(deed.object.as_deref()),
                or_dash(deed.with.as_deref()),
                text(&deed.record_id),
            ]
        }),
    );
    let all = usize::try_from(deeds.count(kind)).unwrap_or(usize::MAX);
    table.more += all.saturating_sub(kept);
    table
}

fn reached(analysis: &Analysis) -> Table {
    Table::new(
        &["Account", "Got in", "How", "Records"],
        "Nobody else was seen with the attacker.",
        analysis.blast.accounts.iter().map(|account| {
            vec![
                text(&account.user),
                text(if account.entered { "yes" } else { "tried" }),
                text(&account.how),
                ids(&account.events),
            ]
        }),
    )
}

/// A source's line of the ledger, its gaps below it.
fn ledger_rows(lines: &[retake_hunt::Coverage]) -> impl Iterator<Item = Vec<Text>> + '_ {
    lines.iter().map(|line| {
        let span = line.from.zip(line.to).map_or_else(
            || text("–"),
            |(from, to)| text(format!("{} to {}", When(from), When(to))),
        );
        let gaps: Vec<String> = line
            .gaps
            .iter()
            .map(|gap| match gap.from.zip(gap.to) {
                Some((from, to)) => format!("{} ({} to {})", gap.why, When(from), When(to)),
                None => gap.why.clone(),
            })
            .collect();
        vec![
            text(ledger::words(line.source)),
            span,
            text(line.events.to_string()),
            text(gaps.join("; ")),
        ]
    })
}

const LEDGER: &[&str] = &[
    "Log",
    "Covers",
    "Events",
    "Not known, and what that leaves open",
];

fn own_ledger(analysis: &Analysis) -> Table {
    Table::new(LEDGER, "Nothing.", ledger_rows(&analysis.coverage))
}

fn coverage(report: &HuntReport) -> Table {
    Table::new(
        LEDGER,
        "Nothing was read: no finding means nothing here.",
        ledger_rows(&report.coverage),
    )
}

fn findings(report: &HuntReport, user: Option<&str>) -> Table {
    Table::new(
        &[
            "Severity",
            "Detection",
            "Account",
            "When",
            "Events",
            "Why it matters",
            "Records",
        ],
        "None.",
        report
            .findings
            .iter()
            .filter(move |finding| user.is_none_or(|user| finding.user == user))
            .map(|finding| {
                vec![
                    text(finding.severity.name()),
                    text(format!("{} {}", finding.detection, finding.title)),
                    if finding.user.is_empty() {
                        text("no user named")
                    } else {
                        text(&finding.user)
                    },
                    if finding.first == finding.last {
                        when(finding.first)
                    } else {
                        text(format!("{} to {}", When(finding.first), When(finding.last)))
                    },
                    text(finding.count.to_string()),
                    text(format!(
                        "{} ({})",
                        finding.why,
                        finding.technique.join(", ")
                    )),
                    ids(&finding.events),
                ]
            }),
    )
}

fn sigma(report: &HuntReport) -> Option<Sigma> {
    let answer = &report.sigma;
    (answer.rules + answer.refused.len() > 0).then(|| Sigma {
        told: format!(
            "{} run, {} refused",
            count(answer.rules, "rule", "rules"),
            answer.refused.len()
        ),
        found: Table::new(
            &["Severity", "Rule", "Author", "Account", "Events", "Records"],
            "No rule matched.",
            answer.findings.iter().map(|finding| {
                vec![
                    text(finding.severity.name()),
                    text(format!("{} {}", finding.title, finding.rule)),
                    text(if finding.author.is_empty() {
                        "not named"
                    } else {
                        &finding.author
                    }),
                    text(&finding.user),
                    text(finding.count.to_string()),
                    ids(&finding.events),
                ]
            }),
        ),
        refused: Table::new(
            &["Rule", "Why it was not run"],
            "None was refused.",
            answer
                .refused
                .iter()
                .map(|refused| vec![text(&refused.path), text(&refused.reason)]),
        ),
    })
}

fn inputs(report: &HuntReport) -> Table {
    Table::new(
        &[
            "Input", "Form", "Read", "Kept", "Repeats", "Damaged", "Notes",
        ],
        "None.",
        report.imported.inputs.iter().map(|input| {
            let counts = input.counts;
            vec![
                text(&input.path),
                text(input.form.name()),
                text(counts.read.to_string()),
                text(counts.kept.to_string()),
                text(counts.repeats.to_string()),
                text(counts.damaged.to_string()),
                text(input.notes.join("; ")),
            ]
        }),
    )
}

fn damaged(report: &HuntReport) -> Table {
    Table::new(
        &["File", "Line", "Why", "What can be told of it"],
        "None.",
        report.imported.damaged.iter().map(|record| {
            let salvaged = &record.salvaged;
            let parts: Vec<String> = [
                salvaged.time.map(|time| When(time).to_string()),
                salvaged.user.clone(),
                salvaged.operation.clone(),
            ]
            .into_iter()
            .flatten()
            .collect();
            vec![
                text(&record.path),
                text(record.line.to_string()),
                text(&record.reason),
                text(if parts.is_empty() {
                    "–".to_owned()
                } else {
                    parts.join(", ")
                }),
            ]
        }),
    )
}

fn timeline(retraced: &Retraced) -> Table {
    let lines = retraced.lines();
    let all = lines.len();
    // What the attacker did is never left out for what the user did.
    let theirs = lines.iter().filter(|line| line.whose.is_theirs()).count();
    let mut room = LINES.saturating_sub(theirs.min(LINES));
    let mut table = Table::new(
        &[
            "Time",
            "Whose",
            "Operation",
            "Outcome",
            "Address",
            "What",
            "Record",
        ],
        "No event of the account is there.",
        lines
            .into_iter()
            .filter(|line| {
                if line.whose.is_theirs() {
                    return true;
                }
                let fits = room > 0;
                room = room.saturating_sub(1);
                fits
            })
            .take(LINES)
            .map(|line| {
                vec![
                    if line.time == NO_TIME {
                        text("no time")
                    } else {
                        when(line.time)
                    },
                    text(line.whose.name().replace('_', " ")),
                    text(&line.operation),
                    text(match line.outcome {
                        Outcome::Success => "success",
                        Outcome::Failure => "failure",
                        Outcome::Unknown => "–",
                    }),
                    text(
                        line.address
                            .map_or_else(|| "–".to_owned(), |address| address.to_string()),
                    ),
                    or_dash(line.object.as_deref()),
                    text(&line.record_id),
                ]
            }),
    );
    let omitted = usize::try_from(retraced.omitted).unwrap_or(usize::MAX);
    table.more += (all - table.rows.len() - table.more).saturating_add(omitted);
    table
}
