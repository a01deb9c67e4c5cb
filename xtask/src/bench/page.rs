//! The page docs/benchmarks.md, from what was measured.

use std::fmt::Write as _;

use serde_json::Value;

use crate::Failure;

/// The page, whole. A goal that is missed is said to be, and by how much.
pub(super) fn page(measured: &Value) -> Result<String, Failure> {
    write(measured).ok_or_else(|| format!("a figure is missing in {measured}"))
}

fn write(measured: &Value) -> Option<String> {
    let runs = |name: &str| measured["runs"][name].as_array().cloned();
    let of = |name: &str, key: &str| median(&runs(name)?, key);
    let gigabytes = measured["bytes"].as_f64()? / 1e9;
    let (two, one, bare) = (
        of("two", "seconds")?,
        of("one", "seconds")?,
        of("bare", "seconds")?,
    );
    let (eleven, all) = (
        of("duckdb_eleven", "seconds")?,
        of("duckdb_all", "seconds")?,
    );
    let read = of("two", "read")?;
    let reading = of("two", "reading")?;
    let put = of("two", "first_put")?;
    let matching = (reading - of("bare", "reading")?) / two * 100.0;
    let after = put - reading;
    let after_bare = of("bare", "first_put")? - of("bare", "reading")?;
    let correlation = (after - after_bare) / two * 100.0;
    let peak = measured["growth"]
        .as_array()?
        .iter()
        .chain(&runs("two")?)
        .filter_map(|run| {
            run["peak_mb"]
                .as_f64()
                .or(run["result"]["peak_mb"].as_f64())
        })
        .fold(0.0, f64::max);
    let largest = measured["growth"]
        .as_array()?
        .iter()
        .filter_map(|run| run["bytes"].as_f64())
        .fold(0.0, f64::max)
        / 1e9;
    let timeline = &measured["timeline"];
    let our_timeline = middle(&timeline["ours"]["milliseconds"])?;
    let our_bare_timeline = middle(&timeline["ours"]["without_originals"])?;
    let their_timeline = middle(&timeline["duckdb"]["milliseconds"])?;
    let their_bare_timeline = middle(&timeline["duckdb"]["without_originals"])?;
    let timeline_events = timeline["filled"]["events"].as_f64()?;
    let of_user = timeline["ours"]["events"].as_u64()?;
    let judged = timeline["judged"]["events"].as_f64()? / timeline["judged"]["seconds"].as_f64()?;

    let mut rows = vec![
        row(
            &format!(
                "import of {gigabytes:.2} GB of audit JSON lines to the table, all columns, 2 threads"
            ),
            &format!(
                "{two:.1} s ({:.3} GB/s, {:.0} records/s)",
                gigabytes / two,
                read / two
            ),
            "at most 1.0 × DuckDB's time for 11 columns",
            &format!(
                "DuckDB, 11 columns: {eleven:.1} s ({:.3} GB/s); every column of the first level, as text: {all:.1} s",
                gigabytes / eleven
            ),
            &at_most(two / eleven, 1.0, " ×"),
        ),
        row(
            "all detections matched, during the import",
            &format!("{matching:.0} % of its time"),
            "under 10 %",
            &format!("without any detection the import takes {bare:.1} s"),
            &at_most(matching, 10.0, " %"),
        ),
        row(
            "all correlations, after reading",
            &format!("{correlation:.0} % of its time"),
            "under 40 %",
            "",
            &at_most(correlation, 40.0, " %"),
        ),
    ];
    if let (Some(sigma), Some(rules)) = (of("sigma", "seconds"), of("sigma", "sigma_rules")) {
        rows.push(row(
            "import with Sigma rules beside the detections",
            &format!("{sigma:.1} s, {rules:.0} rules"),
            "",
            &match (of("rsigma", "seconds"), of("rsigma", "records")) {
                (Some(rsigma), Some(records)) => format!(
                    "without them {two:.1} s. rsigma-eval, these rules alone, 1 thread: {rsigma:.1} s, {:.0} records/s",
                    records / rsigma
                ),
                _ => format!("without them {two:.1} s"),
            },
            "",
        ));
    }
    match of("jq", "seconds") {
        Some(jq) => rows.push(row(
            "one condition on every record",
            &format!(
                "in the import, with every other: {:.0} records/s",
                read / two
            ),
            "",
            &format!("jq, that one alone: {jq:.1} s, {:.0} records/s", read / jq),
            "",
        )),
        None => rows.push(row(
            "one condition on every record",
            "",
            "",
            "jq is not installed here",
            "",
        )),
    }
    rows.extend([
        row(
            &format!(
                "one user's timeline ({of_user} events) of {:.1} M events, originals and all",
                timeline_events / 1e6
            ),
            &format!("{our_timeline:.0} ms; without originals {our_bare_timeline:.0} ms"),
            "10 ms",
            &format!("DuckDB, same files: {their_timeline:.0} ms; without originals {their_bare_timeline:.0} ms"),
            &at_most(our_timeline, 10.0, " ms"),
        ),
        row(
            "the table read back user by user, for the judgement",
            &format!("{judged:.0} events/s"),
            "",
            "",
            "",
        ),
        row(
            "peak memory of the whole hunt",
            &format!("{peak:.0} MB"),
            "under 512 MB at 10 GB",
            &format!("DuckDB, 11 columns: {:.0} MB", of("duckdb_eleven", "peak_mb")?),
            &if largest < 10.0 {
                format!("not known: {largest:.1} GB was the most")
            } else {
                at_most(peak, 512.0, " MB")
            },
        ),
        row(
            "2 threads against 1",
            &format!("{:.2} × ({two:.1} s, {one:.1} s)", one / two),
            "at least 1.35 ×",
            "",
            &at_least(one / two, 1.35, " ×"),
        ),
        row(
            "first finding on screen",
            &of("two", "first_finding").map_or_else(
                || "none was told while it ran".to_owned(),
                |first| format!("after {first:.2} s of {two:.1} s"),
            ),
            "while the import runs",
            "",
            of("two", "first_finding").map_or("missed", |first| {
                if first < reading { "met" } else { "missed" }
            }),
        ),
    ]);

    let mut page = String::new();
    let _ = write!(
        page,
        "<!-- Written by `cargo xtask bench hunt`. Do not edit. -->\n\n# Benchmarks of the hunt\n\n\
         `{}` at commit {}, on {}. Rivals in the same run, in turns with ours: DuckDB {}{}. Every figure is the median of {}; \
         peak memory is the most of all of them, as the system counts it.\n\n\
         | measure | here | goal | beside it | goal met |\n| --- | --- | --- | --- | --- |\n",
        measured["command"].as_str()?,
        measured["commit"].as_str()?,
        measured["machine"].as_str()?,
        measured["duckdb"].as_str()?,
        measured["jq"]
            .as_str()
            .map_or_else(String::new, |jq| format!(", {jq}")),
        match runs("two")?.len() {
            1 => "1 run".to_owned(),
            more => format!("{more} runs"),
        },
    );
    for row in rows {
        page.push_str(&row);
    }
    let _ = write!(
        page,
        "\n## What the time goes to\n\nOf {two:.1} s with 2 threads, reading, parsing, matching and sorting into runs took \
         {reading:.1} s; telling repeats and correlating {after:.1} s; merging the runs and writing the table {:.1} s.\n\n\
         ## Growth\n\nThe whole hunt, import and judgement, 2 threads.\n\n| audit log | time | GB/s | peak memory |\n| --- | --- | --- | --- |\n",
        two - put
    );
    for run in measured["growth"].as_array()? {
        let gigabytes = run["bytes"].as_f64()? / 1e9;
        let seconds = run["result"]["seconds"].as_f64()?;
        let _ = writeln!(
            page,
            "| {gigabytes:.2} GB | {seconds:.1} s | {:.3} | {:.0} MB |",
            gigabytes / seconds,
            run["result"]["peak_mb"].as_f64()?
        );
    }
    let bounds = Bounds {
        over: two / eleven,
        two,
        reading,
        after,
        writing: two - put,
        matching,
        one,
        timeline: our_timeline,
    };
    page.push_str(&bounds.told());
    let _ = write!(page, "{}", caveats(measured, read)?);
    Some(page)
}

