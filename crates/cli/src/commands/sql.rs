//! `retake sql`: questions to the table of events that a hunt left.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use retake_events::{Answer, MAX_ROWS, Table, TableError, columns};
use retake_playbook::codes::{self, Exit};
use retake_report::escape::visible_within;
use serde_json::{Value, json};

use crate::args::Sql;
use crate::commands::hunt::outgoing::{self, Outgoing};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The longest cell that is shown to people, in characters.
const LONGEST: usize = 60;

/// Longer than any cell.
const WHOLE: usize = 1 << 28;

/// More columns than these are shown below each other.
const BESIDE: usize = 10;

pub(crate) fn run(args: &Sql, terminal: &Terminal) -> Result<Exit, Failure> {
    let table = Table::open(&args.directory).map_err(|error| failure(error, &args.directory))?;
    let answer = match &args.question {
        Some(question) => {
            let answer = table.sql(question);
            answer.map_err(|error| failure(error, &args.directory))?
        }
        None => listed(),
    };
    match &args.csv {
        Some(file) if file.as_os_str() == "-" => {
            let mut out = io::stdout();
            let shown = out.is_terminal();
            // A closed pipe is no error: whoever reads has enough.
            let _ = out.write_all(csv(&answer, shown).as_bytes());
        }
        Some(file) => save(file, &csv(&answer, false), args.replace)?,
        None if terminal.json() => {}
        None if answer.columns.len() > BESIDE => records(&answer, args.whole, terminal),
        None => table_of(&answer, args.whole, terminal),
    }
    let to_stdout = args
        .csv
        .as_ref()
        .is_some_and(|file| file.as_os_str() == "-");
    if terminal.json() && !to_stdout {
        terminal.document(&json!({
            "schema": "retake.sql/1",
            "columns": answer.columns,
            "rows": answer.rows,
            "cut": answer.cut,
        }));
        return Ok(Exit::Done);
    }
    if args.question.is_some() {
        terminal.say(&match answer.rows.len() {
            1 => "1 row".to_owned(),
            rows => format!("{rows} rows"),
        });
    }
    if answer.cut {
        terminal.say(&format!(
            "There are more: an answer has at most {MAX_ROWS} rows and {} MB. Narrow the question, \
             or use another Parquet tool on the same files.",
            retake_events::MAX_BYTES >> 20
        ));
    }
    Ok(Exit::Done)
}

/// The columns of the table, as an answer.
fn listed() -> Answer {
    let rows = columns().into_iter().map(|column| {
        vec![
            Value::from(column.name),
            Value::from(column.kind),
            Value::from(column.about),
        ]
    });
    Answer {
        columns: ["column", "type", "what it holds"]
            .map(str::to_owned)
            .into(),
        rows: rows.collect(),
        cut: false,
    }
}

/// Columns beside each other; numbers to the right.
fn table_of(answer: &Answer, whole: bool, terminal: &Terminal) {
    // A meaning is a sentence of ours: shown to its end.
    let cells: Vec<Vec<String>> = answer
        .rows
        .iter()
        .map(|row| row.iter().map(|value| cell(value, whole)).collect())
        .collect();
    let heads: Vec<String> = answer
        .columns
        .iter()
        .map(|name| safe(name, whole))
        .collect();
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(number, head)| {
            let column = cells.iter().filter_map(|row| row.get(number));
            column
                .chain([head])
                .map(|text| text.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let line = |texts: &[String], right: &dyn Fn(usize) -> bool| {
        let texts = texts.iter().zip(&widths).enumerate();
        let padded: Vec<String> = texts
            .map(|(number, (text, width))| {
                let blank = " ".repeat(width.saturating_sub(text.chars().count()));
                if right(number) {
                    blank + text
                } else {
                    text.clone() + &blank
                }
            })
            .collect();
        terminal.raw(padded.join("  ").trim_end());
    };
    line(&heads, &|_| false);
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    line(&rules, &|_| false);
    for (row, values) in cells.iter().zip(&answer.rows) {
        line(row, &|number| {
            values.get(number).is_some_and(Value::is_number)
        });
    }
}

/// Each row by itself, a line for each column that holds something.
fn records(answer: &Answer, whole: bool, terminal: &Terminal) {
    let heads: Vec<String> = answer
        .columns
        .iter()
        .map(|name| safe(name, whole))
        .collect();
    let width = heads.iter().map(|head| head.chars().count()).max();
    let width = width.unwrap_or(0);
    for (number, row) in answer.rows.iter().enumerate() {
        terminal.raw(&format!("-- {}", number + 1));
        for (head, value) in heads.iter().zip(row) {
            let held = match value {
                Value::Null => false,
                Value::Array(items) => !items.is_empty(),
                Value::Object(pairs) => !pairs.is_empty(),
                _ => true,
            };
            if held {
                terminal.raw(&format!("{head:width$}  {}", cell(value, whole)));
            }
        }
    }
}

fn cell(value: &Value, whole: bool) -> String {
    safe(&text(value), whole)
}

/// What the log holds may be written by an attacker: nothing in it moves a cursor.
fn safe(text: &str, whole: bool) -> String {
    visible_within(text, if whole { WHOLE } else { LONGEST }).into_owned()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// For a spreadsheet: numbers bare, every text in quotes, and none a formula.
fn csv(answer: &Answer, shown: bool) -> String {
    let quoted = |text: &str| {
        let text = if shown {
            safe(text, true)
        } else {
            text.to_owned()
        };
        let mark = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            "'"
        } else {
            ""
        };
        format!("\"{mark}{}\"", text.replace('"', "\"\""))
    };
    let mut lines = String::new();
    let mut line = |cells: Vec<String>| {
        lines.push_str(&cells.join(","));
        lines.push_str("\r\n");
    };
    line(answer.columns.iter().map(|name| quoted(name)).collect());
    for row in &answer.rows {
        let cells = row.iter().map(|value| match value {
            Value::Null => String::new(),
            Value::Number(number) => number.to_string(),
            other => quoted(&text(other)),
        });
        line(cells.collect());
    }
    lines
}

fn save(file: &Path, text: &str, replace: bool) -> Result<(), Failure> {
    let mut out = Outgoing::open(file, replace)?;
    out.write_all(text.as_bytes())
        .map_err(|error| outgoing::failed(file, &error))?;
    out.finish()
}

fn failure(error: TableError, directory: &Path) -> Failure {
    let about = directory.display().to_string();
    let failure = match error {
        TableError::NoTable(_) => Failure::usage(
            format!("{error}. Nothing was read."),
            "`retake hunt FILE… --to DIR` writes one.",
        ),
        TableError::Query(why) => {
            // The engine lists all sixty columns.
            let why = why.split("Valid fields are").next().unwrap_or_default();
            Failure::usage(
                format!(
                    "The question cannot be answered: {}. Nothing was changed.",
                    why.trim_end().trim_end_matches(['.', '?'])
                ),
                "A name with a dot stands in double quotes: \"user.name\". `retake sql DIR --columns` \
                 lists them; the table is called events.",
            )
        }
        TableError::Thread(_) => Failure::new(
            codes::INTERNAL,
            format!("{error}. Nothing was changed."),
            "Please report it.",
        ),
        error => Failure::new(
            codes::FOREIGN_FILE,
            format!("The table cannot be read: {error}. Nothing was changed."),
            "Write it again from the logs with `retake hunt FILE… --to DIR`.",
        ),
    };
    failure.about(about)
}
