//! CSV text to rows, with lines and with damage seen as damage.
//!
//! Rows are cut out here, under strict quoting, and only then handed to the
//! `csv` crate: its own reader would swallow the rows after a cut one.

use std::borrow::Cow;

use super::MAX_RECORD;
use crate::moment::{self, DateOrder};

/// The header: column names trimmed, blanks collapsed (reference §7.4: portals
/// write trailing and double blanks).
pub(super) struct Header {
    /// Names, by position; a name may repeat.
    pub(super) names: Vec<String>,
    /// Which number of a date is its month, as far as the rows tell.
    pub(super) dates: DateOrder,
    /// What is to be said about that.
    pub(super) dates_note: Option<String>,
    delimiter: u8,
    /// First byte and line of the rows.
    rows: usize,
    line: u64,
}

impl Header {
    /// True if every one of these columns is there, case aside.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.position(name).is_some())
    }

    /// A field with its date's month first, if it holds one.
    pub(super) fn month_first<'a>(&self, field: &'a str) -> Cow<'a, str> {
        match self.dates {
            DateOrder::MonthFirst => Cow::Borrowed(field),
            DateOrder::DayFirst => moment::month_first(field),
        }
    }

    /// Position of the first column with this name, case aside.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.names
            .iter()
            .position(|have| have.eq_ignore_ascii_case(name))
    }
}

/// One row.
pub(super) struct Row<'a> {
    /// Its text.
    pub(super) text: &'a str,
    /// Line of its first byte, from 1.
    pub(super) line: u64,
    /// Its fields by position, or why they cannot be told.
    pub(super) fields: Result<Vec<String>, String>,
}

/// The header of a CSV text, if its first row looks like one.
pub(super) fn header(text: &str) -> Option<Header> {
    let mut at = 0;
    let mut line = 1;
    // PowerShell writes `#TYPE …` first, some tools `sep=,`.
    loop {
        let rest = text.get(at..)?;
        let end = rest.find('\n').map_or(text.len(), |length| at + length + 1);
        let first = text.get(at..end)?.trim();
        if first.is_empty()
            || first.starts_with('#')
            || first.to_ascii_lowercase().starts_with("sep=")
        {
            if end >= text.len() {
                return None;
            }
            at = end;
            line += 1;
            continue;
        }
        break;
    }
    let first_line = text.get(at..)?.lines().next()?;
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|delimiter| {
        first_line.bytes().filter(|byte| byte == delimiter).count() * 4
            + usize::from(*delimiter == b',')
    })?;
    let (end, lines, sound) = row_end(text.as_bytes(), at, delimiter);
    let names = sound
        .then(|| fields(text.get(at..end)?, delimiter))
        .flatten()?
        .into_iter()
        .map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>();
    let (dates, dates_note) = moment::date_order(text.get(end..).unwrap_or_default());
    Some(Header {
        names,
        dates,
        dates_note,
        delimiter,
        rows: end,
        line: line + lines,
    })
}

/// Hands every row to `sink`.
pub(super) fn read<'a>(text: &'a str, header: &Header, sink: &mut dyn FnMut(Row<'a>)) {
    let bytes = text.as_bytes();
    let (mut at, mut line) = (header.rows, header.line);
    let width = header.names.len();
    while at < bytes.len() {
        let (end, lines, sound) = row_end(bytes, at, header.delimiter);
        let slice = text.get(at..end).unwrap_or_default();
        if slice.trim().is_empty() {
            (at, line) = (end, line + lines);
            continue;
        }
        let parsed = if sound {
            fields(slice, header.delimiter)
        } else {
            None
        };
        let result = match parsed {
            Some(fields) if fields.len() <= width => Ok(fields),
            Some(fields)
                if fields
                    .iter()
                    .skip(width)
                    .all(|field| field.trim().is_empty()) =>
            {
                Ok(fields.into_iter().take(width).collect())
            }
            Some(fields) => Err(format!(
                "{} columns where the header has {width}",
                fields.len()
            )),
            None if slice.len() > MAX_RECORD => Err("longer than a record may be".to_owned()),
            None if end >= bytes.len() => Err("cut off".to_owned()),
            None => Err("a quote stands where none may".to_owned()),
        };
        match result {
            Ok(fields) => {
                sink(Row {
                    text: slice.trim_end(),
                    line,
                    fields: Ok(fields),
                });
                (at, line) = (end, line + lines);
            }
            // Only the first line of it is surely this row's; lines that
            // cannot begin a row go with it.
            Err(why) => {
                let begin = at;
                let begin_line = line;
                loop {
                    let next = line_end(bytes, at);
                    at = next;
                    line += 1;
                    if at >= bytes.len() || begins_row(text.get(at..).unwrap_or_default()) {
                        break;
                    }
                }
                let slice = text.get(begin..at).unwrap_or_default().trim_end();
                sink(Row {
                    text: slice,
                    line: begin_line,
                    fields: Err(why),
                });
            }
        }
    }
}

/// Continuations of a field are JSON in every export that has line breaks in
/// fields: they begin with a blank or a bracket.
fn begins_row(rest: &str) -> bool {
    !rest.starts_with([' ', '\t', '{', '}', '[', ']', '\r', '\n'])
}

/// End of the row that begins here (past its line end), lines in it, and
/// whether its quotes are where they may be.
fn row_end(bytes: &[u8], start: usize, delimiter: u8) -> (usize, u64, bool) {
    let mut at = start;
    let mut lines = 0;
    let mut field_begins = true;
    while let Some(byte) = bytes.get(at).copied() {
        if at - start > MAX_RECORD {
            return (at, lines, false);
        }
        at += 1;
        match byte {
            b'"' if field_begins => {
                field_begins = false;
                loop {
                    match bytes.get(at) {
                        None => return (bytes.len(), lines, false),
                        Some(b'"') if bytes.get(at + 1) == Some(&b'"') => at += 2,
                        Some(b'"') => {
                            at += 1;
                            break;
                        }
                        Some(b'\n') => {
                            lines += 1;
                            at += 1;
                        }
                        Some(_) => at += 1,
                    }
                }
                match bytes.get(at) {
                    None | Some(b'\r' | b'\n') => {}
                    Some(byte) if *byte == delimiter => {}
                    Some(_) => return (at, lines, false),
                }
            }
            b'\n' => return (at, lines + 1, true),
            _ => field_begins = byte == delimiter,
        }
    }
    (at, lines + 1, true)
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes
        .get(at..)
        .unwrap_or_default()
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |length| at + length + 1)
}

fn fields(row: &str, delimiter: u8) -> Option<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(row.as_bytes());
    let mut record = csv::StringRecord::new();
    reader
        .read_record(&mut record)
        .ok()?
        .then(|| record.iter().map(str::to_owned).collect())
}
