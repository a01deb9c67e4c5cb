//! The answer of a Log Analytics query, `{"tables":[{"columns":[…],"rows":[[…]]}]}`:
//! its rows as records, as far as they are whole.

use serde_json::{Map, Value};

/// One row as a record.
pub(super) struct Row {
    /// Its cells under their columns' names.
    pub(super) value: Value,
    /// Line ends between the begin of the text and the row.
    pub(super) lines: u64,
}

/// The rows of a query's answer, and what is left of the text after the last
/// whole one if it breaks off in a table; none if the text is no such answer.
pub(super) fn rows(text: &str) -> Option<(Vec<Row>, Option<&str>)> {
    let head = text.trim_start().strip_prefix('{')?.trim_start();
    if !head.starts_with("\"tables\"") {
        return None;
    }
    let mut rows = Vec::new();
    let mut at = 0;
    let (mut counted, mut lines) = (0, 0);
    while let Some((columns, begin)) = next_table(text, at) {
        let mut reader = Rows { text, at: begin };
        loop {
            match reader.next() {
                Step::Row(start, Value::Array(cells)) => {
                    lines += text.get(counted..start)?.matches('\n').count() as u64;
                    counted = start;
                    rows.push(Row {
                        value: record(&columns, cells),
                        lines,
                    });
                }
                Step::Row(..) => {}
                Step::End(after) => {
                    at = after;
                    break;
                }
                Step::Broken(start) => {
                    let rest = text.get(start..).map(str::trim).filter(|t| !t.is_empty());
                    return Some((rows, rest.or(Some(""))));
                }
            }
        }
    }
    Some((rows, None))
}

fn record(columns: &[String], cells: Vec<Value>) -> Value {
    let mut map = Map::new();
    for (name, cell) in columns.iter().zip(cells) {
        if !cell.is_null() && cell.as_str() != Some("") {
            map.insert(name.clone(), cell);
        }
    }
    Value::Object(map)
}

/// The next table's column names, and where its rows begin.
fn next_table(text: &str, from: usize) -> Option<(Vec<String>, usize)> {
    let columns_at = after_key(text, from, "\"columns\"")?;
    let mut stream = serde_json::Deserializer::from_str(text.get(columns_at..)?).into_iter();
    let columns: Value = stream.next()?.ok()?;
    let names = columns
        .as_array()?
        .iter()
        .map(|column| {
            column
                .get("name")
                .or_else(|| column.get("ColumnName"))
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    let rows_at = after_key(text, columns_at + stream.byte_offset(), "\"rows\"")?;
    let open = text.get(rows_at..)?.find('[')?;
    Some((names, rows_at + open + 1))
}

fn after_key(text: &str, from: usize, key: &str) -> Option<usize> {
    let at = from + text.get(from..)?.find(key)? + key.len();
    let colon = text.get(at..)?.find(':')?;
    Some(at + colon + 1)
}

enum Step {
    Row(usize, Value),
    End(usize),
    Broken(usize),
}

struct Rows<'a> {
    text: &'a str,
    at: usize,
}

impl Rows<'_> {
    fn next(&mut self) -> Step {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let begin = rest
            .find(|c: char| !c.is_whitespace() && c != ',')
            .map_or(self.text.len(), |skip| self.at + skip);
        let rest = self.text.get(begin..).unwrap_or_default();
        if rest.starts_with(']') {
            return Step::End(begin + 1);
        }
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match stream.next() {
            Some(Ok(value)) => {
                self.at = begin + stream.byte_offset();
                Step::Row(begin, value)
            }
            _ => Step::Broken(begin),
        }
    }
}
