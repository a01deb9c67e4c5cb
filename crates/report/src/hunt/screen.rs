//! The answer on one screen.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use anstyle::{AnsiColor, Style};
use retake_hunt::retrace::{Deeds, Retrace, Retraced};
use retake_hunt::sigma::SigmaAnswer;
use retake_hunt::{
    Analysis, ForOrAgainst, HuntReport, Path, PathEvidence, Severity, UserAnswer, Verdict,
};

use super::layout::{Look, Sheet, fit};
use super::{ledger, picture, sums};
use crate::text::{When, count};
use unicode_width::UnicodeWidthStr as _;

pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const DOUBT: Style = AnsiColor::Yellow.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const STRONG: Style = Style::new().bold();
pub(super) const QUIET: Style = Style::new().dimmed();

/// At most so many lines of one kind; the page and the document have all.
const FEW: usize = 3;

/// Accounts that were taken are named as far as a screen allows: each has to be taken back.
const MOST_TAKEN: usize = 8;

/// What can be typed next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// The files of the hunt, as they were typed, ready to be typed again.
    pub files: String,
    /// A report is being written in this run.
    pub reported: bool,
}

/// The answer: the worst account in full, the others on a line each, what is
/// not known, and what to do next.
pub fn screen(report: &HuntReport, retrace: &Retrace<'_>, look: Look, next: &Next) -> String {
    let mut sheet = Sheet::new(look);
    let alarming: Vec<&UserAnswer> = report.alarming().collect();
    match alarming.split_first() {
        Some((worst, others)) => {
            account(&mut sheet, worst, retrace.user(&worst.user));
            also(&mut sheet, others);
        }
        None => nobody(&mut sheet, report),
    }
    let ledger = alarming
        .first()
        .map_or(&[][..], |answer| &answer.analysis.coverage);
    not_known(&mut sheet, report, ledger);
    findings(&mut sheet, report, alarming.first().copied());
    if report.sigma.rules + report.sigma.refused.len() > 0 {
        sigma(&mut sheet, &report.sigma);
    }
    read(&mut sheet, report);
    next_step(&mut sheet, alarming.first().copied(), next);
    sheet.finish()
}

pub(super) fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Compromised => BAD.bold(),
        Verdict::Suspicious => DOUBT.bold(),
        Verdict::Clean => GOOD.bold(),
        Verdict::Unknown => STRONG,
    }
}

/// The name of the row that is not the user's.
pub(super) fn theirs(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Compromised => "attacker",
        _ => "question",
    }
}

/// One account, in full as far as one screen goes.
fn account(sheet: &mut Sheet, answer: &UserAnswer, retraced: Option<&Retraced>) {
    let analysis = &answer.analysis;
    heading(sheet, answer);
    path(sheet, analysis);
    // The same reason may hold of several sessions.
    let mut reasons: Vec<&str> = Vec::new();
    for reason in analysis.reasons.iter().filter(|reason| reason.points > 0) {
        if !reasons.contains(&reason.text.as_str()) {
            reasons.push(&reason.text);
        }
    }
    // Where the path is known, its evidence says why.
    let most = if analysis.path == Path::Unknown { 2 } else { 0 };
    for (place, reason) in reasons.into_iter().take(most).enumerate() {
        sheet.field(if place == 0 { "why" } else { "" }, reason, 2);
    }
    known_bad(sheet, analysis, retraced);
    let none = Deeds::default();
    let deeds = retraced.map_or(&none, |retraced| &retraced.deeds);
    for sum in sums::sums(&answer.user, analysis, deeds) {
        let style = if sum.seen { STRONG } else { QUIET };
        sheet.field_in(style, sum.label, &sum.answer, 2);
    }
    if let Some(retraced) = retraced
        && let Some(activity) = retraced.activity.as_ref().filter(|all| !all.is_empty())
    {
        sheet.blank();
        picture::draw(sheet, activity, theirs(analysis.verdict));
    }
}

