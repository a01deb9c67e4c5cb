//! Everything of one account, in the terminal.

use retake_hunt::retrace::{DeedKind, Deeds, Retrace};
use retake_hunt::{By, Change, ForOrAgainst, HowRead, HuntReport, UserAnswer};

use super::layout::{Look, Sheet, quoted};
use super::screen::{BAD, QUIET, STRONG, heading, known_bad, path_words, theirs};
use super::{ledger, picture, sums};
use crate::text::{When, count};

/// Everything of one account: reasons with their points, every piece of
/// evidence, the fingerprint, every change with whose it was, what was read,
/// sent, deleted and shared, who else, the ledger, the findings, the timeline.
pub fn details(
    report: &HuntReport,
    answer: &UserAnswer,
    retrace: &Retrace<'_>,
    look: Look,
) -> String {
    let mut sheet = Sheet::new(look);
    let analysis = &answer.analysis;
    let retraced = retrace.user(&answer.user);
    let none = Deeds::default();
    let deeds = retraced.map_or(&none, |retraced| &retraced.deeds);

    heading(&mut sheet, answer);
    sheet.field("path", &path_words(analysis), 2);
    known_bad(&mut sheet, analysis, retraced);
    for sum in sums::sums(&answer.user, analysis, deeds) {
        sheet.field(sum.label, &sum.answer, 4);
    }
    if let Some(retraced) = retraced {
        let pictures = [
            ("The whole time", &retraced.activity),
            ("Closer", &retraced.closer),
        ];
        for (name, activity) in pictures {
            if let Some(activity) = activity.as_ref().filter(|all| !all.is_empty()) {
                part(&mut sheet, name);
                picture::draw(&mut sheet, activity, theirs(analysis.verdict));
            }
        }
    }

    part(&mut sheet, "Reasons");
    none_of(&mut sheet, analysis.reasons.is_empty());
    for reason in &analysis.reasons {
        sheet.item(
            &format!(
                "{:+} {} ({})",
                reason.points,
                reason.text,
                count(reason.events.len(), "record", "records")
            ),
            4,
        );
    }
    part(&mut sheet, "Paths of takeover, for (+) and against (-)");
    none_of(&mut sheet, analysis.path_evidence.is_empty());
    for evidence in &analysis.path_evidence {
        let sign = match evidence.for_or_against {
            ForOrAgainst::For => "+",
            ForOrAgainst::Against => "-",
        };
        sheet.item(
            &format!(
                "{sign} {}: {} ({})",
                evidence.path.name().replace('_', " "),
                evidence.text,
                count(evidence.events.len(), "record", "records")
            ),
            4,
        );
    }
    fingerprint(&mut sheet, answer);

    part(
        &mut sheet,
        &count(analysis.changes.len(), "change", "changes"),
    );
    for change in &analysis.changes {
        told_change(&mut sheet, change);
    }
    mail(&mut sheet, answer);
    files(&mut sheet, deeds);
    part(&mut sheet, "Who else");
    none_of(&mut sheet, analysis.blast.accounts.is_empty());
    for account in &analysis.blast.accounts {
        let entered = if account.entered { "entered" } else { "tried" };
        sheet.item(&format!("{}  {entered}: {}", account.user, account.how), 2);
    }
    part(&mut sheet, "Not known");
    let unknown = ledger::unknown(report, &analysis.coverage);
    none_of(&mut sheet, unknown.is_empty());
    for unknown in &unknown {
        sheet.item(&unknown.told(), 6);
    }
    part(&mut sheet, "Findings");
    let mine: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.user == answer.user)
        .collect();
    none_of(&mut sheet, mine.is_empty());
    for finding in mine {
        sheet.item(
            &format!(
                "{:<6} {}  {}  {} from {}",
                finding.severity.name(),
                finding.detection,
                finding.title,
                count(finding.count, "event", "events"),
                When(finding.first)
            ),
            3,
        );
        sheet.item_at(4, &finding.why, 6);
    }
    timeline(&mut sheet, retrace, answer);
    sheet.finish()
}

fn part(sheet: &mut Sheet, name: &str) {
    sheet.blank();
    sheet.head(STRONG, name);
}

fn none_of(sheet: &mut Sheet, none: bool) {
    if none {
        sheet.item("none", 1);
    }
}

fn fingerprint(sheet: &mut Sheet, answer: &UserAnswer) {
    let print = &answer.analysis.fingerprint;
    part(sheet, "What is only the attacker's");
    none_of(sheet, print.is_empty());
    let networks: Vec<String> = print
        .networks
        .iter()
        .map(|number| format!("AS{number}"))
        .collect();
    for (label, values) in [
        ("address", &print.addresses),
        ("network", &networks),
        ("agent", &print.user_agents),
        ("session", &print.sessions),
        ("token", &print.token_ids),
        ("app", &print.apps),
        ("device", &print.devices),
    ] {
        for value in values {
            sheet.field(label, value, 3);
        }
    }
}

