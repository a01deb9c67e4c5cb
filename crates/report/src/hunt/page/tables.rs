//! The tables of the page: what each one's rows are.

use jiff::Timestamp;
use retake_hunt::event::{NO_TIME, Outcome};
use retake_hunt::retrace::{DeedKind, Deeds, Retraced};
use retake_hunt::{Analysis, By, Change, ForOrAgainst, HowRead, HuntReport};
use retake_playbook::ObjectKind;

use super::Sigma;
use crate::text::{Text, When, count};

/// A table ends here, and says how many rows more there are.
pub(super) const ROWS: usize = 5_000;

/// The timeline of one account ends here.
const LINES: usize = 2_000;

/// Rows under heads.
pub(super) struct Table {
    pub(super) heads: &'static [&'static str],
    pub(super) rows: Vec<Vec<Text>>,
    pub(super) more: usize,
    pub(super) none: &'static str,
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

pub(super) fn reasons(analysis: &Analysis) -> Table {
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

pub(super) fn evidence(analysis: &Analysis) -> Table {
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

pub(super) fn fingerprint(analysis: &Analysis) -> Table {
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

pub(super) fn changes(changes: &[Change]) -> Table {
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

pub(super) fn read(analysis: &Analysis) -> Table {
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

pub(super) fn sent(analysis: &Analysis) -> Table {
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

pub(super) fn posing(analysis: &Analysis) -> Table {
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

pub(super) fn items(analysis: &Analysis) -> Table {
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

pub(super) fn files(deeds: &Deeds, kind: DeedKind) -> Table {
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

pub(super) fn reached(analysis: &Analysis) -> Table {
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
            text(line.source.words()),
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

pub(super) fn own_ledger(analysis: &Analysis) -> Table {
    Table::new(LEDGER, "Nothing.", ledger_rows(&analysis.coverage))
}

pub(super) fn coverage(report: &HuntReport) -> Table {
    Table::new(
        LEDGER,
        "Nothing was read: no finding means nothing here.",
        ledger_rows(&report.coverage),
    )
}

pub(super) fn findings(report: &HuntReport, user: Option<&str>) -> Table {
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

pub(super) fn sigma(report: &HuntReport) -> Option<Sigma> {
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

pub(super) fn inputs(report: &HuntReport) -> Table {
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

pub(super) fn damaged(report: &HuntReport) -> Table {
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

pub(super) fn timeline(retraced: &Retraced) -> Table {
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
