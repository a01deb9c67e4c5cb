//! Archives: each member is an input of its own, as far as it can be read.

use std::io::{Cursor, Read};

/// One unpacked input.
pub(super) struct Member {
    /// Label: the archive's, `!`, the member's.
    pub(super) label: String,
    /// Its bytes, as far as they could be unpacked.
    pub(super) bytes: Vec<u8>,
    /// Why it is not whole.
    pub(super) fault: Option<String>,
}

/// What an input is made of.
pub(super) enum Contents {
    /// It is no archive.
    Plain,
    /// An archive's members. A fault stands at the member that has it.
    Members(Vec<Member>),
}

/// Looks into an archive, recognised by its first bytes; at most `limit`
/// unpacked bytes in all.
pub(super) fn open(label: &str, bytes: &[u8], limit: u64) -> Contents {
    match bytes {
        [0x1f, 0x8b, 8, ..] => {
            let (unpacked, fault) = take(flate2::read::MultiGzDecoder::new(bytes), limit);
            Contents::Members(vec![Member {
                label: label.to_owned(),
                bytes: unpacked,
                fault,
            }])
        }
        [b'P', b'K', 3, 4, ..] => Contents::Members(zip_members(label, bytes, limit)),
        _ => Contents::Plain,
    }
}

fn zip_members(label: &str, bytes: &[u8], limit: u64) -> Vec<Member> {
    let mut members = Vec::new();
    let mut left = limit;
    let mut push = |name: &str, file: &mut dyn Read| {
        let (unpacked, fault) = take(file, left);
        left = left.saturating_sub(unpacked.len() as u64);
        members.push(Member {
            label: format!("{label}!{name}"),
            bytes: unpacked,
            fault,
        });
    };
    let fault = match zip::ZipArchive::new(Cursor::new(bytes)) {
        Ok(mut archive) => {
            for index in 0..archive.len() {
                match archive.by_index(index) {
                    Ok(file) if file.is_dir() => {}
                    Ok(mut file) => {
                        let name = file.name().to_owned();
                        push(&name, &mut file);
                    }
                    Err(error) => push(
                        &format!("member {}", index + 1),
                        &mut Failing(error.to_string()),
                    ),
                }
            }
            None
        }
        // A cut archive has lost its directory, which stands at the end; the
        // members can still be read one after the other.
        Err(error) => {
            let mut rest = bytes;
            while let Ok(Some(mut file)) = zip::read::read_zipfile_from_stream(&mut rest) {
                if file.is_dir() {
                    continue;
                }
                let name = file.name().to_owned();
                push(&name, &mut file);
            }
            Some(format!("the archive is damaged: {error}"))
        }
    };
    if let Some(fault) = fault {
        match members.last_mut() {
            Some(last) => last.fault = Some(fault),
            None => members.push(Member {
                label: label.to_owned(),
                bytes: Vec::new(),
                fault: Some(fault),
            }),
        }
    }
    members
}

/// A member that cannot be opened reads as nothing, with the reason.
struct Failing(String);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other(self.0.clone()))
    }
}

/// As much as can be read within the limit.
fn take(source: impl Read, limit: u64) -> (Vec<u8>, Option<String>) {
    let mut bytes = Vec::new();
    let mut source = source.take(limit.saturating_add(1));
    let fault = source
        .read_to_end(&mut bytes)
        .err()
        .map(|error| error.to_string());
    if bytes.len() as u64 > limit {
        bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        return (
            bytes,
            Some(format!(
                "unpacks to more than {limit} bytes; the rest was not read"
            )),
        );
    }
    (bytes, fault)
}