/// What a goal that was missed is bound by.
struct Bounds {
    /// Of DuckDB's time for eleven columns.
    over: f64,
    two: f64,
    reading: f64,
    after: f64,
    writing: f64,
    /// Per cent of the import's time.
    matching: f64,
    one: f64,
    /// Milliseconds.
    timeline: f64,
}

impl Bounds {
    fn told(&self) -> String {
        let mut told = String::new();
        if self.over > 1.0 {
            let share = |seconds: f64| seconds / self.two * 100.0;
            let _ = writeln!(
                told,
                "- **The import** does what makes an export evidence, which eleven columns do not need: {:.0} % of its time it reads every key of every record \
                 into sixty columns, matches and puts events on disk in sorted runs; {:.0} % it tells repeats by id and correlates; {:.0} % it merges the runs and \
                 compresses each record whole into the table.",
                share(self.reading),
                share(self.after),
                share(self.writing),
            );
        }
        if self.matching > 10.0 {
            told.push_str(
                "- **Matching** is bound by what it keeps, not by what it tests: of nearly every record that opens mail or a file it keeps a row for the correlations, \
                 and those rows go to disk.\n",
            );
        }
        if self.one / self.two < 1.35 {
            let _ = writeln!(
                told,
                "- **The second thread** helps while records are read; the {:.1} s after it ran out of them belong to one thread that merges and one that encodes, with one reader as with two.",
                self.two - self.reading,
            );
        }
        if self.timeline > 10.0 {
            told.push_str(
                "- **A timeline** opens one file for each week and decodes all columns of the pages that hold the user: without the originals it takes nearly as long, so it is the number of columns and files.\n",
            );
        }
        if told.is_empty() {
            return told;
        }
        format!("\n## What bounds what was missed\n\n{told}")
    }
}

