//! Events on disk while an import runs: sorted runs, merged at its end.
//!
//! A run is what fitted into a buffer, sorted by the order of the table, in
//! compressed blocks. Merging holds one block of each run, and never more than
//! [`MAX_RUNS`]: of more, some are merged into one first. So memory does not
//! grow with the input.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;

use crate::event::Event;
use crate::store::week_of;

/// Bytes of a block before it is compressed; a longer event has one of its own.
const BLOCK: usize = 64 << 10;

/// Runs that are merged at once.
const MAX_RUNS: usize = 768;

/// Where events go while an import runs.
pub(super) struct Spill {
    file: BufWriter<File>,
    written: u64,
    runs: Vec<(u64, u64)>,
    /// Keys and bodies of the run at hand.
    buffer: Vec<u8>,
    /// Of each event in it: begin of its key, of its body, and its end.
    places: Vec<(usize, usize, usize)>,
    limit: usize,
    key: WriteKey,
}

/// Writes what an event is sorted by, as bytes that sort like it, and last its number.
pub(super) type WriteKey = fn(&mut Vec<u8>, u64, &Event);

/// Runs of one file.
pub(super) struct Runs {
    file: Rc<RefCell<File>>,
    runs: Vec<(u64, u64)>,
}

impl Spill {
    /// In a nameless file in this directory; runs of about `limit` bytes.
    pub(super) fn new(directory: &Path, limit: usize, key: WriteKey) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(directory)?),
            written: 0,
            runs: Vec::new(),
            buffer: Vec::new(),
            places: Vec::new(),
            limit,
            key,
        })
    }

    /// One more event, with the feeder's number for it.
    pub(super) fn put(&mut self, ordinal: u64, event: &Event) -> io::Result<()> {
        let key = self.buffer.len();
        (self.key)(&mut self.buffer, ordinal, event);
        let body = self.buffer.len();
        self.buffer = postcard::to_extend(event, std::mem::take(&mut self.buffer))
            .map_err(io::Error::other)?;
        self.places.push((key, body, self.buffer.len()));
        if self.buffer.len() >= self.limit {
            self.end_run()?;
        }
        Ok(())
    }

    /// What was put, in runs.
    pub(super) fn finish(mut self) -> io::Result<Runs> {
        self.end_run()?;
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok(Runs {
            file: Rc::new(RefCell::new(file)),
            runs: self.runs,
        })
    }

    fn end_run(&mut self) -> io::Result<()> {
        if self.places.is_empty() {
            return Ok(());
        }
        let from = self.written;
        let buffer = std::mem::take(&mut self.buffer);
        let mut places = std::mem::take(&mut self.places);
        let part = |from: usize, to: usize| buffer.get(from..to).unwrap_or_default();
        places.sort_unstable_by(|a, b| part(a.0, a.1).cmp(part(b.0, b.1)));
        let mut blocks = Blocks::new(&mut self.file);
        for (key, body, end) in places.iter().copied() {
            blocks.put(part(key, body), part(body, end))?;
        }
        self.written += blocks.finish()?;
        self.runs.push((from, self.written));
        // The room is used again.
        self.buffer = buffer;
        self.buffer.clear();
        self.places = places;
        self.places.clear();
        Ok(())
    }
}

/// Hands every event of the runs to `visit`, with its number, in the order of the
/// table. `wanted` says of a number whether its event is wanted.
pub(super) fn merge<E: From<io::Error>>(
    mut runs: Vec<Runs>,
    directory: &Path,
    wanted: &dyn Fn(u64) -> bool,
    visit: &mut dyn FnMut(Event) -> Result<(), E>,
) -> Result<(), E> {
    let mut cursors = Vec::new();
    loop {
        for part in &mut runs {
            for run in part.runs.drain(..) {
                cursors.push((Rc::clone(&part.file), run));
            }
        }
        if cursors.len() <= MAX_RUNS {
            break;
        }
        let mut file = BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(directory)?);
        let mut blocks = Blocks::new(&mut file);
        let some: Vec<_> = cursors.drain(..MAX_RUNS).collect();
        each(some, &mut |key, body| blocks.put(key, body))?;
        let length = blocks.finish()?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        runs.push(Runs {
            file: Rc::new(RefCell::new(file)),
            runs: vec![(0, length)],
        });
    }
    each(cursors, &mut |key, body| {
        if !wanted(ordinal_of(key)) {
            return Ok(());
        }
        visit(postcard::from_bytes(body).map_err(io::Error::other)?)
    })
}

