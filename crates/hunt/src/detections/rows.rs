//! Rows of matched events: in memory while they are few, in partitions on disk when
//! they are many. What belongs together lies in one partition. They come back one partition
//! and one detection at a time, for one account may have a tenth of all events.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::expression::Residual;
use super::matcher::Step;
use crate::event::Source;

/// Partitions on disk; the rows that one detection has in one of them have to fit into memory.
const PARTITIONS: usize = 256;

/// What is kept of an event that passed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) time: Timestamp,
    pub(crate) id: Arc<str>,
    pub(crate) source: Source,
    pub(crate) user: Arc<str>,
    /// Number that the feeder gave the event.
    pub(crate) ordinal: u64,
    pub(crate) step: Step,
    /// The columns that must be equal; none where one is empty.
    pub(crate) group: Option<Arc<str>>,
    /// The value that is counted or compared.
    pub(crate) value: Option<Arc<str>>,
    /// How many it counts for.
    pub(crate) weight: u32,
    /// Latitude and longitude.
    pub(crate) place: Option<(f64, f64)>,
    pub(crate) depends: Option<Box<Residual>>,
}

impl Row {
    /// Total order that says nothing of who fed the event, and when.
    pub(crate) fn order(&self, other: &Self) -> std::cmp::Ordering {
        (self.time, &self.id, self.source, self.step)
            .cmp(&(other.time, &other.id, other.source, other.step))
            .then_with(|| (&self.user, &self.group).cmp(&(&other.user, &other.group)))
            .then_with(|| {
                (&self.value, self.weight, self.ordinal).cmp(&(
                    &other.value,
                    other.weight,
                    other.ordinal,
                ))
            })
    }

    /// The same event, met again.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        !self.id.is_empty()
            && (self.time, &self.id, self.source, self.step)
                == (other.time, &other.id, other.source, other.step)
    }
}

/// Rows of several detections or rules.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Of each detection.
    held: Vec<Vec<Row>>,
    count: usize,
    texts: HashSet<Arc<str>>,
    disk: Option<Disk>,
}

#[derive(Debug)]
struct Disk {
    file: File,
    written: u64,
    /// Of each partition and detection: begin and length of the batches.
    partitions: Vec<BTreeMap<usize, Vec<(u64, usize)>>>,
    most: usize,
    fault: Option<io::Error>,
}

impl Rows {
    /// Of so many detections, in memory.
    pub(crate) fn new(detections: usize) -> Self {
        Self {
            held: vec![Vec::new(); detections],
            count: 0,
            texts: HashSet::new(),
            disk: None,
        }
    }

    /// From `most` rows on they are put into a nameless file in this directory.
    pub(crate) fn spill(&mut self, directory: &Path, most: usize) -> io::Result<()> {
        self.disk = Some(Disk {
            file: tempfile::tempfile_in(directory)?,
            written: 0,
            partitions: vec![BTreeMap::new(); PARTITIONS],
            most: most.max(1),
            fault: None,
        });
        Ok(())
    }

    /// One more row of a detection. Its group stays together, or else its user.
    pub(crate) fn push(&mut self, detection: usize, row: Row) {
        let Some(rows) = self.held.get_mut(detection) else {
            return;
        };
        rows.push(row);
        self.count += 1;
        if let Some(disk) = &mut self.disk
            && self.count >= disk.most
        {
            if let Err(error) = disk.put_down(&mut self.held) {
                disk.fault.get_or_insert(error);
            }
            self.count = 0;
            self.texts.clear();
        }
    }

