//! `retake hunt`: what exported logs say.

use jiff::Timestamp;
use retake_hunt::{HuntError, Options, Severity, Verdict};
use retake_playbook::codes::{self, Exit};

use crate::args::Hunt;
use crate::failure::Failure;
use crate::terminal::Terminal;

pub(crate) fn run(args: &Hunt, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut options = Options::new(Timestamp::now()).map_err(failure)?;
    for path in &args.detections {
        options.detections.add_path(path).map_err(|error| {
            Failure::new(
                codes::BAD_INPUT,
                format!("A detection of yours cannot be used: {error}. Nothing was read."),
                "See detections/README.md for what a detection's file holds.",
            )
        })?;
    }
    for path in &args.sigma {
        options.sigma.add_path(path).map_err(|error| {
            Failure::new(
                codes::BAD_INPUT,
                format!(
                    "The Sigma rules at {} cannot be read: {error}. Nothing was read.",
                    path.display()
                ),
                "Name a rule file or a folder of them.",
            )
        })?;
    }
    let report = retake_hunt::run(&args.files, &options).map_err(failure)?;
    if terminal.json() {
        terminal.document(&retake_hunt::json::document(&report));
    } else {
        terminal.data(retake_hunt::text::screen(&report).trim_end());
    }
    let found = report.users.iter().any(|user| {
        matches!(
            user.analysis.verdict,
            Verdict::Compromised | Verdict::Suspicious
        )
    }) || report
        .findings
        .iter()
        .any(|finding| finding.severity >= Severity::Medium)
        || report
            .sigma
            .findings
            .iter()
            .any(|finding| finding.severity >= Severity::Medium);
    Ok(if found || report.imported.counts.damaged > 0 {
        Exit::NeedsPerson
    } else {
        Exit::Done
    })
}

fn failure(error: HuntError) -> Failure {
    match error {
        HuntError::Detection(error) => Failure::new(
            codes::INTERNAL,
            format!("The embedded detections cannot be used: {error}"),
            "Please report it.",
        ),
        error => Failure::new(
            codes::BAD_INPUT,
            format!("The logs cannot be read: {error}. Nothing was changed."),
            "Name files or directories of exported logs; zip and gz are opened.",
        ),
    }
}
