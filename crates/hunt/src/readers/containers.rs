//! Archives: each member is an input of its own, as far as it can be read.
//!
//! Nothing is unpacked into memory. An archive inside another, or on standard
//! input, is put into a nameless temporary file first, because a zip's
//! directory stands at its end.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

/// Archives inside archives, at most.
const MAX_NESTING: usize = 3;

/// What an input may unpack to in any case, in bytes.
const FREE: u64 = 1 << 30;

/// Beyond that, so many times its own size. Logs come down to a tenth to a fiftieth
/// of theirs, what was made to burst to a thousandth and less.
const MAX_RATIO: u64 = 200;

/// Where an input's bytes come from.
pub(crate) enum Bytes<'a> {
    /// A file.
    File(File),
    /// Something in memory.
    Memory(&'a [u8]),
    /// Something that can be read once.
    Stream(&'a mut dyn Read),
}

/// Takes the plain inputs: label, bytes, and whether they were unpacked.
pub(crate) type Visit<'a> = dyn FnMut(&str, &mut dyn Read) + 'a;

/// Hands every plain input in this one to `visit`: itself, or the members of the
/// archive that it is. What is wrong with an archive shows as an error when its last
/// member is read.
pub(crate) fn each(label: &str, bytes: Bytes<'_>, visit: &mut Visit<'_>) {
    let size = match &bytes {
        Bytes::File(file) => file.metadata().map_or(0, |metadata| metadata.len()),
        Bytes::Memory(bytes) => bytes.len() as u64,
        // It is not known, so the limit is what may be in any case, and much more.
        Bytes::Stream(_) => FREE,
    };
    let mut budget = FREE.max(size.saturating_mul(MAX_RATIO));
    match bytes {
        Bytes::File(file) => seekable(label, BufReader::new(file), &mut budget, 0, visit),
        Bytes::Memory(bytes) => seekable(label, Cursor::new(bytes), &mut budget, 0, visit),
        Bytes::Stream(stream) => member(label, stream, &mut budget, 0, visit),
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

fn seekable<R: Read + Seek>(
    label: &str,
    mut reader: R,
    budget: &mut u64,
    nesting: usize,
    visit: &mut Visit<'_>,
) {
    let told = head(&mut reader).and_then(|head| {
        reader.seek(SeekFrom::Start(0))?;
        Ok(kind(&head, nesting))
    });
    match told {
        Ok(Kind::Zip) => zip_members(label, reader, budget, nesting, visit),
        Ok(Kind::Gz) => gz(label, &mut reader, budget, nesting, visit),
        Ok(Kind::Plain) => visit(label, &mut reader),
        Err(error) => visit(label, &mut Failing(Some(error))),
    }
}

/// Something that can be read once.
fn member(
    label: &str,
    reader: &mut dyn Read,
    budget: &mut u64,
    nesting: usize,
    visit: &mut Visit<'_>,
) {
    let head = match head(reader) {
        Ok(head) => head,
        Err(error) => return visit(label, &mut Failing(Some(error))),
    };
    let kind = kind(&head, nesting);
    let mut whole = Cursor::new(head).chain(reader);
    match kind {
        Kind::Plain => visit(label, &mut whole),
        Kind::Gz => gz(label, &mut whole, budget, nesting, visit),
        Kind::Zip => {
            let mut fault = None;
            let spooled = tempfile::tempfile().and_then(|mut file| {
                // What could be unpacked before it broke off is looked into.
                fault = io::copy(&mut whole, &mut file).err();
                file.seek(SeekFrom::Start(0))?;
                Ok(file)
            });
            match spooled {
                Ok(file) => {
                    let reader = BufReader::new(file);
                    zip_members(label, reader, budget, nesting, visit);
                    if let Some(error) = fault {
                        visit(label, &mut Failing(Some(error)));
                    }
                }
                Err(error) => visit(label, &mut Failing(Some(error))),
            }
        }
    }
}

fn gz(label: &str, reader: &mut dyn Read, budget: &mut u64, nesting: usize, visit: &mut Visit<'_>) {
    let mut left = *budget;
    let mut limited = Limited {
        reader: flate2::read::MultiGzDecoder::new(reader),
        left: &mut left,
        limit: *budget,
    };
    // An archive in it shares what is left.
    let mut inner = *budget;
    member(label, &mut limited, &mut inner, nesting + 1, visit);
    *budget = left.min(inner);
}

fn zip_members<R: Read + Seek>(
    label: &str,
    mut reader: R,
    budget: &mut u64,
    nesting: usize,
    visit: &mut Visit<'_>,
) {
    let mut members = Members {
        label,
        limit: *budget,
        budget,
        nesting,
        visit,
    };
    match zip::ZipArchive::new(&mut reader) {
        Ok(mut archive) => {
            for index in 0..archive.len() {
                match archive.by_index(index) {
                    Ok(file) if file.is_dir() => {}
                    Ok(mut file) => {
                        let name = file.name().to_owned();
                        members.one(&name, &mut file, None);
                    }
                    Err(error) => {
                        let name = format!("member {}", index + 1);
                        members.one(&name, &mut io::empty(), Some(io::Error::other(error)));
                    }
                }
            }
        }
        // A cut archive has lost its directory, which stands at the end; the
        // members can still be read one after the other.
        Err(error) => {
            let fault = format!("the archive is damaged: {error}");
            if let Err(error) = reader.seek(SeekFrom::Start(0)) {
                return (members.visit)(label, &mut Failing(Some(error)));
            }
            while let Ok(Some(mut file)) = zip::read::read_zipfile_from_stream(&mut reader) {
                if !file.is_dir() {
                    let name = file.name().to_owned();
                    members.one(&name, &mut file, None);
                }
            }
            (members.visit)(label, &mut Failing(Some(io::Error::other(fault))));
        }
    }
}

/// The members of one archive.
struct Members<'a, 'v> {
    label: &'a str,
    budget: &'a mut u64,
    limit: u64,
    nesting: usize,
    visit: &'a mut Visit<'v>,
}

impl Members<'_, '_> {
    fn one(&mut self, name: &str, file: &mut dyn Read, fault: Option<io::Error>) {
        let mut left = *self.budget;
        let mut inner = *self.budget;
        let mut limited = Limited {
            reader: file.chain(Failing(fault)),
            left: &mut left,
            limit: self.limit,
        };
        let label = format!("{}!{name}", self.label);
        member(
            &label,
            &mut limited,
            &mut inner,
            self.nesting + 1,
            self.visit,
        );
        *self.budget = left.min(inner);
    }
}

/// Reads as nothing, with the reason.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Unpacks no more than is left.
struct Limited<'a, R> {
    reader: R,
    left: &'a mut u64,
    limit: u64,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        match self.left.checked_sub(length as u64) {
            Some(left) => {
                *self.left = left;
                Ok(length)
            }
            None => {
                *self.left = 0;
                Err(io::Error::other(format!(
                    "unpacks to more than {} bytes; the rest was not read",
                    self.limit
                )))
            }
        }
    }
}
