//! How to show it: the case as Markdown, HTML and JSON.
//!
//! [`render`] needs the journal and nothing else. Everything in a journal may have
//! been written by the attacker, so every text goes through [`escape`] on its way
//! out; [`escape::visible`] serves the terminal as well.

mod chart;
pub mod escape;
mod html;
mod markdown;
mod model;
mod tell;
mod text;

use retake_casefile::Record;
use retake_playbook::Digest;

/// The version of the report as JSON.
pub const SCHEMA: &str = "retake.report/1";

/// One case, in three forms with the same content.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// For a ticket or an editor.
    pub markdown: String,
    /// For people; one file that loads nothing and runs nothing.
    pub html: String,
    /// For programs, in the form [`SCHEMA`]. Texts stand as the tenant has them.
    pub json: serde_json::Value,
}

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The journal has no beginning.
    #[error("The journal is empty or does not begin with a case: there is nothing to report.")]
    NoCase,
    /// The page could not be made.
    #[error("The report could not be made: {0}")]
    Page(#[from] askama::Error),
    /// The JSON could not be made.
    #[error("The report could not be made: {0}")]
    Json(#[from] serde_json::Error),
}

/// Renders a case from its journal. `evidence` says whether a digest is kept;
/// what it returns is not shown. The same journal gives the same report.
pub fn render(
    records: &[Record],
    evidence: &dyn Fn(&Digest) -> Option<Vec<u8>>,
) -> Result<Report, ReportError> {
    let model = model::Model::of(records, evidence).ok_or(ReportError::NoCase)?;
    Ok(Report {
        markdown: markdown::write(&model),
        html: html::write(&model)?,
        json: serde_json::to_value(&model)?,
    })
}
