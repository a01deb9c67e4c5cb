//! One stream of bytes, cut into chunks of records.
//!
//! The first MiB of the text decides what it is. Nothing depends on the
//! pieces in which the bytes come, nor on the size of the chunks.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use super::chunk::{Chunk, Kept, Layout, Out};
use super::csv_records::{self, Rows};
use super::decode::Decoder;
use super::json_records::{self, Json};
use super::table;

/// How much of the text decides what it is, in bytes.
const DECIDE: usize = 1 << 20;

/// Bytes that are read at a time.
const PIECE: usize = 256 << 10;

/// What is to be said of a stream besides its records.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Notes for the input's report.
    pub(crate) notes: Vec<String>,
    /// Why it could not be read to its end.
    pub(crate) fault: Option<String>,
    /// Bytes that were read.
    pub(crate) bytes: u64,
}

/// Reads a stream to its end and hands on its records in chunks of about `size`
/// bytes. A stream that breaks off is read as far as it goes.
pub(crate) fn cut(reader: &mut dyn Read, size: usize, emit: &mut dyn FnMut(Chunk)) -> Said {
    let mut cutter = Cutter::new(size, emit);
    let mut said = Said::default();
    let mut piece = vec![0; PIECE];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => {
                said.bytes += length as u64;
                cutter.push(piece.get(..length).unwrap_or_default(), false);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                said.fault = Some(error.to_string());
                break;
            }
        }
    }
    cutter.push(&[], true);
    said.notes = cutter.notes();
    said
}

struct Cutter<'a> {
    decoder: Decoder,
    text: String,
    /// Text that has to be at hand before the next step is worth its while.
    wanted: usize,
    size: usize,
    mode: Mode,
    out: Out<'a>,
    notes: Vec<String>,
}

enum Mode {
    /// Not decided; lines of blanks that were passed over.
    Undecided(u64),
    Json(Json),
    Rows(Rows),
    Nothing(Nothing),
}

/// No record of a known form so far.
struct Nothing {
    kept: Kept,
    line: u64,
    /// Line ends since.
    lines: u64,
}

impl<'a> Cutter<'a> {
    fn new(size: usize, emit: &'a mut dyn FnMut(Chunk)) -> Self {
        let size = size.max(1);
        Self {
            decoder: Decoder::default(),
            text: String::new(),
            wanted: DECIDE,
            size,
            mode: Mode::Undecided(0),
            out: Out::new(size, emit),
            notes: Vec::new(),
        }
    }

    fn push(&mut self, bytes: &[u8], end: bool) {
        self.decoder.push(bytes, end, &mut self.text);
        while end || self.text.len() >= self.wanted {
            let done = self.step(end);
            self.text.drain(..done);
            // What is left is longer than a step: it is looked at again when there is
            // twice as much of it, so that the time stays linear.
            self.wanted = match self.mode {
                Mode::Undecided(_) => DECIDE,
                _ => self.size.max(self.text.len() * 2),
            };
            if end && self.text.is_empty() {
                break;
            }
        }
        if end {
            self.out.flush();
        }
    }

    /// Cuts what can be cut; gives how many bytes of the text are done with.
    fn step(&mut self, end: bool) -> usize {
        let text = self.text.as_str();
        match &mut self.mode {
            Mode::Undecided(lines) => {
                let lines = *lines;
                self.decide(lines)
            }
            Mode::Json(json) => {
                let out = &mut self.out;
                let done = json.step(text, end, &mut |found| json_records::into_out(out, found));
                if end && json.is_cut() {
                    self.notes
                        .push("the input ends inside a list: it was cut off".to_owned());
                }
                if end { text.len() } else { done }
            }
            Mode::Rows(rows) => rows.step(text, end, &mut self.out),
            Mode::Nothing(nothing) => match nothing.step(text, end) {
                Step::On(done) => done,
                Step::Json(at) => {
                    let lines = nothing.lines;
                    nothing.tell(&mut self.out);
                    self.mode = Mode::Json(Json::after(lines));
                    at
                }
                Step::End => {
                    nothing.tell(&mut self.out);
                    text.len()
                }
            },
        }
    }

    /// Decides by what is at hand: a MiB, or all there is.
    fn decide(&mut self, lines: u64) -> usize {
        let text = self.text.as_str();
        let head = text
            .get(..text.floor_char_boundary(DECIDE))
            .unwrap_or_default();
        let blanks = head.len() - head.trim_start().len();
        let Some(first) = head.trim_start().chars().next() else {
            self.mode = Mode::Undecided(lines + ends(head));
            return head.len();
        };
        if matches!(first, '{' | '[') {
            // The blanks before the first record tell how deep it stands.
            let at = head
                .get(..blanks)
                .unwrap_or_default()
                .rfind('\n')
                .map_or(0, |at| at + 1);
            let before = lines + ends(head.get(..at).unwrap_or_default());
            self.mode = Mode::Json(Json::after(before));
            return at;
        }
        let header = csv_records::header(head);
        if let Some((header, table)) =
            header.and_then(|header| table::recognise(&header).map(|table| (header, table)))
        {
            self.notes.extend(header.dates_note.clone());
            let header = Arc::new(header);
            self.out.layout(Layout::Rows(Arc::clone(&header), table));
            self.mode = Mode::Rows(Rows::new(header, lines));
            return 0;
        }
        // The tail of a cut JSON file still has whole lines.
        if head.lines().any(|line| line.starts_with('{')) {
            self.mode = Mode::Json(Json::after(lines));
            return 0;
        }
        self.mode = Mode::Nothing(Nothing {
            kept: Kept::default(),
            line: lines + 1,
            lines,
        });
        0
    }

    fn notes(self) -> Vec<String> {
        self.notes.into_iter().chain(self.decoder.note()).collect()
    }
}

enum Step {
    /// So many bytes are done with.
    On(usize),
    /// A JSON record begins here.
    Json(usize),
    /// All is read.
    End,
}

impl Nothing {
    fn step(&mut self, text: &str, end: bool) -> Step {
        let mut at = 0;
        while let Some(length) = text.get(at..).and_then(|rest| rest.find('\n')) {
            let next = at + length + 1;
            if text.len() == next && !end {
                self.kept.push(text.get(at..next - 1).unwrap_or_default());
                return Step::On(next - 1);
            }
            self.kept.push(text.get(at..next).unwrap_or_default());
            self.lines += 1;
            if text.as_bytes().get(next) == Some(&b'{') {
                return Step::Json(next);
            }
            at = next;
        }
        self.kept.push(text.get(at..).unwrap_or_default());
        if end { Step::End } else { Step::On(text.len()) }
    }

    fn tell(&self, out: &mut Out<'_>) {
        let why = Cow::Borrowed("no record of a known form");
        out.broken(self.kept.text(), self.line, why);
    }
}

fn ends(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}
