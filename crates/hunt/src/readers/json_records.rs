//! JSON text to records: lines, lists, pages with a `value`, pretty-printed or
//! not, several after another, and any of these cut off or damaged.
//!
//! The text is scanned once for the extents of records. When a record does
//! not end, or ends where it should not, the scan starts again at it in a
//! stricter manner, in which a line that begins with `{`, indented no deeper
//! than the record, begins the next one. That happens at most once in a text,
//! so the time stays linear.

use serde_json::Value;

use super::MAX_RECORD;

/// Keys whose list of objects makes its object a page of records.
const PAGE_KEYS: [&str; 6] = ["value", "records", "Records", "data", "results", "Results"];

/// One record, or what is left of it.
pub(super) struct Record<'a> {
    /// Its text.
    pub(super) text: &'a str,
    /// Line of its first byte, from 1.
    pub(super) line: u64,
    /// The parsed record, or why it cannot be.
    pub(super) value: Result<Value, String>,
}

/// Hands every record of the text to `sink`; true if the text ends inside a
/// list or page.
pub(super) fn read<'a>(text: &'a str, sink: &mut dyn FnMut(Record<'a>)) -> bool {
    Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        counted: 0,
        indent: 0,
        strict: false,
        open: Vec::new(),
    }
    .run(sink)
}

#[derive(Clone, Copy, PartialEq)]
enum Open {
    List,
    /// A list that is a page's: its object goes on after it.
    PageList,
}

enum Extent {
    /// The record ends before this byte.
    Whole(usize),
    /// It is a page, whose list begins at this byte.
    Page(usize),
    /// It breaks off before this byte.
    Broken(usize, &'static str),
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: u64,
    /// Bytes whose line ends are counted in `line`.
    counted: usize,
    /// Leading blanks of the line that `counted` stands in.
    indent: usize,
    strict: bool,
    open: Vec<Open>,
}

impl<'a> Scanner<'a> {
    fn run(mut self, sink: &mut dyn FnMut(Record<'a>)) -> bool {
        while let Some(byte) = self.byte(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b'}' | 0x1e | 0 => self.at += 1,
                b'[' => {
                    self.open.push(Open::List);
                    self.at += 1;
                }
                b']' => {
                    self.at += 1;
                    if self.open.pop() == Some(Open::PageList) {
                        self.skip_rest_of_page();
                    }
                }
                b'{' => self.object(sink),
                _ => {
                    let end = self.line_end(self.at);
                    self.emit(end, Err("not a JSON record".to_owned()), sink);
                }
            }
        }
        !self.open.is_empty()
    }

    fn object(&mut self, sink: &mut dyn FnMut(Record<'a>)) {
        self.count_lines();
        match self.extent(self.at) {
            Extent::Page(list) => {
                self.open.push(Open::PageList);
                self.at = list + 1;
            }
            Extent::Whole(end) => {
                let text = self.slice(self.at, end);
                match serde_json::from_str::<Value>(text) {
                    Ok(value) => self.emit(end, Ok(value), sink),
                    Err(_) if !self.strict && text.contains('\n') => self.strict = true,
                    Err(error) => self.emit(end, Err(reason(&error)), sink),
                }
            }
            Extent::Broken(end, _) if !self.strict && self.slice(self.at, end).contains('\n') => {
                self.strict = true;
            }
            Extent::Broken(end, why) => {
                let end = self.resume(end);
                self.emit(end, Err(why.to_owned()), sink);
            }
        }
    }

    fn emit(&mut self, end: usize, value: Result<Value, String>, sink: &mut dyn FnMut(Record<'a>)) {
        self.count_lines();
        let line = self.line;
        let text = self.slice(self.at, end).trim_end();
        sink(Record { text, line, value });
        self.at = end;
    }

    /// Where the object that starts here ends.
    fn extent(&self, start: usize) -> Extent {
        let indent = self.indent;
        let mut depth = 0usize;
        let mut at = start;
        // The last text at depth 1, and whether a colon made it a key.
        let mut word = (0, 0);
        let mut key: Option<(usize, usize)> = None;
        while let Some(byte) = self.byte(at) {
            if at - start > MAX_RECORD {
                return Extent::Broken(at, "longer than a record may be");
            }
            match byte {
                b'"' => {
                    let from = at + 1;
                    at = from;
                    loop {
                        match self.byte(at) {
                            None => return Extent::Broken(self.bytes.len(), "cut off"),
                            Some(b'\n') => {
                                return Extent::Broken(at, "the line ends inside a text");
                            }
                            Some(b'"') => break,
                            // An escape must not swallow the line's end.
                            Some(b'\\') if self.byte(at + 1) != Some(b'\n') => at += 2,
                            Some(_) => at += 1,
                        }
                    }
                    if depth == 1 {
                        word = (from, at);
                        key = None;
                    }
                }
                b':' if depth == 1 => key = Some(word),
                b'[' if depth == 1 && self.is_page(key, at) => return Extent::Page(at),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Extent::Whole(at + 1);
                    }
                }
                b',' if depth == 1 => key = None,
                b'\n' if self.strict && self.starts_record(at + 1, indent) => {
                    return Extent::Broken(at, "the next record begins before this one ends");
                }
                _ => {}
            }
            at += 1;
        }
        Extent::Broken(self.bytes.len(), "cut off")
    }