type Place = (Rc<RefCell<File>>, (u64, u64));

/// Takes key and body of each event.
type Visit<'a, E> = dyn FnMut(&[u8], &[u8]) -> Result<(), E> + 'a;

fn each<E: From<io::Error>>(places: Vec<Place>, visit: &mut Visit<'_, E>) -> Result<(), E> {
    let mut cursors: Vec<Cursor> = places.into_iter().map(Cursor::new).collect();
    let mut heap = BinaryHeap::new();
    for (number, cursor) in cursors.iter_mut().enumerate() {
        let mut key = Vec::new();
        if cursor.advance(&mut key)? {
            heap.push(Reverse((key, number)));
        }
    }
    while let Some(Reverse((mut key, number))) = heap.pop() {
        let Some(cursor) = cursors.get_mut(number) else {
            break;
        };
        visit(&key, cursor.body())?;
        if cursor.advance(&mut key)? {
            heap.push(Reverse((key, number)));
        }
    }
    Ok(())
}

/// Writes blocks: each its compressed and its own length, then its bytes.
struct Blocks<W> {
    writer: W,
    block: Vec<u8>,
    written: u64,
}

impl<W: Write> Blocks<W> {
    fn new(writer: W) -> Self {
        Self {
            writer,
            block: Vec::new(),
            written: 0,
        }
    }

    fn put(&mut self, key: &[u8], body: &[u8]) -> io::Result<()> {
        self.block.extend_from_slice(&length(key)?.to_le_bytes());
        self.block.extend_from_slice(&length(body)?.to_le_bytes());
        self.block.extend_from_slice(key);
        self.block.extend_from_slice(body);
        if self.block.len() >= BLOCK {
            self.end_block()?;
        }
        Ok(())
    }

    /// Bytes that were written in all.
    fn finish(mut self) -> io::Result<u64> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        Ok(self.written)
    }

    fn end_block(&mut self) -> io::Result<()> {
        let packed = lz4_flex::block::compress(&self.block);
        self.writer.write_all(&length(&packed)?.to_le_bytes())?;
        self.writer.write_all(&length(&self.block)?.to_le_bytes())?;
        self.writer.write_all(&packed)?;
        self.written += 8 + packed.len() as u64;
        self.block.clear();
        Ok(())
    }
}

fn length(bytes: &[u8]) -> io::Result<u32> {
    u32::try_from(bytes.len()).map_err(io::Error::other)
}

/// Reads one run.
struct Cursor {
    file: Rc<RefCell<File>>,
    at: u64,
    end: u64,
    block: Vec<u8>,
    /// Begin and end of the present body, in the block.
    body: (usize, usize),
}

impl Cursor {
    fn new((file, (at, end)): Place) -> Self {
        Self {
            file,
            at,
            end,
            block: Vec::new(),
            body: (0, 0),
        }
    }

    /// Goes on to the next event; false behind the last one.
    fn advance(&mut self, key: &mut Vec<u8>) -> io::Result<bool> {
        if self.body.1 >= self.block.len() {
            if self.at >= self.end {
                // Its room is not needed any more.
                self.block = Vec::new();
                return Ok(false);
            }
            self.read_block()?;
        }
        let from = self.body.1;
        let (lengths, rest) = self
            .block
            .get(from..)
            .and_then(|bytes| bytes.split_at_checked(8))
            .ok_or_else(broken)?;
        let (a, b) = lengths.split_at_checked(4).ok_or_else(broken)?;
        let (a, b) = (number(a)?, number(b)?);
        key.clear();
        key.extend_from_slice(rest.get(..a).ok_or_else(broken)?);
        self.body = (from + 8 + a, from + 8 + a + b);
        Ok(true)
    }

    fn body(&self) -> &[u8] {
        self.block.get(self.body.0..self.body.1).unwrap_or_default()
    }