/// Verdict, account and score.
pub(super) fn heading(sheet: &mut Sheet, answer: &UserAnswer) {
    let analysis = &answer.analysis;
    let mut name = analysis.verdict.name().to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sheet.head_with(
        verdict_style(analysis.verdict),
        &format!("{name}: {}", answer.user),
        &format!("score {} of 100", analysis.score),
    );
}

/// The path of takeover with its strongest evidence.
fn path(sheet: &mut Sheet, analysis: &Analysis) {
    sheet.field("path", &path_words(analysis), 2);
    for (sign, which) in [("+", ForOrAgainst::For), ("-", ForOrAgainst::Against)] {
        if let Some(evidence) = strongest(analysis, which) {
            sheet.field("", &format!("{sign} {}", evidence.text), 2);
        }
    }
}

/// The path and how sure it is.
pub(super) fn path_words(analysis: &Analysis) -> String {
    match analysis.path {
        Path::Unknown => "not known: the events do not say how".to_owned(),
        Path::None => "no takeover".to_owned(),
        path => format!(
            "{}, {:.0} % sure",
            path.name().replace('_', " "),
            analysis.confidence * 100.0
        ),
    }
}

/// Of the evidence about the path that is said to be the one, what rests on
/// most records, and of several the first.
fn strongest(analysis: &Analysis, which: ForOrAgainst) -> Option<&PathEvidence> {
    analysis
        .path_evidence
        .iter()
        .rev()
        .filter(|evidence| evidence.path == analysis.path && evidence.for_or_against == which)
        .max_by_key(|evidence| evidence.events.len())
}

/// First and last known bad, with the records.
pub(super) fn known_bad(sheet: &mut Sheet, analysis: &Analysis, retraced: Option<&Retraced>) {
    let behind = [
        retraced.and_then(|retraced| retraced.first.as_ref()),
        retraced.and_then(|retraced| retraced.last.as_ref()),
    ];
    let times = [analysis.first_known_bad, analysis.last_known_bad];
    for ((label, time), behind) in ["first bad", "last bad"].into_iter().zip(times).zip(behind) {
        let Some(time) = time else {
            if label == "first bad" {
                sheet.field(label, "not known", 1);
            }
            continue;
        };
        let behind = behind.map_or_else(String::new, |behind| {
            format!(
                "  {}  {}:{}",
                behind.operation,
                file_of(&behind.input),
                behind.line
            )
        });
        sheet.field(label, &format!("{}{behind}", When(time)), 2);
    }
}

/// The last part of a path: the screen has no room for more.
fn file_of(input: &str) -> &str {
    input.rsplit(['/', '\\']).next().unwrap_or(input)
}

fn also(sheet: &mut Sheet, others: &[&UserAnswer]) {
    if others.is_empty() {
        return;
    }
    sheet.blank();
    sheet.head(STRONG, "Also");
    let taken = others
        .iter()
        .filter(|answer| answer.analysis.verdict == Verdict::Compromised)
        .count();
    let told = taken.clamp(FEW, MOST_TAKEN);
    for answer in others.iter().take(told) {
        let analysis = &answer.analysis;
        let since = analysis.first_known_bad.map_or_else(String::new, |first| {
            format!("  since {}", first.strftime("%Y-%m-%d %H:%M"))
        });
        sheet.item(
            &format!(
                "{:<11} {:>3}  {}{since}",
                analysis.verdict.name(),
                analysis.score,
                answer.user
            ),
            1,
        );
    }
    more(sheet, others.len(), told);
}

