//! Rows in order of time, however they come and however many there are.
//!
//! A table of events is read week by week and account by account. What does
//! not fit into the room is sorted and put aside, and merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::PathBuf;

/// What a row is sorted by, compared byte by byte.
pub(super) type Key = Vec<u8>;

/// What a row takes up besides its bytes.
const OVERHEAD: usize = 64;

/// Takes rows, gives them back in order.
#[derive(Debug)]
pub(super) struct Ordered {
    scratch: PathBuf,
    room: usize,
    used: usize,
    rows: Vec<(Key, Vec<u8>)>,
    runs: Vec<File>,
}

impl Ordered {
    /// With so many bytes of memory; the rest goes to files without a name in
    /// this directory.
    pub(super) fn new(scratch: PathBuf, room: usize) -> Self {
        Self {
            scratch,
            room,
            used: 0,
            rows: Vec::new(),
            runs: Vec::new(),
        }
    }

    pub(super) fn put(&mut self, key: Key, row: Vec<u8>) -> io::Result<()> {
        self.used += key.len() + row.len() + OVERHEAD;
        self.rows.push((key, row));
        if self.used > self.room {
            self.put_aside()?;
        }
        Ok(())
    }

    /// Writes all rows in order; those with the same key in the order of their bytes.
    pub(super) fn finish(mut self, out: &mut impl Write) -> io::Result<()> {
        self.rows.sort_unstable();
        if self.runs.is_empty() {
            return self.rows.iter().try_for_each(|(_, row)| out.write_all(row));
        }
        self.put_aside()?;
        let mut runs: Vec<BufReader<File>> = Vec::new();
        for mut file in std::mem::take(&mut self.runs) {
            file.seek(SeekFrom::Start(0))?;
            runs.push(BufReader::new(file));
        }
        let mut heads = BinaryHeap::new();
        for (place, run) in runs.iter_mut().enumerate() {
            heads.extend(read(run)?.map(|row| Reverse((row, place))));
        }
        while let Some(Reverse(((_, row), place))) = heads.pop() {
            out.write_all(&row)?;
            if let Some(run) = runs.get_mut(place) {
                heads.extend(read(run)?.map(|row| Reverse((row, place))));
            }
        }
        Ok(())
    }

    fn put_aside(&mut self) -> io::Result<()> {
        self.rows.sort_unstable();
        let mut out = BufWriter::new(tempfile::tempfile_in(&self.scratch)?);
        for (key, row) in self.rows.drain(..) {
            for part in [key, row] {
                out.write_all(&(part.len() as u64).to_le_bytes())?;
                out.write_all(&part)?;
            }
        }
        self.runs
            .push(out.into_inner().map_err(io::IntoInnerError::into_error)?);
        self.used = 0;
        Ok(())
    }
}

/// The next row of a run; none at its end.
fn read(run: &mut impl Read) -> io::Result<Option<(Key, Vec<u8>)>> {
    let Some(key) = part(run)? else {
        return Ok(None);
    };
    let row = part(run)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(Some((key, row)))
}

fn part(run: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    match run.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    run.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_rows_come_in_order_whatever_the_room(
            mut rows in proptest::collection::vec((any::<u16>(), "[a-z]{0,9}"), 0..200),
            room in 1usize..20_000,
        ) {
            let mut ordered = Ordered::new(std::env::temp_dir(), room);
            for (key, row) in &rows {
                let row = format!("{row}\n").into_bytes();
                ordered.put(key.to_be_bytes().to_vec(), row).unwrap();
            }
            let mut out = Vec::new();
            ordered.finish(&mut out).unwrap();
            rows.sort();
            let expected: Vec<&str> = rows.iter().map(|(_, row)| row.as_str()).collect();
            let out = String::from_utf8(out).unwrap();
            let lines: Vec<&str> = out.lines().collect();
            prop_assert_eq!(lines, expected);
        }
    }
}
