//! How to show it: the case as Markdown, HTML and JSON; what a [`hunt`] found.
//!
//! Somebody who was not there reads the first screen and knows what happened; everything
//! that stands on it stands below again with its reasons. Kinds of objects and actions
//! are shown by what they declare about themselves, so that a new one needs nothing here.
//!
//! [`render`] needs the journal and nothing else. Everything in a journal may have
//! been written by the attacker, so every text goes through [`escape`] on its way
//! out; [`escape::visible`] serves the terminal as well.

pub mod attest;
mod chart;
pub mod escape;
mod html;
pub mod hunt;
mod markdown;
mod model;
mod tell;
mod text;

use retake_casefile::Record;
use retake_playbook::{Digest, Event};

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
    /// What was found, removed, verified, undone and is not known, in the form
    /// [`attest::SCHEMA`]; [`attest::check`] compares it with a case.
    pub attestation: serde_json::Value,
    /// The documents of the case (briefing, checklist, fraud pack), each with a name for
    /// a file. Their texts are as they were kept.
    pub documents: Vec<Document>,
}

/// A document of the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// A name for a file, without ending.
    pub name: String,
    /// Its text.
    pub text: String,
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
        attestation: attest::attest(records).ok_or(ReportError::NoCase)?,
        documents: documents(records, evidence),
    })
}

fn documents(records: &[Record], evidence: &dyn Fn(&Digest) -> Option<Vec<u8>>) -> Vec<Document> {
    let mut documents: Vec<Document> = Vec::new();
    for record in records {
        let Event::EvidenceKept(kept) = &record.event else {
            continue;
        };
        let Some(bytes) = evidence(&kept.digest).filter(|_| kept.request.is_none()) else {
            continue;
        };
        // Of each document the last one; those before it stay in the case.
        let name = escape::file_name(&kept.what);
        documents.retain(|document| document.name != name);
        documents.push(Document {
            name,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        });
    }
    documents
}