/// What "nobody" rests on.
fn nobody(sheet: &mut Sheet, report: &HuntReport) {
    let number = |verdict: Verdict| {
        report
            .users
            .iter()
            .filter(|answer| answer.analysis.verdict == verdict)
            .count()
    };
    let (clean, unknown) = (number(Verdict::Clean), number(Verdict::Unknown));
    let style = if unknown == 0 && clean > 0 {
        GOOD.bold()
    } else {
        STRONG
    };
    sheet.head(style, "Nobody stands out.");
    if report.users.is_empty() {
        sheet.item("The logs name no account that something can be said of.", 2);
    } else {
        let mut said = Vec::new();
        if clean > 0 {
            said.push(format!(
                "{} with nothing found where it would show",
                count(clean, "account", "accounts")
            ));
        }
        if unknown > 0 {
            said.push(format!(
                "{} of which the logs tell too little to say so",
                count(unknown, "account", "accounts")
            ));
        }
        sheet.item(&format!("{}.", said.join(", ")), 3);
    }
    sheet.blank();
    sheet.head(STRONG, "That rests on");
    let covered = ledger::covered(report);
    if covered.is_empty() {
        sheet.item("nothing: no finding means nothing here", 1);
    }
    for line in &covered {
        sheet.item(line, 2);
    }
}

fn not_known(sheet: &mut Sheet, report: &HuntReport, ledger: &[retake_hunt::Coverage]) {
    let unknown = ledger::unknown(report, ledger);
    if unknown.is_empty() {
        return;
    }
    sheet.blank();
    sheet.head(STRONG, "Not known");
    for unknown in unknown.iter().take(FEW) {
        sheet.item(&unknown.told(), 2);
    }
    more(sheet, unknown.len(), FEW);
}

/// The account that stands above already is not named again.
fn findings(sheet: &mut Sheet, report: &HuntReport, worst: Option<&UserAnswer>) {
    sheet.blank();
    if report.findings.is_empty() {
        sheet.head(STRONG, "Findings: none");
        return;
    }
    let counted: Vec<String> = [
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Info,
    ]
    .into_iter()
    .filter_map(|severity| {
        let number = report
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count();
        (number > 0).then(|| format!("{number} {}", severity.name()))
    })
    .collect();
    sheet.head(STRONG, &format!("Findings: {}", counted.join(", ")));
    let kinds = by_detection(report, worst.map_or("", |worst| &worst.user));
    for kind in kinds.iter().take(FEW) {
        let mut users = kind.users.iter().filter(|user| !user.is_empty());
        let user = match users.next() {
            None => "(no user named)".to_owned(),
            // Stands above already.
            Some(user) if worst.is_some_and(|worst| worst.user == *user) => String::new(),
            Some(user) => fit(&sheet.shown(user), 40),
        };
        let who = match (users.count(), user.is_empty()) {
            (0, _) => user,
            (more, true) => format!("and {more} more"),
            (more, false) => format!("{user} and {more} more"),
        };
        // A long title gives way to the name of the account.
        let room = sheet.look().width.saturating_sub(20 + who.width()).max(16);
        sheet.item(
            &format!(
                "{:<6} {}  {}  {who}",
                kind.severity.name(),
                kind.detection,
                fit(&sheet.shown(kind.title), room),
            ),
            1,
        );
    }
    if kinds.len() > FEW {
        sheet.item(&format!("… and {} more kinds", kinds.len() - FEW), 1);
    }
}

/// What one detection found, and with whom.
struct Kind<'r> {
    severity: Severity,
    detection: &'r str,
    title: &'r str,
    /// The account that the screen is about first, then others that were taken.
    users: Vec<&'r str>,
}

