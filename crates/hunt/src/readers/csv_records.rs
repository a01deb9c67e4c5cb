//! CSV text to rows, with lines and with damage seen as damage.
//!
//! Rows are cut out here, under strict quoting, and only then handed to the
//! `csv` crate: its own reader would swallow the rows after a cut one. The
//! text comes in pieces.

use std::borrow::Cow;
use std::sync::Arc;

use super::MAX_RECORD;
use super::chunk::{Kept, Out};
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

/// The header of a CSV text, if its first row looks like one. The more of the rows
/// is at hand, the surer is which way their dates are written.
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
    let RowEnd::At(row) = row_end(text.as_bytes(), at, delimiter, true) else {
        return None;
    };
    let names = row
        .sound
        .then(|| parse(text.get(at..row.end)?, delimiter))
        .flatten()?
        .into_iter()
        .map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>();
    let (dates, dates_note) = moment::date_order(text.get(row.end..).unwrap_or_default());
    Some(Header {
        names,
        dates,
        dates_note,
        delimiter,
        rows: row.end,
        line: line + row.lines,
    })
}

/// The fields of one row, by position.
pub(super) fn fields(row: &str, header: &Header) -> Option<Vec<String>> {
    let mut fields = parse(row, header.delimiter)?;
    // What is beyond the header is empty, or the row would have been damage.
    fields.truncate(header.names.len());
    Some(fields)
}

/// Cuts a stream of rows.
pub(super) struct Rows {
    header: Arc<Header>,
    line: u64,
    /// Bytes of the header that are still to be passed over.
    skip: usize,
    /// Inside a damaged row.
    damaged: Option<Damaged>,
}

struct Damaged {
    kept: Kept,
    line: u64,
    why: String,
}

impl Rows {
    /// The rows under a header, which the text begins with.
    pub(super) fn new(header: Arc<Header>, lines_before: u64) -> Self {
        Self {
            line: header.line + lines_before,
            skip: header.rows,
            header,
            damaged: None,
        }
    }

    /// Cuts what can be cut of a piece, the last one with `end`; gives how many of
    /// its bytes are done with. The others come again, with more behind them.
    pub(super) fn step(&mut self, text: &str, end: bool, out: &mut Out<'_>) -> usize {
        let bytes = text.as_bytes();
        let mut at = self.skip.min(bytes.len());
        self.skip -= at;
        while at < bytes.len() {
            if let Some(mut damaged) = self.damaged.take() {
                match self.pass_over(&mut damaged, text, &mut at, end) {
                    Passed::Row => out.broken(
                        damaged.kept.text().trim_end(),
                        damaged.line,
                        Cow::Owned(damaged.why),
                    ),
                    Passed::NotYet => {
                        self.damaged = Some(damaged);
                        return at;
                    }
                }
                continue;
            }
            let row = match row_end(bytes, at, self.header.delimiter, end) {
                RowEnd::More => return at,
                RowEnd::At(row) => row,
            };
            let slice = text.get(at..row.end).unwrap_or_default();
            if !slice.trim().is_empty() {
                match self.fault(slice, &row, row.end >= bytes.len()) {
                    None => out.unit(slice.trim_end(), self.line),
                    Some(why) => {
                        self.damaged = Some(Damaged {
                            kept: Kept::default(),
                            line: self.line,
                            why,
                        });
                        continue;
                    }
                }
            }
            (at, self.line) = (row.end, self.line + row.lines);
        }
        if end && let Some(damaged) = self.damaged.take() {
            out.broken(
                damaged.kept.text().trim_end(),
                damaged.line,
                Cow::Owned(damaged.why),
            );
        }
        at
    }

    /// Why a row cannot be read.
    fn fault(&self, slice: &str, row: &Row, last: bool) -> Option<String> {
        let width = self.header.names.len();
        if !row.sound {
            return Some(
                if slice.len() > MAX_RECORD {
                    "longer than a record may be"
                } else if last {
                    "cut off"
                } else {
                    "a quote stands where none may"
                }
                .to_owned(),
            );
        }
        if row.columns <= width {
            return None;
        }
        let fields = parse(slice, self.header.delimiter)?;
        let more = fields
            .iter()
            .skip(width)
            .any(|field| !field.trim().is_empty());
        more.then(|| format!("{} columns where the header has {width}", fields.len()))
    }

