//! The answer of a Log Analytics query, `{"tables":[{"columns":[…],"rows":[[…]]}]}`:
//! its rows as records, as far as they are whole.

use std::sync::Arc;

use serde_json::Value;

use super::MAX_RECORD;
use super::json_records::{Flow, Pass, Walk};

/// Depth of the keys of a table: inside the answer, its list, its object.
const TABLE: usize = 3;

/// Where in an answer the scan stands.
#[derive(Default)]
pub(super) struct Query {
    walk: Walk,
    part: Part,
    over: bool,
}

#[derive(Default, PartialEq)]
enum Part {
    /// Between the parts that matter.
    #[default]
    Around,
    /// Behind the key `columns`.
    Columns,
    /// Behind the key `rows`.
    Rows,
    /// In the list of rows.
    InRows,
}

impl Query {
    /// The answer's object has ended.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Goes on as far as the text at hand allows.
    pub(super) fn step(&mut self, pass: &mut Pass<'_>) -> Flow {
        loop {
            let on = match self.part {
                Part::Around => self.around(pass),
                Part::Columns => self.columns(pass),
                Part::Rows => self.rows(pass),
                Part::InRows => self.row(pass),
            };
            if self.over {
                pass.columns(None);
                return Flow::On;
            }
            if !on {
                return Flow::More;
            }
        }
    }

    fn around(&mut self, pass: &mut Pass<'_>) -> bool {
        let mut part = Part::Around;
        self.over = pass.walk(&mut self.walk, 0, &mut |depth, key| {
            part = match (depth, key) {
                (TABLE, "columns") => Part::Columns,
                (TABLE, "rows") => Part::Rows,
                _ => Part::Around,
            };
            part != Part::Around
        });
        self.part = part;
        self.part != Part::Around
    }

    fn columns(&mut self, pass: &mut Pass<'_>) -> bool {
        let rest = pass.slice(pass.at, usize::MAX);
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let (columns, length) = match stream.next() {
            Some(Ok(columns)) => (columns, stream.byte_offset()),
            Some(Err(error)) if error.is_eof() && !pass.end && rest.len() <= MAX_RECORD => {
                return false;
            }
            None if !pass.end && rest.len() <= MAX_RECORD => return false,
            // Without names the rows are told to be damaged.
            _ => (Value::Null, 0),
        };
        let names = columns
            .as_array()
            .into_iter()
            .flatten()
            .map(|column| {
                let name = column.get("name").or_else(|| column.get("ColumnName"));
                name.and_then(Value::as_str).unwrap_or_default().to_owned()
            })
            .collect();
        pass.at += length;
        pass.columns(Some(Arc::new(names)));
        self.part = Part::Around;
        true
    }

    fn rows(&mut self, pass: &mut Pass<'_>) -> bool {
        match pass.first_after(pass.at) {
            None => false,
            Some(b'[') => {
                while pass.byte(pass.at).is_some_and(|byte| byte != b'[') {
                    pass.at += 1;
                }
                pass.at += 1;
                self.part = Part::InRows;
                true
            }
            Some(_) => {
                self.part = Part::Around;
                true
            }
        }
    }

    fn row(&mut self, pass: &mut Pass<'_>) -> bool {
        while let Some(byte) = pass.byte(pass.at) {
            match byte {
                b']' => {
                    pass.at += 1;
                    self.part = Part::Around;
                    return true;
                }
                b'[' => {
                    if !pass.cells() {
                        return false;
                    }
                }
                _ => pass.at += 1,
            }
        }
        false
    }
}
