//! JSON text to records: lines, lists, pages with a `value`, the answers of
//! queries, pretty-printed or not, several after another, and any of these cut
//! off or damaged.
//!
//! The text comes in pieces. It is scanned once for the extents of records.
//! When a record does not end, or ends where it should not, the scan starts
//! again at it in a stricter manner, in which a line that begins with `{`,
//! indented no deeper than the record, begins the next one. That happens at
//! most once in a text, so the time stays linear.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::MAX_RECORD;
use super::chunk::{Kept, Layout, Out};
use super::query_result::Query;

/// Keys whose list of objects makes its object a page of records.
const PAGE_KEYS: [&str; 6] = ["value", "records", "Records", "data", "results", "Results"];

/// Lists inside one another that are looked into.
const MAX_OPEN: usize = 8;

/// The longest line that is taken for a record by its two ends alone.
const MAX_LINE: usize = 256 << 10;

/// The longest run of blanks whose length matters.
const MAX_BLANKS: usize = 64 << 10;

/// The longest key that matters.
const MAX_KEY: usize = 256;

/// Bytes that tell the answer of a query.
const QUERY_HEAD: usize = 64;

/// A record that is a page of others.
pub(super) fn is_page(value: &Value) -> bool {
    PAGE_KEYS.iter().any(|key| {
        value
            .get(key)
            .and_then(Value::as_array)
            .is_some_and(|items| items.first().is_none_or(Value::is_object))
    })
}

/// Another record follows the one that was read.
pub(super) fn goes_on(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("trailing characters")
}

/// Why a text is no record.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.contains("recursion limit") {
        "nested too deeply".to_owned()
    } else {
        // The place counts from the record's begin; the report has the line.
        let what = text.split(" at line ").next().unwrap_or_default();
        format!("not valid JSON: {what}")
    }
}

/// Hands every record of a whole text to `sink`: text, line, and why it is damaged.
pub(super) fn each(text: &str, sink: &mut Each<'_>) {
    let mut json = Json {
        lines_apart: true,
        ..Json::default()
    };
    json.step(text, true, &mut |found| match found {
        Found::Record(text, line) => sink(text, line, None),
        Found::Broken(text, line, why) => sink(text, line, Some(why)),
        Found::Columns(_) => {}
    });
}

/// Takes a record's text, its line, and why it is damaged.
pub(super) type Each<'a> = dyn FnMut(&str, u64, Option<Cow<'static, str>>) + 'a;

/// Cuts a stream of JSON.
#[derive(Default)]
pub(super) struct Json {
    line: Lines,
    /// In the stricter manner.
    strict: bool,
    open: Vec<Open>,
    mode: Mode,
    /// No line is taken for a record by its ends.
    lines_apart: bool,
}

/// What has been found; texts are parts of the piece at hand, or what was kept of a
/// damaged record.
pub(super) enum Found<'a> {
    /// A record and its line.
    Record(&'a str, u64),
    /// A damaged one.
    Broken(&'a str, u64, Cow<'static, str>),
    /// The records that follow are cells under these columns; none: objects again.
    Columns(Option<Arc<Vec<String>>>),
}

#[derive(Default)]
enum Mode {
    #[default]
    Records,
    /// Inside something damaged.
    Skip(Skip),
    /// After a page's list, to the end of its object.
    PageTail(Walk),
    /// Inside the answer of a query.
    Query(Query),
}

struct Skip {
    kept: Kept,
    line: u64,
    why: Cow<'static, str>,
    /// It ends with its line; otherwise before the line of the next record.
    one_line: bool,
}

/// How deep something is, and whether inside a text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    pub(super) depth: usize,
    in_text: bool,
}

impl Walk {
    /// At this depth.
    pub(super) const fn at(depth: usize) -> Self {
        Self {
            depth,
            in_text: false,
        }
    }
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
    /// The piece ends before the record does.
    More,
}

/// Whether a pass can go on.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Flow {
    On,
    /// Not without more text, or at all if there is none.
    More,
}

/// Where in the stream the piece's bytes stand.
struct Lines {
    /// The line that `counted` stands in, from 1.
    line: u64,
    /// Leading blanks of that line.
    indent: usize,
    /// Nothing was counted yet.
    fresh: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            line: 1,
            indent: 0,
            fresh: true,
        }
    }
}

impl Json {
    /// With lines before the first piece.
    pub(super) fn after(lines: u64) -> Self {
        Self {
            line: Lines {
                line: lines + 1,
                ..Lines::default()
            },
            ..Self::default()
        }
    }

