//! What is not known, and what that leaves open.

use jiff::Timestamp;
use retake_hunt::{Coverage, HuntReport, Source};

use crate::text::When;

/// One thing that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    /// The sources that it concerns, in words.
    pub(super) sources: Vec<&'static str>,
    /// From when to when, where that is known.
    pub(super) span: Option<(Timestamp, Timestamp)>,
    /// What is missing, and what that leaves open.
    pub(super) why: String,
}

impl Unknown {
    /// On one line.
    pub(super) fn told(&self) -> String {
        let span = self.span.map_or_else(String::new, |(from, to)| {
            let told = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M");
            format!(" ({} to {} UTC)", told(from), told(to))
        });
        let (named, rest) = self.sources.split_at(self.sources.len().min(3));
        let more = match rest.len() {
            0 => String::new(),
            1 => format!(", {}", rest.concat()),
            more => format!(" and {more} more"),
        };
        format!("{}{more}: {}{span}", named.join(", "), self.why)
    }
}

/// What is not known: of an account by its own ledger, and of the whole.
pub(super) fn unknown(report: &HuntReport, ledger: &[Coverage]) -> Vec<Unknown> {
    let mut all: Vec<Unknown> = Vec::new();
    let mut add = |source: Source, span: Option<(Timestamp, Timestamp)>, why: &str| {
        let name = source.words();
        match all
            .iter_mut()
            .find(|unknown| unknown.why == why && unknown.span == span)
        {
            Some(unknown) if unknown.sources.contains(&name) => {}
            Some(unknown) => unknown.sources.push(name),
            None => all.push(Unknown {
                sources: vec![name],
                span,
                why: why.to_owned(),
            }),
        }
    };
    // What was damaged or cut off concerns everything: it comes first. What was not given at
    // all stands in an account's ledger too, where there is one.
    let (given, absent): (Vec<_>, Vec<_>) =
        report.coverage.iter().partition(|line| line.events > 0);
    for line in given.into_iter().chain(ledger).chain(absent) {
        for gap in &line.gaps {
            add(line.source, gap.from.zip(gap.to), &gap.why);
        }
    }
    // That the last minutes may be missing weighs least.
    all.sort_by_key(|unknown| unknown.why.ends_with(" late"));
    all
}

/// What the logs cover, a line for each that is there.
pub(super) fn covered(report: &HuntReport) -> Vec<String> {
    report
        .coverage
        .iter()
        .filter_map(|line| {
            let (from, to) = line.from.zip(line.to)?;
            Some(format!(
                "{} {} to {}, {}",
                line.source.words(),
                When(from),
                When(to),
                crate::text::count(line.events, "event", "events")
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_every_log_does_not_name_them_all() {
        let of = |sources: &[Source]| Unknown {
            sources: sources.iter().map(|source| source.words()).collect(),
            span: None,
            why: "2 records could not be read".to_owned(),
        };
        assert_eq!(
            of(&Source::ALL).told(),
            "audit log, sign-in log, directory audits and 8 more: 2 records could not be read"
        );
        assert_eq!(
            of(&Source::ALL[..4]).told(),
            "audit log, sign-in log, directory audits, message trace: 2 records could not be read"
        );
    }
}