fn told_change(sheet: &mut Sheet, change: &Change) {
    let by = match change.by {
        By::Attacker => "attacker",
        By::User => "user",
        By::Responder => "responder",
        By::Unknown => "not known",
    };
    let name = change
        .name
        .as_deref()
        .map_or_else(String::new, |name| format!(" {}", quoted(name)));
    let from = change
        .address
        .as_deref()
        .map_or_else(String::new, |address| format!(", from {address}"));
    let style = if change.by == By::Attacker {
        BAD
    } else {
        QUIET
    };
    sheet.line(
        style,
        &super::layout::fit(
            &sheet.shown(&format!(
                "  {}  {}{name}",
                When(change.at),
                change.object_kind.words()
            )),
            sheet.look().width,
        ),
    );
    sheet.item_at(4, &format!("{} by: {by}{from}", change.operation), 2);
    for (key, value) in &change.parameters {
        let was = change
            .was
            .get(key)
            .filter(|was| !was.is_empty())
            .map_or_else(String::new, |was| format!(" (was {was})"));
        sheet.item_at(4, &format!("{key} = {value}{was}"), 3);
    }
    for reason in &change.reasons {
        sheet.item_at(4, &format!("because {reason}"), 3);
    }
    if !change.detections.is_empty() {
        sheet.item_at(4, &format!("raises {}", change.detections.join(", ")), 2);
    }
    sheet.item_at(4, &format!("record {}", change.record_id), 2);
}

fn mail(sheet: &mut Sheet, answer: &UserAnswer) {
    let blast = &answer.analysis.blast;
    part(sheet, "Mail read");
    none_of(sheet, blast.read.is_empty());
    for mail in &blast.read {
        let how = match mail.how {
            HowRead::Bind => "",
            HowRead::Sync => "  (with its folder)",
            HowRead::Throttled => "  (throttled: assume everything)",
        };
        sheet.item(
            &format!(
                "{}  {}  {}  {}{how}",
                When(mail.at),
                mail.folder.as_deref().unwrap_or("-"),
                mail.subject
                    .as_deref()
                    .map_or_else(|| "-".to_owned(), quoted),
                mail.message_id.as_deref().unwrap_or("-"),
            ),
            3,
        );
    }
    part(sheet, "Mail sent");
    none_of(sheet, blast.sent.is_empty());
    for mail in &blast.sent {
        sheet.item(
            &format!(
                "{}  {}  to {}  {}",
                When(mail.at),
                mail.subject
                    .as_deref()
                    .map_or_else(|| "-".to_owned(), quoted),
                mail.recipients.join(", "),
                mail.message_id.as_deref().unwrap_or("-"),
            ),
            6,
        );
    }
    for mail in &answer.analysis.impersonated {
        sheet.item(
            &format!(
                "{}  never sent from here: {} to {}, handed over by {}",
                When(mail.at),
                mail.subject
                    .as_deref()
                    .map_or_else(|| mail.message_id.clone(), quoted),
                mail.recipients.join(", "),
                mail.address
            ),
            6,
        );
    }
    part(sheet, "Mail changed and deleted");
    let items = blast
        .changed
        .iter()
        .filter(|item| item.kind == retake_playbook::ObjectKind::Message);
    let mut none = true;
    for item in items {
        none = false;
        sheet.item(
            &format!(
                "{}  {}  {}",
                When(item.at),
                item.operation,
                item.ids.join(", ")
            ),
            3,
        );
    }
    none_of(sheet, none);
}

fn files(sheet: &mut Sheet, deeds: &Deeds) {
    for (name, kind) in [
        ("Files opened and downloaded", DeedKind::Read),
        ("Files changed", DeedKind::Changed),
        ("Files deleted", DeedKind::Deleted),
        ("Shared", DeedKind::Shared),
    ] {
        let list = deeds.list(kind);
        if list.is_empty() {
            continue;
        }
        part(sheet, name);
        for deed in &list {
            let with = deed
                .with
                .as_deref()
                .map_or_else(String::new, |with| format!("  with {with}"));
            sheet.item(
                &format!(
                    "{}  {}  {}{with}",
                    When(deed.at),
                    deed.operation,
                    deed.object.as_deref().unwrap_or("-")
                ),
                3,
            );
        }
        left_out(sheet, deeds.count(kind).saturating_sub(list.len() as u64));
    }
}

fn timeline(sheet: &mut Sheet, retrace: &Retrace<'_>, answer: &UserAnswer) {
    part(sheet, "Timeline (> the attacker's, or in question)");
    let Some(retraced) = retrace.user(&answer.user) else {
        return none_of(sheet, true);
    };
    let lines = retraced.lines();
    none_of(sheet, lines.is_empty());
    for line in lines {
        let mark = if line.whose.is_theirs() { ">" } else { " " };
        let time = if line.time == retake_hunt::event::NO_TIME {
            "no time".to_owned()
        } else {
            line.time.strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        let address = line
            .address
            .map_or_else(String::new, |address| format!("  {address}"));
        let failed = if line.outcome == retake_hunt::event::Outcome::Failure {
            " (failed)"
        } else {
            ""
        };
        let text = sheet.shown(&format!(
            "{mark} {time}  {}{failed}{address}  {}",
            line.operation,
            line.object.as_deref().unwrap_or_default()
        ));
        let style = if line.whose.is_theirs() {
            BAD
        } else {
            anstyle::Style::new()
        };
        let width = sheet.look().width;
        sheet.line(style, super::layout::fit(&text, width).trim_end());
    }
    left_out(sheet, retraced.omitted);
}

fn left_out(sheet: &mut Sheet, number: u64) {
    if number > 0 {
        sheet.item(&format!("… and {number} more: --timeline has all"), 1);
    }
}