    /// Only the first line of a damaged row is surely its own; lines that cannot begin
    /// a row go with it.
    fn pass_over(
        &mut self,
        damaged: &mut Damaged,
        text: &str,
        at: &mut usize,
        end: bool,
    ) -> Passed {
        let bytes = text.as_bytes();
        loop {
            let line_end = line_end(bytes, *at);
            let ended = line_end.checked_sub(1).and_then(|last| bytes.get(last)) == Some(&b'\n');
            if !end && (!ended || line_end == bytes.len()) {
                // What begins the next line is not known yet. Of a line without end
                // nothing has to come again.
                let upto = if ended { line_end - 1 } else { line_end };
                damaged.kept.push(text.get(*at..upto).unwrap_or_default());
                *at = upto;
                return Passed::NotYet;
            }
            damaged
                .kept
                .push(text.get(*at..line_end).unwrap_or_default());
            *at = line_end;
            self.line += 1;
            if line_end >= bytes.len() || begins_row(text.get(line_end..).unwrap_or_default()) {
                return Passed::Row;
            }
        }
    }
}

enum Passed {
    /// The damaged row is over.
    Row,
    /// It may go on in what is to come.
    NotYet,
}

/// Continuations of a field are JSON in every export that has line breaks in
/// fields: they begin with a blank or a bracket.
fn begins_row(rest: &str) -> bool {
    !rest.starts_with([' ', '\t', '{', '}', '[', ']', '\r', '\n'])
}

enum RowEnd {
    At(Row),
    /// The text at hand ends inside the row.
    More,
}

struct Row {
    /// Past its line end.
    end: usize,
    /// Lines in it.
    lines: u64,
    /// Its columns, as far as its quotes are sound.
    columns: usize,
    /// Its quotes are where they may be.
    sound: bool,
}

/// The row that begins here; `end` says that no more text comes.
fn row_end(bytes: &[u8], start: usize, delimiter: u8, end: bool) -> RowEnd {
    let mut at = start;
    let (mut lines, mut columns) = (0, 1);
    let mut field_begins = true;
    let row = |at, lines, columns, sound| {
        RowEnd::At(Row {
            end: at,
            lines,
            columns,
            sound,
        })
    };
    let waits = !end && bytes.len() - start <= MAX_RECORD;
    while let Some(byte) = bytes.get(at).copied() {
        if at - start > MAX_RECORD {
            return row(at, lines, columns, false);
        }
        at += 1;
        match byte {
            b'"' if field_begins => {
                field_begins = false;
                loop {
                    match bytes.get(at) {
                        None if waits => return RowEnd::More,
                        None => return row(bytes.len(), lines, columns, false),
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
                    // What looks like the end may be the first of two quotes.
                    None if waits => return RowEnd::More,
                    None | Some(b'\r' | b'\n') => {}
                    Some(byte) if *byte == delimiter => {}
                    Some(_) => return row(at, lines, columns, false),
                }
            }
            b'\n' => return row(at, lines + 1, columns, true),
            _ => {
                field_begins = byte == delimiter;
                columns += usize::from(field_begins);
            }
        }
    }
    if waits {
        return RowEnd::More;
    }
    let sound = bytes.len() - start <= MAX_RECORD;
    row(at, lines + 1, columns, sound)
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes
        .get(at..)
        .unwrap_or_default()
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |length| at + length + 1)
}

fn parse(row: &str, delimiter: u8) -> Option<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(row.len().clamp(256, 8 << 10))
        .from_reader(row.as_bytes());
    let mut record = csv::StringRecord::new();
    reader
        .read_record(&mut record)
        .ok()?
        .then(|| record.iter().map(str::to_owned).collect())
}
