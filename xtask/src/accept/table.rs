//! The tables of docs/acceptance: `sentence | check | last measured`.
//!
//! A check is `open`, or one or more of these in backticks, all of which have to hold:
//!
//! - `test: module::name`: tests whose name contains this, in any crate;
//! - `test(=module::name) & package(retake-lab)`: any filter of nextest;
//! - `run: cargo run -q -- drill --seeds 20`: a command that has to succeed.
//!
//! A `|` inside a cell is written `\|`, as Markdown wants it.

const HEADER: [&str; 3] = ["sentence", "check", "last measured"];

/// One row of a table.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Row {
    /// Line of the page, from 1.
    pub(super) line: usize,
    /// What has to hold.
    pub(super) sentence: String,
    /// How that is measured; empty while nobody has said.
    pub(super) checks: Vec<Check>,
}

/// One way to measure a sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Check {
    /// A filter of nextest.
    Tests(String),
    /// A line for the shell.
    Command(String),
}

impl Check {
    pub(super) fn filter(&self) -> Option<&str> {
        match self {
            Check::Tests(filter) => Some(filter),
            Check::Command(_) => None,
        }
    }

    pub(super) fn command(&self) -> Option<&str> {
        match self {
            Check::Command(command) => Some(command),
            Check::Tests(_) => None,
        }
    }
}

/// The rows of all tables of a page.
///
/// # Errors
///
/// A row with other than three cells, an empty sentence, a check that says neither `open`
/// nor anything in backticks, and a page without any row.
pub(super) fn rows(page: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let mut inside = false;
    for (number, line) in page
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
    {
        if !line.starts_with('|') {
            inside = false;
            continue;
        }
        let cells = cells(line);
        if cells == HEADER {
            inside = true;
        } else if inside && !is_rule(&cells) {
            let [sentence, check, _measured] = <[String; 3]>::try_from(cells)
                .map_err(|cells| format!("line {number}: {} cells instead of 3", cells.len()))?;
            if sentence.is_empty() {
                return Err(format!("line {number}: no sentence"));
            }
            let checks = checks(&check).map_err(|error| format!("line {number}: {error}"))?;
            rows.push(Row {
                line: number,
                sentence,
                checks,
            });
        }
    }
    if rows.is_empty() {
        return Err(format!("no table with the columns {}", HEADER.join(" | ")));
    }
    Ok(rows)
}

fn checks(cell: &str) -> Result<Vec<Check>, String> {
    if cell == "open" {
        return Ok(Vec::new());
    }
    let quoted: Vec<&str> = cell.split('`').skip(1).step_by(2).map(str::trim).collect();
    if quoted.is_empty() || cell.matches('`').count() % 2 == 1 {
        return Err(format!(
            "the check is neither `open` nor in backticks: {cell}"
        ));
    }
    Ok(quoted.into_iter().map(check).collect())
}

fn check(text: &str) -> Check {
    if let Some(command) = text.strip_prefix("run:") {
        Check::Command(command.trim().to_owned())
    } else if let Some(name) = text.strip_prefix("test:") {
        Check::Tests(format!("test({})", name.trim()))
    } else {
        Check::Tests(text.to_owned())
    }
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.strip_prefix('|').unwrap_or(line);
    let inner = inner
        .strip_suffix('|')
        .filter(|it| !it.ends_with('\\'))
        .unwrap_or(inner);
    let mut cells = vec![String::new()];
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some('|')) => {
                characters.next();
                push(&mut cells, '|');
            }
            ('|', _) => cells.push(String::new()),
            _ => push(&mut cells, character),
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

fn push(cells: &mut [String], character: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(character);
    }
}

fn is_rule(cells: &[String]) -> bool {
    cells
        .iter()
        .all(|cell| !cell.is_empty() && cell.chars().all(|c| matches!(c, '-' | ':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gives_its_rows_with_their_checks() {
        let page = "# Page\n\n| other | table |\n|---|---|\n| a | b |\n\n\
                    | sentence | check | last measured |\n| --- | :-: | --- |\n\
                    | First. | open | |\n\
                    | Second \\| more. | `test: a::b` and `test(=c) \\| test(=d)` | 2 s |\n\
                    | Third. | `run: cargo run -q -- drill --seeds 20` | |\n";
        let tests = |filter: &str| Check::Tests(filter.to_owned());
        assert_eq!(
            rows(page).unwrap(),
            [
                Row {
                    line: 9,
                    sentence: "First.".to_owned(),
                    checks: vec![]
                },
                Row {
                    line: 10,
                    sentence: "Second | more.".to_owned(),
                    checks: vec![tests("test(a::b)"), tests("test(=c) | test(=d)")],
                },
                Row {
                    line: 11,
                    sentence: "Third.".to_owned(),
                    checks: vec![Check::Command(
                        "cargo run -q -- drill --seeds 20".to_owned()
                    )],
                },
            ]
        );
    }

    #[test]
    fn a_row_that_measures_nothing_is_refused() {
        let page =
            |row: &str| format!("| sentence | check | last measured |\n|---|---|---|\n{row}\n");
        for (row, why) in [
            ("| It holds. | seems so | |", "neither"),
            ("| It holds. | `test: a | |", "neither"),
            ("| It holds. | open |", "2 cells"),
            ("|  | open | |", "no sentence"),
        ] {
            assert!(rows(&page(row)).unwrap_err().contains(why), "{row}");
        }
        assert!(rows("# Nothing").unwrap_err().contains("no table"));
    }

    #[test]
    fn every_page_of_this_repository_can_be_read() {
        let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/acceptance");
        for page in std::fs::read_dir(pages).unwrap() {
            let page = page.unwrap().path();
            let text = std::fs::read_to_string(&page).unwrap();
            assert!(rows(&text).is_ok(), "{}: {:?}", page.display(), rows(&text));
        }
    }
}
