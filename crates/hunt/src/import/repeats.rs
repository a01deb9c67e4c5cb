//! Which events are repeats, found on disk: the ids of all events are put into
//! partitions, and one partition at a time is looked through.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::event::Event;

/// Partitions. One of them has to fit into memory: of a thousand million events, four
/// million entries.
const PARTITIONS: usize = 256;

/// Entries that are put down at a time.
const BATCH: usize = 256;

/// Bytes of an entry on disk.
const ENTRY: usize = 36;

/// What tells which of two copies of one record is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    /// Of the record's own identity.
    hash: [u8; 16],
    /// The feeder's number: chunk, then place in it.
    ordinal: u64,
    /// Filled fields.
    fullness: u32,
    /// Bytes of the record.
    length: u32,
    /// Of the record.
    crc: u32,
}

/// Where the ids of events go while an import runs.
pub(super) struct Ids {
    file: File,
    written: u64,
    partitions: Vec<Partition>,
}

#[derive(Default)]
struct Partition {
    open: Vec<Entry>,
    /// Where its batches lie: begin and entries.
    batches: Vec<(u64, usize)>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// Of each chunk, a bit for every event that is not wanted.
    dropped: HashMap<u32, Vec<u64>>,
    /// Of each chunk, how many of its events were met before.
    pub(super) met: HashMap<u32, u64>,
}

impl Ids {
    /// In a nameless file in this directory.
    pub(super) fn new(directory: &Path) -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile_in(directory)?,
            written: 0,
            partitions: (0..PARTITIONS).map(|_| Partition::default()).collect(),
        })
    }

    /// One more event.
    pub(super) fn put(&mut self, ordinal: u64, event: &Event) -> io::Result<()> {
        let mut hasher = Sha256::new();
        hasher.update([event.source as u8]);
        hasher.update(event.record_id.as_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        let mut crc = flate2::Crc::new();
        crc.update(event.original.as_bytes());
        let entry = Entry {
            hash: digest.first_chunk().copied().unwrap_or_default(),
            ordinal,
            fullness: u32::try_from(event.fullness()).unwrap_or(u32::MAX),
            length: u32::try_from(event.original.len()).unwrap_or(u32::MAX),
            crc: crc.sum(),
        };
        let Some(partition) = self.partitions.get_mut(usize::from(digest[0])) else {
            return Ok(());
        };
        partition.open.push(entry);
        if partition.open.len() >= BATCH {
            partition.put_down(&mut self.file, &mut self.written)?;
        }
        Ok(())
    }
}

impl Partition {
    fn put_down(&mut self, file: &mut File, written: &mut u64) -> io::Result<()> {
        let bytes: Vec<u8> = self.open.iter().flat_map(Entry::bytes).collect();
        file.write_all(&bytes)?;
        self.batches.push((*written, self.open.len()));
        *written += bytes.len() as u64;
        self.open.clear();
        Ok(())
    }
}

/// Looks through all that was put down.
pub(super) fn find(mut parts: Vec<Ids>) -> io::Result<Repeats> {
    let mut repeats = Repeats::default();
    let mut entries = Vec::new();
    for number in 0..PARTITIONS {
        entries.clear();
        for ids in &mut parts {
            let Some(partition) = ids.partitions.get_mut(number) else {
                continue;
            };
            for (at, count) in partition.batches.drain(..) {
                let mut bytes = vec![0; count * ENTRY];
                ids.file.seek(SeekFrom::Start(at))?;
                ids.file.read_exact(&mut bytes)?;
                entries.extend(bytes.chunks_exact(ENTRY).map(Entry::parse));
            }
            entries.append(&mut partition.open);
        }
        entries.sort_unstable_by_key(|entry| (entry.hash, entry.ordinal));
        for copies in entries.chunk_by(|a, b| a.hash == b.hash) {
            if copies.len() > 1 {
                repeats.note(copies);
            }
        }
    }
    Ok(repeats)
}

impl Repeats {
    /// Of several copies the first met counts; the fullest is kept.
    fn note(&mut self, copies: &[Entry]) {
        let rank = |entry: &Entry| {
            let least = (u32::MAX - entry.crc, u64::MAX - entry.ordinal);
            (entry.fullness, entry.length, least)
        };
        let kept = copies.iter().max_by_key(|entry| rank(entry));
        for (position, entry) in copies.iter().enumerate() {
            let (chunk, place) = parts(entry.ordinal);
            if position > 0 {
                *self.met.entry(chunk).or_default() += 1;
            }
            if kept != Some(entry) {
                let bits = self.dropped.entry(chunk).or_default();
                let word = place / 64;
                if bits.len() <= word {
                    bits.resize(word + 1, 0);
                }
                if let Some(bits) = bits.get_mut(word) {
                    *bits |= 1 << (place % 64);
                }
            }
        }
    }

    /// The event with this number is wanted.
    pub(super) fn wanted(&self, ordinal: u64) -> bool {
        let (chunk, place) = parts(ordinal);
        self.dropped
            .get(&chunk)
            .and_then(|bits| bits.get(place / 64))
            .is_none_or(|bits| bits & (1 << (place % 64)) == 0)
    }
}

/// The number of an event: its chunk, and its place in it.
pub(super) fn ordinal(chunk: u32, place: u32) -> u64 {
    u64::from(chunk) << 32 | u64::from(place)
}

fn parts(ordinal: u64) -> (u32, usize) {
    let chunk = u32::try_from(ordinal >> 32).unwrap_or(u32::MAX);
    (
        chunk,
        usize::try_from(ordinal & u64::from(u32::MAX)).unwrap_or(usize::MAX),
    )
}

impl Entry {
    fn bytes(&self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        let parts: [&[u8]; 5] = [
            &self.hash,
            &self.ordinal.to_le_bytes(),
            &self.fullness.to_le_bytes(),
            &self.length.to_le_bytes(),
            &self.crc.to_le_bytes(),
        ];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Self {
        fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
            bytes
                .get(at..)
                .and_then(<[u8]>::first_chunk)
                .copied()
                .unwrap_or([0; N])
        }
        Self {
            hash: part(bytes, 0),
            ordinal: u64::from_le_bytes(part(bytes, 16)),
            fullness: u32::from_le_bytes(part(bytes, 24)),
            length: u32::from_le_bytes(part(bytes, 28)),
            crc: u32::from_le_bytes(part(bytes, 32)),
        }
    }
}