    fn read_block(&mut self) -> io::Result<()> {
        let mut file = self.file.try_borrow_mut().map_err(io::Error::other)?;
        file.seek(SeekFrom::Start(self.at))?;
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let (packed, whole) = head.split_at_checked(4).ok_or_else(broken)?;
        let (packed, whole) = (number(packed)?, number(whole)?);
        let mut bytes = vec![0; packed];
        file.read_exact(&mut bytes)?;
        self.block = lz4_flex::block::decompress(&bytes, whole).map_err(io::Error::other)?;
        self.at += 8 + packed as u64;
        self.body = (0, 0);
        Ok(())
    }
}

fn number(bytes: &[u8]) -> io::Result<usize> {
    let bytes = bytes.try_into().map_err(io::Error::other)?;
    usize::try_from(u32::from_le_bytes(bytes)).map_err(io::Error::other)
}

fn broken() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the import's temporary file was changed by somebody else",
    )
}

/// Time, source and record id.
pub(super) fn by_time(key: &mut Vec<u8>, ordinal: u64, event: &Event) {
    let time = event.time.as_nanosecond() ^ i128::MIN;
    key.extend_from_slice(&time.to_be_bytes());
    key.push(event.source as u8);
    text(key, &event.record_id);
    key.extend_from_slice(&ordinal.to_be_bytes());
}

/// The event's place in the table: week, user, time, source and record id.
pub(super) fn by_table(key: &mut Vec<u8>, ordinal: u64, event: &Event) {
    let week = week_of(event.time);
    // Years before the common era begin with a sign, which sorts before the digits,
    // but backwards: none of them is in any log.
    key.extend_from_slice(week.as_bytes());
    match &event.user {
        None => key.push(0),
        Some(user) => {
            key.push(1);
            text(key, user);
        }
    }
    by_time(key, ordinal, event);
}

/// A text that sorts before all that it is the begin of.
fn text(key: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        key.push(byte);
        if byte == 0 {
            key.push(0xff);
        }
    }
    key.extend_from_slice(&[0, 0]);
}

fn ordinal_of(key: &[u8]) -> u64 {
    let bytes = key.last_chunk::<8>().copied().unwrap_or_default();
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Source;
    use crate::store::table_order;

    fn some(count: u32) -> Vec<Event> {
        let mut state = 7_u64;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        (0..count)
            .map(|number| {
                let second = i64::try_from(next(4_000_000)).unwrap() - 2_000_000;
                let time = jiff::Timestamp::from_second(second).unwrap();
                let source = Source::ALL[usize::try_from(next(11)).unwrap()];
                let mut event = Event::new(source, time, "Update", &"x".repeat(300));
                event.record_id = format!("{}", next(20));
                let users = ["", "\0", "\0a", "a", "a\0", "ab", "ä", "b@c"];
                event.user = users
                    .get(usize::try_from(next(10)).unwrap())
                    .map(|user| (*user).to_owned());
                event.origin.line = u64::from(number);
                event
            })
            .collect()
    }

    #[test]
    fn what_was_spilled_comes_back_in_the_order_of_the_table() {
        let directory = tempfile::tempdir().unwrap();
        let events = some(3000);
        // So small that there are more runs than are merged at once.
        let mut spills: Vec<Spill> = (0..2)
            .map(|_| Spill::new(directory.path(), 1000, by_table).unwrap())
            .collect();
        for (event, number) in events.iter().zip(0_u64..) {
            spills[usize::from(number % 3 == 0)]
                .put(number, event)
                .unwrap();
        }
        let runs: Vec<Runs> = spills
            .into_iter()
            .map(|spill| spill.finish().unwrap())
            .collect();
        assert!(runs.iter().map(|runs| runs.runs.len()).sum::<usize>() > MAX_RUNS);
        let mut back = Vec::new();
        merge::<io::Error>(
            runs,
            directory.path(),
            &|number| number != 17,
            &mut |event| {
                back.push(event);
                Ok(())
            },
        )
        .unwrap();
        let mut sorted: Vec<Event> = events
            .into_iter()
            .filter(|event| event.origin.line != 17)
            .collect();
        sorted.sort_by(table_order);
        assert_eq!(back, sorted);
    }
}