fn caveats(measured: &Value, read: f64) -> Option<String> {
    let run = &measured["runs"]["two"][0];
    let (eleven, all) = (
        &measured["runs"]["duckdb_eleven"][0],
        &measured["runs"]["duckdb_all"][0],
    );
    Some(format!(
        "\n## What to know before comparing\n\n\
         - The audit log is generated (`crates/corpus`, seed 1, with five attacks, 5 % repeats and a few damaged lines) in the \
         proportions of a working tenant, which are an estimate. It was {read:.0} records, of which {} were repeats and {} damaged.\n\
         - The two do not do the same. The import keeps every record whole and all columns, tells repeats, salvages damaged records, \
         matches detections, sorts by user and writes {:.0} MB. DuckDB writes the columns it is told ({} of them {:.0} MB, all {} of the first level {:.0} MB), \
         makes an empty row of a damaged line, keeps repeats and does not sort.\n\
         - Files are in the system's cache after the first round, for both.\n\
         - The table whose timelines are read is made up and written straight through the table's writer: {:.1} M events of {} weeks, {:.0} MB. \
         A timeline is opened, read and decoded anew each time, by 2 threads; its files are in the system's cache.\n\
         - {}\n",
        run["repeats"],
        run["damaged"],
        run["written_mb"].as_f64()?,
        eleven["columns"],
        eleven["written_mb"].as_f64()?,
        all["columns"],
        all["written_mb"].as_f64()?,
        measured["timeline"]["filled"]["events"].as_f64()? / 1e6,
        26,
        measured["timeline"]["filled"]["written_mb"].as_f64()?,
        if measured["runs"]["rsigma"][0]["seconds"].is_number() {
            "rsigma-eval matches the same rules on the records as they are and writes nothing; rules whose fields \
             a record does not have under that name never match there."
        } else {
            "rsigma-eval is not in this run: it needs `--sigma RULES`, and its crates to build with this compiler (`xtask/bench/rsigma`)."
        },
    ))
}

fn row(measure: &str, here: &str, goal: &str, beside: &str, met: &str) -> String {
    format!("| {measure} | {here} | {goal} | {beside} | {met} |\n")
}

fn at_most(figure: f64, goal: f64, unit: &str) -> String {
    if figure <= goal {
        "met".to_owned()
    } else {
        format!(
            "missed: {figure:.2}{unit}, {:.1} times the goal",
            figure / goal
        )
    }
}

fn at_least(figure: f64, goal: f64, unit: &str) -> String {
    if figure >= goal {
        "met".to_owned()
    } else {
        format!(
            "missed: {figure:.2}{unit}, {:.2} of the goal",
            figure / goal
        )
    }
}

fn median(runs: &[Value], key: &str) -> Option<f64> {
    let mut figures: Vec<f64> = runs.iter().filter_map(|run| run[key].as_f64()).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

fn middle(figures: &Value) -> Option<f64> {
    let mut figures: Vec<f64> = figures
        .as_array()?
        .iter()
        .filter_map(Value::as_f64)
        .collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn measured() -> Value {
        let run = |seconds: f64| {
            json!({"seconds": seconds, "reading": seconds * 0.6, "first_put": seconds * 0.7,
                   "first_finding": 0.5, "read": 700_000, "repeats": 35_000, "damaged": 200,
                   "written_mb": 120.0, "peak_mb": 300.0, "columns": 11})
        };
        let filled = json!({"events": 10_000_000, "written_mb": 2_000.0});
        let times = json!({"milliseconds": [9.0, 30.0, 8.0], "without_originals": [4.0],
                           "events": 2_000});
        json!({
            "bytes": 1_000_000_000,
            "runs": {"two": [run(10.0), run(8.0), run(9.0)], "one": [run(15.0)], "bare": [run(8.5)],
                     "duckdb_eleven": [run(6.0)], "duckdb_all": [run(7.0)], "jq": [null]},
            "growth": [{"bytes": 250_000_000, "result": run(2.2)}],
            "timeline": {"filled": filled, "ours": times, "duckdb": times,
                         "judged": {"events": 10_000_000, "seconds": 20.0}},
            "machine": "a machine", "commit": "abc", "duckdb": "1.4.3", "jq": null,
            "command": "cargo xtask bench hunt",
        })
    }

    #[test]
    fn a_goal_that_is_missed_is_said_to_be_and_by_how_much() {
        let page = page(&measured()).unwrap();
        assert!(page.contains("| 9.0 s (0.111 GB/s"), "{page}");
        assert!(
            page.contains("missed: 1.50 ×, 1.5 times the goal"),
            "{page}"
        );
        // The median, not the mean: one slow read does not count.
        assert!(
            page.contains("| 9 ms; without originals 4 ms | 10 ms |"),
            "{page}"
        );
        assert!(
            page.contains("1.67 × (9.0 s, 15.0 s) | at least 1.35 × |  | met |"),
            "{page}"
        );
        assert!(page.contains("jq is not installed here"), "{page}");
    }

    #[test]
    fn a_figure_that_is_missing_is_an_error_and_no_empty_cell() {
        let mut measured = measured();
        measured["timeline"]["duckdb"] = Value::Null;
        assert!(page(&measured).is_err());
    }
}
