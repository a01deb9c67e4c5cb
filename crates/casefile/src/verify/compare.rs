//! Compares a file with what its signed manifest says.

use std::ops::Range;

use retake_playbook::Digest;

use super::{Problem, check_line, first_difference, lines, problem};
use crate::canonical::digest;
use crate::container::{
    BLOCK, EVIDENCE, JOURNAL, MANIFEST, Manifest, SIGNATURE, SIGNATURE_BYTES, header, padding,
};
use crate::record::no_hash;

/// Where everything must lie if the manifest is right.
pub(super) struct Layout {
    pub(super) slots: Vec<Slot>,
    end: usize,
}

pub(super) struct Slot {
    pub(super) name: String,
    header: [u8; BLOCK],
    start: usize,
    pub(super) content: Range<usize>,
    end: usize,
    pub(super) sha256: Option<Digest>,
}

impl Layout {
    pub(super) fn of(manifest: &Manifest, manifest_bytes: usize) -> Option<Self> {
        let (journal, evidence) = manifest.entries.split_first()?;
        let sorted = evidence
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.name < b.name));
        let named = evidence
            .iter()
            .all(|entry| entry.name.strip_prefix(EVIDENCE) == Some(entry.sha256.as_str()));
        if journal.name != JOURNAL || !sorted || !named {
            return None;
        }
        let mut layout = Self {
            slots: Vec::new(),
            end: 0,
        };
        layout.push(MANIFEST, manifest_bytes as u64, None)?;
        layout.push(SIGNATURE, SIGNATURE_BYTES as u64, None)?;
        for entry in &manifest.entries {
            layout.push(&entry.name, entry.bytes, Some(entry.sha256.clone()))?;
        }
        Some(layout)
    }

    /// The manifest may be anybody's: no sum is trusted not to overflow.
    fn push(&mut self, name: &str, bytes: u64, sha256: Option<Digest>) -> Option<()> {
        let start = self.end;
        let content = start.checked_add(BLOCK)?;
        let content = content..content.checked_add(usize::try_from(bytes).ok()?)?;
        let end = content.end.checked_add(padding(bytes) as usize)?;
        end.checked_add(2 * BLOCK)?;
        self.slots.push(Slot {
            name: name.to_owned(),
            header: header(name, bytes)?,
            start,
            content,
            end,
            sha256,
        });
        self.end = end;
        Some(())
    }
}

/// Compares the file with what the signed manifest says.
pub(super) fn compare(
    bytes: &[u8],
    manifest: &Manifest,
    layout: &Layout,
    problems: &mut Vec<Problem>,
) {
    let whole = layout.end + 2 * BLOCK;
    let shifted = bytes.len() != whole;
    for slot in &layout.slots {
        let mut found = compare_slot(bytes, manifest, slot);
        if shifted && !found.is_empty() {
            // Behind a byte that was lost or added nothing stands where it should;
            // only the first place says something.
            found.truncate(1);
            if let Some(first) = found.first_mut() {
                first.length = (slot.end as u64).saturating_sub(first.offset);
                first.what = format!("{}; {}", first.what, difference(bytes.len(), whole));
            }
            problems.append(&mut found);
            return;
        }
        problems.append(&mut found);
    }
    let tail = bytes.get(layout.end..).unwrap_or_default();
    let zeros = &tail[..tail.len().min(2 * BLOCK)];
    if let Some(at) = zeros.iter().position(|byte| *byte != 0) {
        let at = layout.end + at;
        problems.push(problem(
            END,
            at..at + 1,
            "the zeros that end the archive are altered".to_owned(),
        ));
    }
    if shifted {
        problems.push(problem(
            END,
            bytes.len().min(whole)..bytes.len().max(whole),
            difference(bytes.len(), whole),
        ));
    }
}

/// What stands behind the last entry.
pub(super) const END: &str = "(end of the archive)";

fn difference(is: usize, should: usize) -> String {
    if is > should {
        format!("the file has {} bytes more than were signed", is - should)
    } else {
        format!("the file has {} bytes fewer than were signed", should - is)
    }
}

fn compare_slot(bytes: &[u8], manifest: &Manifest, slot: &Slot) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut report = |range, what| problems.push(problem(&slot.name, range, what));
    let header = bytes.get(slot.start..slot.content.start);
    match header.map(|header| first_difference(header, &slot.header)) {
        Some(None) => {}
        Some(Some(at)) => report(
            slot.start + at..slot.start + at + 1,
            "its header in the archive is altered".to_owned(),
        ),
        None => {
            report(bytes.len()..slot.end, "the file ends before it".to_owned());
            return problems;
        }
    }
    let Some(content) = bytes.get(slot.content.clone()) else {
        report(bytes.len()..slot.end, "the file ends within it".to_owned());
        return problems;
    };
    let intact = slot
        .sha256
        .as_ref()
        .is_none_or(|sha256| digest(content) == *sha256);
    if slot.name == JOURNAL {
        problems.extend(compare_journal(content, intact, manifest, slot));
    } else if !intact {
        report(
            slot.content.clone(),
            format!("its SHA-256 is {}", digest(content)),
        );
    }
    let Some(zeros) = bytes.get(slot.content.end..slot.end) else {
        problems.push(problem(
            &slot.name,
            bytes.len()..slot.end,
            "the file ends right behind it".to_owned(),
        ));
        return problems;
    };
    if let Some(at) = zeros.iter().position(|byte| *byte != 0) {
        let at = slot.content.end + at;
        problems.push(problem(
            &slot.name,
            at..at + 1,
            "the zeros behind it are altered".to_owned(),
        ));
    }
    problems
}

fn compare_journal(
    content: &[u8],
    intact: bool,
    manifest: &Manifest,
    slot: &Slot,
) -> Option<Problem> {
    let mut at = slot.content.start;
    let mut seq = 0;
    let mut previous = no_hash();
    for line in lines(content) {
        seq += 1;
        let range = at..at + line.len();
        at = range.end;
        let mut buffer = String::new();
        let link = match check_line(line, &mut buffer, &manifest.case, seq, &previous) {
            Ok(link) => link,
            Err(what) => return Some(problem(JOURNAL, range, format!("record {seq}: {what}"))),
        };
        if let Some(kept) = link.keeps() {
            let name = format!("{EVIDENCE}{kept}");
            // The entries behind the journal are sorted by name.
            let evidence = manifest.entries.get(1..).unwrap_or_default();
            if evidence
                .binary_search_by(|entry| entry.name.as_str().cmp(&name))
                .is_err()
            {
                return Some(problem(
                    JOURNAL,
                    range,
                    format!("record {seq}: it names evidence {kept}, which is not in the file"),
                ));
            }
        }
        previous = link.hash().clone();
    }
    let whole = |what: &str| Some(problem(JOURNAL, slot.content.clone(), what.to_owned()));
    if !intact {
        return whole(
            "its SHA-256 is not the signed one, though its records agree with each other",
        );
    }
    if seq != manifest.records || previous != manifest.head {
        return whole("its last record is not the one that the manifest names");
    }
    None
}