    /// A list under a page's key that holds objects, or nothing.
    fn is_page(&self, key: Option<(usize, usize)>, list: usize) -> bool {
        let Some((from, to)) = key else { return false };
        if self.open.len() > 8 || !PAGE_KEYS.contains(&self.slice(from, to)) {
            return false;
        }
        let mut at = list + 1;
        while let Some(byte) = self.byte(at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                b'{' | b']' => return true,
                _ => return false,
            }
        }
        true
    }

    /// After a page's list: to the end of its object.
    fn skip_rest_of_page(&mut self) {
        let mut depth = 1usize;
        while let Some(byte) = self.byte(self.at) {
            self.at += 1;
            match byte {
                b'"' => {
                    while let Some(byte) = self.byte(self.at) {
                        self.at += 1;
                        match byte {
                            b'"' | b'\n' => break,
                            b'\\' => self.at += 1,
                            _ => {}
                        }
                    }
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    /// After a broken record: the begin of the line with the next one. What
    /// lies between belongs to the broken one.
    fn resume(&self, broken: usize) -> usize {
        let indent = self.indent;
        let mut at = broken;
        while at < self.bytes.len() {
            let next = self.line_end(at) + 1;
            if next >= self.bytes.len() {
                return self.bytes.len();
            }
            if self.starts_record(next, indent) || self.first_on_line(next) == Some(b']') {
                return next;
            }
            at = next;
        }
        self.bytes.len()
    }

    fn starts_record(&self, line: usize, indent: usize) -> bool {
        self.first_on_line(line) == Some(b'{') && self.leading(line) <= indent
    }

    fn first_on_line(&self, line: usize) -> Option<u8> {
        self.byte(line + self.leading(line))
    }

    fn leading(&self, line: usize) -> usize {
        self.bytes
            .get(line..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count()
    }

    fn line_end(&self, at: usize) -> usize {
        self.bytes
            .get(at..)
            .unwrap_or_default()
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(self.bytes.len(), |length| at + length)
    }

    /// Brings `line` and `indent` up to the present byte; every byte is
    /// counted once.
    fn count_lines(&mut self) {
        let passed = self.bytes.get(self.counted..self.at).unwrap_or_default();
        if let Some(last) = passed.iter().rposition(|byte| *byte == b'\n') {
            self.line += passed.split(|byte| *byte == b'\n').skip(1).count() as u64;
            self.indent = self.leading(self.counted + last + 1);
        } else if self.counted == 0 {
            self.indent = self.leading(0);
        }
        self.counted = self.counted.max(self.at);
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// Boundaries are ASCII bytes, or else moved outward to whole characters.
    fn slice(&self, from: usize, to: usize) -> &'a str {
        let to = to.min(self.bytes.len());
        let to = self.text.ceil_char_boundary(to);
        self.text.get(from..to).unwrap_or_default()
    }
}

fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.contains("recursion limit") {
        "nested too deeply".to_owned()
    } else {
        // The place counts from the record's begin; the report has the line.
        let what = text.split(" at line ").next().unwrap_or_default();
        format!("not valid JSON: {what}")
    }
}