    /// A text that many rows have.
    pub(crate) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(have) = self.texts.get(text) {
            return Arc::clone(have);
        }
        let new: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&new));
        new
    }

    /// Takes over what another of the same detections holds in memory.
    pub(crate) fn merge(&mut self, other: Self) {
        self.count += other.count;
        for (rows, more) in self.held.iter_mut().zip(other.held) {
            rows.extend(more);
        }
    }

    /// Hands the rows of each partition and each of the chosen detections to `visit`, with the
    /// detection's number, in order and without repeats; of several threads' rows together.
    /// `wanted` says of a number whether its event is wanted. In memory all are one partition.
    pub(crate) fn each(
        parts: &mut [Self],
        wanted: &dyn Fn(u64) -> bool,
        chosen: &dyn Fn(usize) -> bool,
        visit: &mut dyn FnMut(usize, &[Row]),
    ) -> io::Result<()> {
        for part in &mut *parts {
            if let Some(fault) = part.disk.as_mut().and_then(|disk| disk.fault.take()) {
                return Err(fault);
            }
        }
        let width = parts.first().map_or(0, |part| part.held.len());
        let spilled = parts
            .iter()
            .any(|part| part.disk.as_ref().is_some_and(|disk| disk.written > 0));
        if spilled {
            for part in &mut *parts {
                if let Some(disk) = &mut part.disk {
                    disk.put_down(&mut part.held)?;
                }
            }
        }
        let chosen = (0..width).filter(|detection| chosen(*detection));
        if !spilled {
            let Some((first, others)) = parts.split_first_mut() else {
                return Ok(());
            };
            for detection in chosen {
                let Some(rows) = first.held.get_mut(detection) else {
                    break;
                };
                for other in &mut *others {
                    if let Some(more) = other.held.get_mut(detection) {
                        rows.append(more);
                    }
                }
                in_order(rows, wanted);
                visit(detection, rows);
            }
            return Ok(());
        }
        let chosen: Vec<usize> = chosen.collect();
        for number in 0..PARTITIONS {
            for detection in &chosen {
                let mut rows = Vec::new();
                let mut texts = HashSet::new();
                for part in &mut *parts {
                    if let Some(disk) = &mut part.disk {
                        disk.take_up(number, *detection, &mut rows, &mut texts)?;
                    }
                }
                if !rows.is_empty() {
                    in_order(&mut rows, wanted);
                    visit(*detection, &rows);
                }
            }
        }
        Ok(())
    }
}

/// The same text once: rows that are read back have each their own.
fn share(text: &mut Arc<str>, texts: &mut HashSet<Arc<str>>) {
    if let Some(have) = texts.get(text) {
        *text = Arc::clone(have);
    } else {
        texts.insert(Arc::clone(text));
    }
}

/// Those that are wanted, each once, in an order that says nothing of who fed them.
fn in_order(rows: &mut Vec<Row>, wanted: &dyn Fn(u64) -> bool) {
    rows.retain(|row| wanted(row.ordinal));
    rows.sort_unstable_by(Row::order);
    rows.dedup_by(|a, b| a.repeats(b));
}

impl Disk {
    fn put_down(&mut self, held: &mut [Vec<Row>]) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut batches = vec![Vec::new(); PARTITIONS];
        for (detection, rows) in held.iter_mut().enumerate() {
            for row in rows.drain(..) {
                let together = row.group.as_ref().unwrap_or(&row.user);
                let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(together);
                let number = usize::try_from(hash % PARTITIONS as u64).unwrap_or(0);
                if let Some(batch) = batches.get_mut(number) {
                    *batch = postcard::to_extend(&row, std::mem::take(batch))
                        .map_err(io::Error::other)?;
                }
            }
            for (batch, places) in batches.iter_mut().zip(&mut self.partitions) {
                if !batch.is_empty() {
                    let at = self.written + bytes.len() as u64;
                    places.entry(detection).or_default().push((at, batch.len()));
                    bytes.append(batch);
                }
            }
        }
        self.file.write_all(&bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn take_up(
        &mut self,
        partition: usize,
        detection: usize,
        rows: &mut Vec<Row>,
        texts: &mut HashSet<Arc<str>>,
    ) -> io::Result<()> {
        let places = self.partitions.get(partition);
        let places = places.and_then(|places| places.get(&detection));
        for (at, length) in places.into_iter().flatten() {
            let mut bytes = vec![0; *length];
            self.file.seek(SeekFrom::Start(*at))?;
            self.file.read_exact(&mut bytes)?;
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let (mut row, left): (Row, _) =
                    postcard::take_from_bytes(rest).map_err(io::Error::other)?;
                rest = left;
                let shared = [Some(&mut row.user), row.group.as_mut(), row.value.as_mut()];
                for text in shared.into_iter().flatten() {
                    share(text, texts);
                }
                rows.push(row);
            }
        }
        Ok(())
    }
}
