//! The answer on one screen, for people.

use std::fmt::Write as _;

use crate::answer::{Path, Verdict};
use crate::report::{HuntReport, UserAnswer};
use crate::sigma::SigmaAnswer;

/// At most so many lines of one kind; the document has all.
const LINES: usize = 8;

/// The answer. What comes from the data is escaped: it may have been written
/// by an attacker.
pub fn screen(report: &HuntReport) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &HuntReport) -> std::fmt::Result {
    let imported = &report.imported;
    let counts = imported.counts;
    writeln!(
        out,
        "Read {} from {}: {} kept, {} repeated, {} damaged.",
        plural(counts.read, "record", "records"),
        plural(imported.inputs.len() as u64, "input", "inputs"),
        counts.kept,
        counts.repeats,
        counts.damaged
    )?;
    for record in imported.damaged.iter().take(LINES) {
        writeln!(
            out,
            "  damaged  {}:{}  {}",
            escape(&record.path),
            record.line,
            escape(&record.reason)
        )?;
    }
    more(out, imported.damaged.len())?;
    for input in imported
        .inputs
        .iter()
        .filter(|input| !input.notes.is_empty())
        .take(LINES)
    {
        writeln!(
            out,
            "  note     {}  {}",
            escape(&input.path),
            escape(&input.notes.join("; "))
        )?;
    }

    writeln!(out, "\nUsers")?;
    let notable: Vec<&UserAnswer> = report
        .users
        .iter()
        .filter(|answer| answer.analysis.verdict != Verdict::Clean)
        .collect();
    if notable.is_empty() {
        writeln!(out, "  nobody stands out")?;
    }
    for answer in notable.iter().take(LINES) {
        let analysis = &answer.analysis;
        write!(
            out,
            "  {:<11} {:>3}  {}",
            analysis.verdict.name(),
            analysis.score,
            escape(&answer.user)
        )?;
        if analysis.path != Path::Unknown && analysis.path != Path::None {
            write!(
                out,
                "  by {} ({:.0} %)",
                analysis.path.name().replace('_', " "),
                analysis.confidence * 100.0
            )?;
        }
        if let Some(first) = analysis.first_known_bad {
            write!(out, "  since {first:.0}")?;
        }
        writeln!(out)?;
        for reason in analysis
            .reasons
            .iter()
            .filter(|reason| reason.points > 0)
            .take(3)
        {
            writeln!(out, "                   {}", escape(&reason.text))?;
        }
    }
    more(out, notable.len())?;

    writeln!(out, "\nFindings")?;
    if report.findings.is_empty() {
        writeln!(out, "  none")?;
    }
    for finding in report.findings.iter().take(LINES + 4) {
        writeln!(
            out,
            "  {:<6} {}  {}  {}  {}",
            finding.severity.name(),
            finding.detection,
            escape(&finding.title),
            escape(if finding.user.is_empty() {
                "(no user named)"
            } else {
                &finding.user
            }),
            plural(finding.count as u64, "event", "events"),
        )?;
    }
    more(out, report.findings.len().saturating_sub(4))?;

    if report.sigma.rules + report.sigma.refused.len() > 0 {
        sigma(out, &report.sigma)?;
    }

    writeln!(out, "\nCovered")?;
    if report.coverage.is_empty() {
        writeln!(out, "  nothing: no finding means nothing here")?;
    }
    for line in &report.coverage {
        if let (Some(from), Some(to)) = (line.from, line.to) {
            writeln!(
                out,
                "  {:<16} {from:.0} to {to:.0}, {}",
                line.source.name(),
                plural(line.events as u64, "event", "events")
            )?;
        } else {
            for gap in &line.gaps {
                writeln!(out, "  {:<16} {}", line.source.name(), gap.why)?;
            }
        }
    }
    for source in crate::Source::ALL
        .into_iter()
        .filter(|source| source.is_expected())
    {
        if !report.coverage.iter().any(|line| line.source == source) {
            writeln!(out, "  {:<16} not given", source.name())?;
        }
    }
    Ok(())
}

/// Each match with the rule's author: its licence asks for it.
fn sigma(out: &mut String, answer: &SigmaAnswer) -> std::fmt::Result {
    writeln!(
        out,
        "\nSigma: {} run, {} refused",
        plural(answer.rules as u64, "rule", "rules"),
        answer.refused.len()
    )?;
    for finding in answer.findings.iter().take(LINES + 4) {
        writeln!(
            out,
            "  {:<6} {}  {}  {}  (rule by {})",
            finding.severity.name(),
            escape(&finding.title),
            escape(if finding.user.is_empty() {
                "(no user named)"
            } else {
                &finding.user
            }),
            plural(finding.count as u64, "event", "events"),
            escape(if finding.author.is_empty() {
                "an author who is not named"
            } else {
                &finding.author
            }),
        )?;
    }
    more(out, answer.findings.len().saturating_sub(4))?;
    for refused in answer.refused.iter().take(LINES) {
        writeln!(
            out,
            "  refused  {}  {}",
            escape(&refused.path),
            escape(&refused.reason)
        )?;
    }
    more(out, answer.refused.len())
}

fn more(out: &mut String, all: usize) -> std::fmt::Result {
    if all > LINES {
        writeln!(out, "  … and {} more", all - LINES)?;
    }
    Ok(())
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Makes a text harmless in a terminal: control characters and those that
/// turn the direction of writing are written out.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
        if c.is_control() || turns {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_attacker_wrote_cannot_move_the_cursor() {
        assert_eq!(
            escape("a\u{1b}[2J\u{9b}b\u{202e}c\n"),
            "a\\u{1b}[2J\\u{9b}b\\u{202e}c\\n"
        );
        assert_eq!(escape("Müller – 東京"), "Müller – 東京");
    }
}