    /// Cuts what can be cut of a piece, the last one with `end`; gives how many of
    /// its bytes are done with. The others come again, with more behind them.
    pub(super) fn step(
        &mut self,
        text: &str,
        end: bool,
        found: &mut dyn FnMut(Found<'_>),
    ) -> usize {
        let mut pass = Pass {
            text,
            bytes: text.as_bytes(),
            end,
            at: 0,
            counted: 0,
            json: self,
            found,
        };
        pass.run();
        pass.done()
    }

    /// True if the text, which has ended, ends inside a list or page.
    pub(super) fn is_cut(&self) -> bool {
        !self.open.is_empty() || matches!(self.mode, Mode::Query(_))
    }
}

/// Puts what is found where it belongs.
pub(super) fn into_out(out: &mut Out<'_>, found: Found<'_>) {
    match found {
        Found::Record(text, line) => out.unit(text, line),
        Found::Broken(text, line, why) => out.broken(text, line, why),
        Found::Columns(columns) => out.layout(columns.map_or(Layout::Json, Layout::Cells)),
    }
}

/// One piece being cut.
pub(super) struct Pass<'a> {
    pub(super) text: &'a str,
    bytes: &'a [u8],
    pub(super) end: bool,
    pub(super) at: usize,
    /// Bytes whose line ends are counted.
    counted: usize,
    json: &'a mut Json,
    found: &'a mut dyn FnMut(Found<'_>),
}

impl<'a> Pass<'a> {
    fn run(&mut self) {
        loop {
            let flow = match std::mem::take(&mut self.json.mode) {
                Mode::Records => self.records(),
                Mode::Skip(skip) => self.skip(skip),
                Mode::PageTail(walk) => self.page_tail(walk),
                Mode::Query(query) => self.query(query),
            };
            if flow == Flow::More {
                return;
            }
        }
    }

    /// Bytes that need not come again.
    fn done(mut self) -> usize {
        // The blanks before a record tell how deep it stands: they stay with it.
        let blanks = self
            .bytes
            .get(..self.at)
            .unwrap_or_default()
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        let before = self.at - blanks;
        let begins_line = before == 0 && self.json.line.fresh
            || before.checked_sub(1).and_then(|at| self.byte(at)) == Some(b'\n');
        let waits = self.at >= self.counted && self.at == self.bytes.len();
        if waits && !self.end && begins_line && blanks <= MAX_BLANKS {
            self.at = before.saturating_sub(1).max(self.counted);
        }
        self.count_lines();
        self.at
    }