/// Worst first; of one severity, what concerns accounts that were taken.
fn by_detection<'r>(report: &'r HuntReport, worst: &str) -> Vec<Kind<'r>> {
    let taken: HashSet<&str> = report
        .users
        .iter()
        .filter(|answer| answer.analysis.verdict == Verdict::Compromised)
        .map(|answer| answer.user.as_str())
        .collect();
    let is_taken = |user: &&str| taken.contains(user);
    let mut kinds: BTreeMap<(Reverse<Severity>, &str), Kind<'_>> = BTreeMap::new();
    for finding in &report.findings {
        kinds
            .entry((Reverse(finding.severity), &finding.detection))
            .or_insert(Kind {
                severity: finding.severity,
                detection: &finding.detection,
                title: &finding.title,
                users: Vec::new(),
            })
            .users
            .push(&finding.user);
    }
    let mut kinds: Vec<Kind<'_>> = kinds.into_values().collect();
    for kind in &mut kinds {
        kind.users
            .sort_by_key(|user| (*user != worst, !is_taken(user), *user));
    }
    kinds.sort_by_key(|kind| {
        let with = kind.users.iter().filter(|user| is_taken(user)).count();
        (Reverse(kind.severity), Reverse(with))
    });
    kinds
}

/// Each match with the rule's author: its licence asks for it.
fn sigma(sheet: &mut Sheet, answer: &SigmaAnswer) {
    sheet.blank();
    sheet.head(
        STRONG,
        &format!(
            "Sigma: {} run, {} refused",
            count(answer.rules, "rule", "rules"),
            answer.refused.len()
        ),
    );
    for finding in answer.findings.iter().take(FEW) {
        sheet.item(
            &format!(
                "{:<6} {}  {}  {}  (rule by {})",
                finding.severity.name(),
                finding.title,
                if finding.user.is_empty() {
                    "(no user named)"
                } else {
                    &finding.user
                },
                count(finding.count, "event", "events"),
                if finding.author.is_empty() {
                    "an author who is not named"
                } else {
                    &finding.author
                },
            ),
            2,
        );
    }
    more(sheet, answer.findings.len(), FEW);
    for refused in answer.refused.iter().take(2) {
        sheet.item(&format!("refused  {}  {}", refused.path, refused.reason), 2);
    }
    more(sheet, answer.refused.len(), 2);
}

/// What was read; it always adds up.
pub(super) fn read(sheet: &mut Sheet, report: &HuntReport) {
    let counts = report.imported.counts;
    sheet.head(
        QUIET,
        &format!(
            "Read {} from {}: {} kept, {} repeated, {} damaged.",
            plural(counts.read, "record", "records"),
            plural(report.imported.inputs.len() as u64, "input", "inputs"),
            counts.kept,
            counts.repeats,
            counts.damaged
        ),
    );
    for record in report.imported.damaged.iter().take(2) {
        sheet.item(
            &format!(
                "damaged  {}:{}  {}",
                record.path, record.line, record.reason
            ),
            2,
        );
    }
    more(sheet, report.imported.damaged.len(), 2);
    let noted: Vec<_> = report
        .imported
        .inputs
        .iter()
        .filter(|input| !input.notes.is_empty())
        .collect();
    for input in noted.iter().take(2) {
        sheet.item(
            &format!("note  {}  {}", input.path, input.notes.join("; ")),
            2,
        );
    }
    more(sheet, noted.len(), 2);
}

fn next_step(sheet: &mut Sheet, worst: Option<&UserAnswer>, next: &Next) {
    sheet.blank();
    sheet.head(STRONG, "Next");
    let mut options = Vec::new();
    if let Some(worst) = worst {
        // Somebody will paste this into a shell.
        let plain = worst
            .user
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "@._-+".contains(c))
            && !worst.user.starts_with('-');
        let user = if plain { worst.user.as_str() } else { "USER" };
        sheet.item(&format!("retake respond {user} --tenant NAME --as YOU"), 2);
        options.push("--details");
    }
    if !next.reported {
        options.push("--report FILE.html");
    }
    if !options.is_empty() {
        sheet.item(
            &format!("retake hunt {} {}", next.files, options.join(" ")),
            2,
        );
    }
}

fn more(sheet: &mut Sheet, all: usize, told: usize) {
    if all > told {
        sheet.item(&format!("… and {} more", all - told), 1);
    }
}

fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
