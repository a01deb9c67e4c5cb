//! Archives: each member is an input of its own, as far as it can be read.
//!
//! Nothing is unpacked into memory. An archive inside another, or on standard
//! input, is put into a nameless temporary file first, because a zip's
//! directory stands at its end.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Archives inside archives, at most.
const MAX_NESTING: usize = 3;

/// What an input may unpack to in any case, in bytes.
pub(crate) const FREE: u64 = 1 << 30;

/// Beyond that, so many times its own size. Logs come down to a tenth to a fiftieth
/// of theirs, what was made to burst to a thousandth and less.
const MAX_RATIO: u64 = 200;

/// Where an input's bytes come from.
pub(crate) enum Bytes<'a> {
    /// A file.
    File(File),
    /// A file whose reading is watched.
    Counted(Counted),
    /// Something in memory.
    Memory(&'a [u8]),
    /// Something that can be read once.
    Stream(&'a mut dyn Read),
}

/// A file that tells how many of its bytes were read.
pub(crate) struct Counted {
    file: File,
    done: Arc<AtomicU64>,
}

impl Counted {
    /// Adds what is read of the file to `done`.
    pub(crate) fn new(file: File, done: Arc<AtomicU64>) -> Self {
        Self { file, done }
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.done.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Takes the plain inputs, by label.
pub(crate) type Visit<'a> = dyn FnMut(&str, &mut dyn Read) + 'a;

/// Hands every plain input in this one to `visit`: itself, or the members of the
/// archive that it is. What it may unpack to is `free` bytes at least. What is wrong with an archive shows as an error when its last
/// member is read.
pub(crate) fn each(label: &str, bytes: Bytes<'_>, free: u64, visit: &mut Visit<'_>) {
    let size = match &bytes {
        Bytes::File(file) => file.metadata().map_or(0, |metadata| metadata.len()),
        Bytes::Counted(counted) => counted.file.metadata().map_or(0, |metadata| metadata.len()),
        Bytes::Memory(bytes) => bytes.len() as u64,
        // It grows while it is read.
        Bytes::Stream(_) => 0,
    };
    let budget = Budget {
        packed: Cell::new(size),
        unpacked: Cell::new(0),
        free,
    };
    let mut opener = Opener {
        budget: &budget,
        visit,
    };
    match bytes {
        Bytes::File(file) => opener.seekable(label, BufReader::new(file), 0),
        Bytes::Counted(file) => opener.seekable(label, BufReader::new(file), 0),
        Bytes::Memory(bytes) => opener.seekable(label, Cursor::new(bytes), 0),
        Bytes::Stream(stream) => {
            let mut watched = Watched {
                reader: stream,
                read: &budget.packed,
            };
            opener.member(label, &mut watched, 0);
        }
    }
}

/// How much may be unpacked of one input, archives in archives together.
struct Budget {
    /// Bytes of the input itself, as far as they are known.
    packed: Cell<u64>,
    /// Bytes that were unpacked.
    unpacked: Cell<u64>,
    /// What may be unpacked in any case.
    free: u64,
}

impl Budget {
    fn limit(&self) -> u64 {
        self.free.max(self.packed.get().saturating_mul(MAX_RATIO))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Gz,
    Zip,
}

fn kind(head: &[u8], nesting: usize) -> Kind {
    match head {
        _ if nesting >= MAX_NESTING => Kind::Plain,
        [0x1f, 0x8b, 8, ..] => Kind::Gz,
        [b'P', b'K', 3, 4, ..] => Kind::Zip,
        _ => Kind::Plain,
    }
}

/// The first bytes, as many as tell an archive.
fn head(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(4).read_to_end(&mut head)?;
    Ok(head)
}

struct Opener<'a, 'v> {
    budget: &'a Budget,
    visit: &'a mut Visit<'v>,
}

impl Opener<'_, '_> {
    fn seekable<R: Read + Seek>(&mut self, label: &str, mut reader: R, nesting: usize) {
        let told = head(&mut reader).and_then(|head| {
            reader.seek(SeekFrom::Start(0))?;
            Ok(kind(&head, nesting))
        });
        match told {
            Ok(Kind::Zip) => self.zip(label, reader, nesting),
            Ok(Kind::Gz) => self.gz(label, &mut reader, nesting),
            Ok(Kind::Plain) => (self.visit)(label, &mut reader),
            Err(error) => self.fail(label, error),
        }
    }

    /// Something that can be read once.
    fn member(&mut self, label: &str, reader: &mut dyn Read, nesting: usize) {
        let head = match head(reader) {
            Ok(head) => head,
            Err(error) => return self.fail(label, error),
        };
        let kind = kind(&head, nesting);
        let mut whole = Cursor::new(head).chain(reader);
        match kind {
            Kind::Plain => (self.visit)(label, &mut whole),
            Kind::Gz => self.gz(label, &mut whole, nesting),
            Kind::Zip => {
                let mut fault = None;
                let spooled = tempfile::tempfile().and_then(|mut file| {
                    // What could be unpacked before it broke off is looked into.
                    fault = io::copy(&mut whole, &mut file).err();
                    file.seek(SeekFrom::Start(0))?;
                    Ok(file)
                });
                match spooled {
                    Ok(file) => self.zip(label, BufReader::new(file), nesting),
                    Err(error) => self.fail(label, error),
                }
                if let Some(error) = fault {
                    self.fail(label, error);
                }
            }
        }
    }

    fn gz(&mut self, label: &str, reader: &mut dyn Read, nesting: usize) {
        let mut limited = Limited {
            reader: flate2::read::MultiGzDecoder::new(reader),
            budget: self.budget,
        };
        self.member(label, &mut limited, nesting + 1);
    }

    fn zip<R: Read + Seek>(&mut self, label: &str, mut reader: R, nesting: usize) {
        let error = match zip::ZipArchive::new(&mut reader) {
            Ok(mut archive) => {
                for index in 0..archive.len() {
                    match archive.by_index(index) {
                        Ok(file) if file.is_dir() => {}
                        Ok(mut file) => {
                            let label = format!("{label}!{}", file.name());
                            self.packed(&label, &mut file, nesting);
                        }
                        Err(error) => {
                            let label = format!("{label}!member {}", index + 1);
                            self.fail(&label, io::Error::other(error));
                        }
                    }
                }
                return;
            }
            Err(error) => error,
        };
        // A cut archive has lost its directory, which stands at the end; the
        // members can still be read one after the other.
        if reader.seek(SeekFrom::Start(0)).is_ok() {
            while let Ok(Some(mut file)) = zip::read::read_zipfile_from_stream(&mut reader) {
                if !file.is_dir() {
                    let label = format!("{label}!{}", file.name());
                    self.packed(&label, &mut file, nesting);
                }
            }
        }
        let fault = format!("the archive is damaged: {error}");
        self.fail(label, io::Error::other(fault));
    }

    fn packed(&mut self, label: &str, file: &mut dyn Read, nesting: usize) {
        let mut limited = Limited {
            reader: file,
            budget: self.budget,
        };
        self.member(label, &mut limited, nesting + 1);
    }

    fn fail(&mut self, label: &str, error: io::Error) {
        (self.visit)(label, &mut Failing(Some(error)));
    }
}

/// Reads as nothing, with the reason.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Counts what is read.
struct Watched<'a> {
    reader: &'a mut dyn Read,
    read: &'a Cell<u64>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.read.set(self.read.get() + length as u64);
        Ok(length)
    }
}

/// Unpacks no more than it may.
struct Limited<'a, R> {
    reader: R,
    budget: &'a Budget,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        let unpacked = self.budget.unpacked.get().saturating_add(length as u64);
        self.budget.unpacked.set(unpacked);
        let limit = self.budget.limit();
        if unpacked > limit {
            return Err(io::Error::other(format!(
                "unpacks to more than {limit} bytes; the rest was not read"
            )));
        }
        Ok(length)
    }
}