    fn records(&mut self) -> Flow {
        while let Some(byte) = self.byte(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b'}' | 0x1e | 0 => self.at += 1,
                b'[' => {
                    if self.json.open.len() < MAX_BLANKS {
                        self.json.open.push(Open::List);
                    }
                    self.at += 1;
                }
                b']' => {
                    self.at += 1;
                    if self.json.open.pop() == Some(Open::PageList) {
                        self.json.mode = Mode::PageTail(Walk::at(1));
                        return Flow::On;
                    }
                }
                b'{' => {
                    let flow = self.object();
                    if flow == Flow::More || !matches!(self.json.mode, Mode::Records) {
                        return flow;
                    }
                }
                _ => {
                    self.start_skip(self.at, "not a JSON record", true);
                    return Flow::On;
                }
            }
        }
        Flow::More
    }

    fn object(&mut self) -> Flow {
        self.count_lines();
        if let Some(end) = self.line_record() {
            self.emit(end);
            return Flow::On;
        }
        match self.is_query() {
            None => return Flow::More,
            Some(true) => {
                self.json.mode = Mode::Query(Query::default());
                return Flow::On;
            }
            Some(false) => {}
        }
        match self.extent(self.at, true) {
            Extent::More => return Flow::More,
            Extent::Page(list) => {
                self.json.open.push(Open::PageList);
                self.at = list + 1;
            }
            Extent::Whole(end) => {
                let text = self.slice(self.at, end);
                if !self.json.strict
                    && text.contains('\n')
                    && serde_json::from_str::<IgnoredAny>(text).is_err()
                {
                    self.json.strict = true;
                } else {
                    self.emit(end);
                }
            }
            Extent::Broken(end, _)
                if !self.json.strict && self.slice(self.at, end).contains('\n') =>
            {
                self.json.strict = true;
            }
            Extent::Broken(end, why) => self.start_skip(end, why, false),
        }
        Flow::On
    }

    /// The end of the record that is all of its line, as in nearly all that is
    /// exported: told by its two ends and the next line's begin. What is wrong inside
    /// shows when it is read.
    fn line_record(&self) -> Option<usize> {
        if self.json.lines_apart {
            return None;
        }
        let length = self
            .bytes
            .get(self.at..)?
            .iter()
            .take(MAX_LINE + 1)
            .position(|byte| *byte == b'\n')?;
        let line_end = self.at + length;
        let next = self.first_on_line(line_end + 1);
        let apart = match next {
            Some(b'{' | b']') => true,
            Some(_) => false,
            None => self.end,
        };
        if !apart
            || self
                .slice(self.at, line_end.min(self.at + QUERY_HEAD))
                .contains("\"tables\"")
        {
            return None;
        }
        let mut text = self.slice(self.at, line_end).trim_end();
        if !self.json.open.is_empty() {
            text = text.strip_suffix(',').unwrap_or(text).trim_end();
        }
        text.ends_with('}').then_some(self.at + text.len())
    }

    /// Whether the object here is a query's answer; none if that cannot be told yet.
    fn is_query(&self) -> Option<bool> {
        if self.json.lines_apart {
            return Some(false);
        }
        let head = self.slice(self.at, self.at + QUERY_HEAD);
        let rest = head.strip_prefix('{').unwrap_or(head).trim_start();
        if rest.len() >= "\"tables\"".len() || self.end || head.len() >= QUERY_HEAD {
            return Some(rest.starts_with("\"tables\""));
        }
        None
    }

    fn emit(&mut self, end: usize) {
        let text = self.slice(self.at, end).trim_end();
        (self.found)(Found::Record(text, self.json.line.line));
        self.at = end;
    }

    /// Something damaged begins here and reaches to `end` at least.
    fn start_skip(&mut self, end: usize, why: &'static str, one_line: bool) {
        self.count_lines();
        let mut skip = Skip {
            kept: Kept::default(),
            line: self.json.line.line,
            why: Cow::Borrowed(why),
            one_line,
        };
        skip.kept.push(self.slice(self.at, end));
        self.at = end;
        self.json.mode = Mode::Skip(skip);
    }

    /// To where the next record may begin. What lies between belongs to the damaged
    /// one.
    fn skip(&mut self, mut skip: Skip) -> Flow {
        loop {
            let line_end = self.line_end(self.at);
            if line_end >= self.bytes.len() {
                return self.skip_all(skip);
            }
            if skip.one_line {
                skip.kept.push(self.slice(self.at, line_end));
                self.at = line_end;
                self.skipped(&skip);
                return Flow::On;
            }
            let next = line_end + 1;
            match self.first_on_line(next) {
                None if self.end => return self.skip_all(skip),
                None if self.bytes.len() - next <= MAX_BLANKS => {
                    skip.kept.push(self.slice(self.at, line_end));
                    self.at = line_end;
                    self.json.mode = Mode::Skip(skip);
                    return Flow::More;
                }
                first => {
                    skip.kept.push(self.slice(self.at, next));
                    self.at = next;
                    let begins = first == Some(b'{') && self.leading(next) <= self.json.line.indent;
                    if begins || first == Some(b']') {
                        self.skipped(&skip);
                        return Flow::On;
                    }
                }
            }
        }
    }

    fn skip_all(&mut self, mut skip: Skip) -> Flow {
        skip.kept.push(self.slice(self.at, self.bytes.len()));
        self.at = self.bytes.len();
        if self.end {
            self.skipped(&skip);
        } else {
            self.json.mode = Mode::Skip(skip);
        }
        Flow::More
    }

    fn skipped(&mut self, skip: &Skip) {
        (self.found)(Found::Broken(
            skip.kept.text().trim_end(),
            skip.line,
            skip.why.clone(),
        ));
    }

    fn page_tail(&mut self, mut walk: Walk) -> Flow {
        if self.walk(&mut walk, 0, &mut |_, _| false) {
            return Flow::On;
        }
        self.json.mode = Mode::PageTail(walk);
        Flow::More
    }

    fn query(&mut self, mut query: Query) -> Flow {
        let flow = query.step(self);
        if !query.is_over() {
            self.json.mode = Mode::Query(query);
            return Flow::More;
        }
        flow
    }

    /// Goes on to where the depth has come down to `floor`, true if it got there, or
    /// to behind the colon of a key for which `stop`, given the depth and the key, says
    /// so.
    pub(super) fn walk(
        &mut self,
        walk: &mut Walk,
        floor: usize,
        stop: &mut dyn FnMut(usize, &str) -> bool,
    ) -> bool {
        // The text that was read last, and where it ends if it has.
        let mut text: Option<(usize, Option<usize>)> = None;
        while let Some(byte) = self.byte(self.at) {
            self.at += 1;
            if walk.in_text {
                match byte {
                    b'\\' => self.at += 1,
                    b'"' | b'\n' => {
                        walk.in_text = false;
                        text = text.map(|(from, _)| (from, Some(self.at - 1)));
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => continue,
                b'"' => {
                    walk.in_text = true;
                    text = Some((self.at, None));
                    continue;
                }
                b':' => {
                    if let Some((from, Some(to))) = text
                        && stop(walk.depth, self.slice(from, to))
                    {
                        return false;
                    }
                }
                b'{' | b'[' => walk.depth += 1,
                b'}' | b']' => {
                    walk.depth = walk.depth.saturating_sub(1);
                    if walk.depth <= floor {
                        return true;
                    }
                }
                _ => {}
            }
            text = None;
        }
        // An escape may reach over the end of what is at hand.
        let split = self.at > self.bytes.len();
        self.at = self.bytes.len();
        if self.end {
            return false;
        }
        // A key comes again, whole.
        if let Some((from, _)) = text.filter(|(from, _)| self.at - from <= MAX_KEY) {
            walk.in_text = false;
            self.at = from - 1;
        } else if split {
            self.at -= 1;
        }
        false
    }

    /// One row of cells that begins here: handed on whole, or as what is left of it.
    /// False if more text is needed.
    pub(super) fn cells(&mut self) -> bool {
        self.count_lines();
        match self.extent(self.at, false) {
            Extent::More => false,
            Extent::Whole(end) => {
                self.emit(end);
                true
            }
            Extent::Page(end) | Extent::Broken(end, _) => {
                let text = self.slice(self.at, end).trim_end();
                let line = self.json.line.line;
                (self.found)(Found::Broken(text, line, Cow::Borrowed("cut off")));
                self.at = end;
                true
            }
        }
    }

    /// Says what the records to come are.
    pub(super) fn columns(&mut self, columns: Option<Arc<Vec<String>>>) {
        (self.found)(Found::Columns(columns));
    }

    /// Where the object or list that starts here ends.
    fn extent(&self, start: usize, pages: bool) -> Extent {
        let indent = self.json.line.indent;
        let mut depth = 0usize;
        let mut at = start;
        // The last text at depth 1, and whether a colon made it a key.
        let mut word = (0, 0);
        let mut key: Option<(usize, usize)> = None;
        while let Some(byte) = self.byte(at) {
            if at - start > MAX_RECORD {
                return Extent::Broken(at, TOO_LONG);
            }
            match byte {
                b'"' => {
                    let from = at + 1;
                    at = from;
                    loop {
                        match self.byte(at) {
                            None => return self.unfinished(start),
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
                b'[' if depth == 1 && pages && self.is_page_key(key) => {
                    match self.first_after(at + 1) {
                        None if !self.end => return self.unfinished(start),
                        Some(b'{' | b']') => return Extent::Page(at),
                        _ => depth += 1,
                    }
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Extent::Whole(at + 1);
                    }
                }
                b',' if depth == 1 => key = None,
                b'\n' if self.json.strict => match self.first_on_line(at + 1) {
                    None if !self.end => return self.unfinished(start),
                    Some(b'{') if self.leading(at + 1) <= indent => {
                        return Extent::Broken(at, "the next record begins before this one ends");
                    }
                    _ => {}
                },
                _ => {}
            }
            at += 1;
        }
        self.unfinished(start)
    }

    /// The text at hand ends inside the record that starts here.
    fn unfinished(&self, start: usize) -> Extent {
        if self.bytes.len() - start > MAX_RECORD {
            Extent::Broken(self.bytes.len(), TOO_LONG)
        } else if self.end {
            Extent::Broken(self.bytes.len(), "cut off")
        } else {
            Extent::More
        }
    }

    /// A key under which a list makes a page.
    fn is_page_key(&self, key: Option<(usize, usize)>) -> bool {
        key.is_some_and(|(from, to)| {
            self.json.open.len() <= MAX_OPEN && PAGE_KEYS.contains(&self.slice(from, to))
        })
    }

    /// The first byte from here on that is no blank.
    pub(super) fn first_after(&self, at: usize) -> Option<u8> {
        self.bytes
            .get(at..)?
            .iter()
            .copied()
            .find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
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

    /// Brings line and indent up to the present byte; every byte is counted once.
    fn count_lines(&mut self) {
        let passed = self.bytes.get(self.counted..self.at).unwrap_or_default();
        if let Some(last) = passed.iter().rposition(|byte| *byte == b'\n') {
            self.json.line.line += passed.split(|byte| *byte == b'\n').skip(1).count() as u64;
            self.json.line.indent = self.leading(self.counted + last + 1);
            self.json.line.fresh = false;
        } else if self.json.line.fresh && self.counted == 0 && self.at < self.bytes.len() {
            self.json.line.indent = self.leading(0);
            self.json.line.fresh = false;
        }
        self.counted = self.counted.max(self.at);
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// Boundaries are ASCII bytes, or else moved outward to whole characters.
    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        let to = self.text.ceil_char_boundary(to.min(self.bytes.len()));
        self.text.get(from..to).unwrap_or_default()
    }
}

const TOO_LONG: &str = "longer than a record may be";
