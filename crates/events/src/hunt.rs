//! Inputs of any size to answers: imported into a table, judged over it.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use retake_hunt::import::{ImportError, Input, Matching, Settings, import};
use retake_hunt::judge::{Bounds, judge_within};
use retake_hunt::{HuntReport, Options, Progress, StoreError};

use crate::table::{Table, TableError};

/// Why a hunt could not be run to its end. Damaged records are no such reason.
#[derive(Debug, thiserror::Error)]
pub enum HuntFailure {
    /// An input cannot be opened, or nothing can be put on disk.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The table cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The table cannot be read back.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There was nothing to read.
    #[error("there is no file to read")]
    NoInput,
}

/// Imports inputs into a table in `directory` and answers for every user in them. Every
/// damaged record goes to `damage`, a line of JSON each.
///
/// Events are held in bounded memory; what is said of each account, and lists of what attackers
/// read, grow with what is in them (docs/benchmarks.md). What is there already stays as it is when the
/// hunt fails.
///
/// # Errors
///
/// See [`HuntFailure`].
pub fn hunt(
    inputs: Vec<Input<'_>>,
    options: &Options,
    settings: &Settings,
    directory: &Path,
    damage: Option<&mut (dyn Write + Send)>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(HuntReport, Table), HuntFailure> {
    let own_domains: BTreeSet<String> = options
        .own_domains
        .iter()
        .map(|domain| domain.to_lowercase())
        .collect();
    let matching = Matching {
        detections: &options.detections,
        sigma: &options.sigma,
        own_domains: &own_domains,
    };
    let mut writer = Table::create(directory)?;
    let (account, matched) = import(inputs, settings, matching, &mut writer, damage, progress)?;
    if account.inputs.is_empty() {
        return Err(HuntFailure::NoInput);
    }
    let table = writer.finish()?;
    let bounds = Bounds {
        scratch: Some(settings.scratch.clone()),
        ..Bounds::default()
    };
    let report = judge_within(
        &table,
        account,
        matched.raised,
        matched.sigma,
        options,
        bounds,
    )?;
    Ok((report, table))
}
