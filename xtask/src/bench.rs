//! How fast, beside whom: measured in one run with the rivals, written to docs/benchmarks.md.

mod page;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::Failure;
use crate::run::Call;

/// What can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum What {
    /// Logs to findings: import, matching, one user's timeline, memory, growth.
    Hunt,
}

/// How much of it.
#[derive(Clone, Debug, Args)]
pub(crate) struct Size {
    /// Audit log that is imported, in MB of JSON lines; a quarter and a half of it, too.
    #[arg(long, default_value_t = 1024)]
    megabytes: u64,
    /// The largest audit log of all, in MB, which is hunted through once for its memory; 0: none.
    #[arg(long, default_value_t = 10_240)]
    most: u64,
    /// Events of the table whose timelines are read.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// How often each import is measured; the median counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// A folder of Sigma rules to match beside the detections, such as SigmaHQ's for Microsoft 365.
    #[arg(long)]
    sigma: Option<PathBuf>,
    /// Measure nothing: write the page again from the figures of the last run.
    #[arg(long)]
    again: bool,
    /// Print the page instead of writing it: for a try whose figures mean nothing.
    #[arg(long)]
    dry: bool,
}

/// The version of the rival that is put beside.
const DUCKDB: &str = "duckdb==1.4.3";

/// Records that are generated to see how long they are.
const SAMPLE: u64 = 20_000;

/// How often a timeline is read; the median counts.
const TIMELINES: &str = "9";

/// Measures, and writes the page.
pub(crate) fn bench(root: &Path, what: What, size: &Size) -> Result<(), Failure> {
    match what {
        What::Hunt => hunt(root, size),
    }
}

fn hunt(root: &Path, size: &Size) -> Result<(), Failure> {
    if size.again {
        let figures = fs::read_to_string(root.join(FIGURES));
        let figures = figures.map_err(|error| format!("{FIGURES}: {error}"))?;
        let figures: Value =
            serde_json::from_str(&figures).map_err(|error| format!("{FIGURES}: {error}"))?;
        return fs::write(root.join(PAGE), page::page(&figures)?)
            .map_err(|error| format!("{PAGE}: {error}"));
    }
    // What is built now is what is measured, whatever is changed meanwhile.
    let commit = commit(root)?;
    let bench = Bench::new(root)?;
    let corpora: Vec<(u64, PathBuf)> = [size.megabytes / 4, size.megabytes / 2, size.megabytes]
        .into_iter()
        .map(|megabytes| Ok((megabytes, bench.corpus(megabytes)?)))
        .collect::<Result<_, Failure>>()?;
    let mut growth = Vec::new();
    let Some((_, largest)) = corpora.last() else {
        return Err("there is nothing to measure".to_owned());
    };
    let sigma = size.sigma.as_ref().map(|path| path.to_string_lossy());
    let mut runs: Vec<(&str, Vec<Value>)> = Vec::new();
    // In turns, so that a slow minute of the machine is everybody's.
    for round in 0..size.runs.max(1) {
        println!("round {} of {}", round + 1, size.runs.max(1));
        let mut note = |name, result: Value| {
            println!("  {name}: {result}");
            match runs.iter_mut().find(|(known, _)| *known == name) {
                Some((_, results)) => results.push(result),
                None => runs.push((name, vec![result])),
            }
        };
        note("two", bench.import(largest, "2", "all")?);
        note("duckdb_eleven", bench.duckdb_convert(largest, "eleven")?);
        note("bare", bench.import(largest, "2", "nothing")?);
        note("duckdb_all", bench.duckdb_convert(largest, "all")?);
        note("one", bench.import(largest, "1", "all")?);
        if let Some(rules) = &sigma {
            note("sigma", bench.import(largest, "2", rules)?);
            note("rsigma", bench.rsigma(largest, rules)?);
        }
        note("jq", bench.jq(largest)?);
    }
    let mut hunted = |megabytes: u64, corpus: &Path| -> Result<(), Failure> {
        let result = bench.hunt(corpus)?;
        println!("  {megabytes} MB: {result}");
        growth.push(json!({"bytes": size_of(corpus)?, "result": result}));
        Ok(())
    };
    for (megabytes, corpus) in &corpora {
        hunted(*megabytes, corpus)?;
    }
    if size.most > 0 {
        let corpus = bench.corpus(size.most)?;
        hunted(size.most, &corpus)?;
        // It is too large to be kept for the next time.
        if let Some(directory) = corpus.parent() {
            fs::remove_dir_all(directory)
                .map_err(|error| format!("{}: {error}", directory.display()))?;
        }
    }
    println!("a table of {} events", size.events);
    let timeline = bench.timelines(size.events)?;
    println!("  {timeline}");
    let measured = json!({
        "bytes": size_of(largest)?,
        "runs": runs.into_iter().map(|(name, runs)| (name.to_owned(), Value::from(runs)))
            .collect::<serde_json::Map<_, _>>(),
        "growth": growth,
        "timeline": timeline,
        "machine": machine(),
        "commit": commit,
        "duckdb": bench.duckdb(&["version"])?["version"],
        "jq": bench.jq_version(),
        "command": command(size),
    });
    let page = page::page(&measured)?;
    if size.dry {
        println!("{page}");
        return Ok(());
    }
    for (name, text) in [(FIGURES, format!("{measured:#}\n")), (PAGE, page)] {
        fs::write(root.join(name), text).map_err(|error| format!("{name}: {error}"))?;
        println!("wrote {name}");
    }
    Ok(())
}

/// What was measured last.
const FIGURES: &str = "docs/benchmarks.json";

/// The same for people.
const PAGE: &str = "docs/benchmarks.md";

/// Programs and files that are measured with.
struct Bench<'a> {
    root: &'a Path,
    /// Below `target`, where everything may be thrown away.
    directory: PathBuf,
    python: String,
    /// A program around rsigma-eval, if it can be built here.
    rsigma: Option<PathBuf>,
}

impl<'a> Bench<'a> {
    fn new(root: &'a Path) -> Result<Self, Failure> {
        let directory = root.join("target/bench/hunt");
        fs::create_dir_all(&directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        println!("building");
        // As everything else is built, so that nothing heavy is built twice.
        Call::cargo("build --quiet --release --workspace --example bench --bin retake-corpus")
            .run(root)?;
        let venv = root.join("target/bench/venv");
        let python = venv.join("bin/python").to_string_lossy().into_owned();
        if !venv.join("bin/python").exists() {
            Call::new("python3", "-m venv")
                .arg(venv.to_string_lossy())
                .run(root)?;
        }
        Call::new(&python, "-m pip install --quiet")
            .arg(DUCKDB)
            .run(root)?;
        let target = root.join("target/bench/rsigma");
        let built = Call::cargo(
            "build --quiet --release --locked --ignore-rust-version --manifest-path xtask/bench/rsigma/Cargo.toml",
        )
        .args("--target-dir")
        .arg(target.to_string_lossy())
        .run(root);
        let rsigma = built.ok().map(|()| target.join("release/rsigma-rival"));
        Ok(Self {
            root,
            directory,
            python,
            rsigma,
        })
    }

    /// An audit log of about so many megabytes; the same for the same number.
    fn corpus(&self, megabytes: u64) -> Result<PathBuf, Failure> {
        let directory = self.directory.join(format!("corpus-{megabytes}"));
        let log = directory.join("audit.jsonl");
        if log.exists() {
            return Ok(log);
        }
        println!("a corpus of {megabytes} MB");
        let generate = |directory: &Path, events: u64| {
            Call::new(
                &self
                    .root
                    .join("target/release/retake-corpus")
                    .to_string_lossy(),
                "",
            )
            .arg(directory.to_string_lossy())
            .args("--seed 1 --stories 5 --audit-only --events")
            .arg(events.to_string())
            .run(self.root)
        };
        // How long a record is follows from the generator.
        let sample = self.directory.join("sample");
        generate(&sample, SAMPLE)?;
        let bytes = size_of(&sample.join("audit.jsonl"))?;
        generate(&directory, megabytes * 1_000_000 * SAMPLE / bytes.max(1))?;
        Ok(log)
    }

    fn import(&self, log: &Path, threads: &str, with: &str) -> Result<Value, Failure> {
        let table = self.directory.join("table");
        self.ours(&[
            "import",
            &table.to_string_lossy(),
            threads,
            with,
            &log.to_string_lossy(),
        ])
    }

    /// The whole of `retake hunt`: the import, and the judgement over its table.
    fn hunt(&self, log: &Path) -> Result<Value, Failure> {
        let table = self.directory.join("table");
        self.ours(&[
            "hunt",
            &table.to_string_lossy(),
            "2",
            &log.to_string_lossy(),
        ])
    }

    /// Ours and DuckDB's, over the same files; and how fast all of them are read by user.
    fn timelines(&self, events: u64) -> Result<Value, Failure> {
        let table = self.directory.join("timeline");
        let table = table.to_string_lossy();
        let users = (events / 2_000).max(1);
        let filled = self.ours(&[
            "fill",
            &table,
            &events.to_string(),
            "26",
            &users.to_string(),
        ])?;
        let user = filled["user"].as_str().unwrap_or_default().to_owned();
        let ours = self.ours(&["timeline", &table, &user, TIMELINES])?;
        let theirs = self.duckdb(&["timeline", &table, &user, TIMELINES])?;
        let judged = self.ours(&["judge", &table])?;
        Ok(json!({"filled": filled, "ours": ours, "duckdb": theirs, "judged": judged}))
    }

    fn ours(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let program = self.root.join("target/release/examples/bench");
        parsed(
            self.root,
            Call::new(&program.to_string_lossy(), ""),
            arguments,
        )
    }

    fn duckdb(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let script = Call::new(&self.python, "xtask/bench/duckdb_rival.py");
        parsed(self.root, script, arguments)
    }

    fn duckdb_convert(&self, log: &Path, which: &str) -> Result<Value, Failure> {
        let target = self.directory.join("duckdb.parquet");
        self.duckdb(&[
            "convert",
            &log.to_string_lossy(),
            &target.to_string_lossy(),
            which,
            "2",
        ])
    }

    /// The same rules on the records as they are, in one thread and one pass.
    fn rsigma(&self, log: &Path, rules: &str) -> Result<Value, Failure> {
        match &self.rsigma {
            Some(program) => parsed(
                self.root,
                Call::new(&program.to_string_lossy(), ""),
                &[rules, &log.to_string_lossy()],
            ),
            None => Ok(Value::Null),
        }
    }

    /// One condition on every record, which is what a person without a tool types.
    fn jq(&self, log: &Path) -> Result<Value, Failure> {
        if self.jq_version().is_none() {
            return Ok(Value::Null);
        }
        let begun = Instant::now();
        // A damaged line ends jq unless each is taken as text first.
        let found = Call::new("jq", "-cR")
            .arg("fromjson? | select(.Operation == \"New-InboxRule\") | .Id")
            .arg(log.to_string_lossy())
            .output(self.root)?;
        Ok(json!({
            "seconds": begun.elapsed().as_secs_f64(),
            "found": String::from_utf8_lossy(&found).lines().count(),
        }))
    }

    fn jq_version(&self) -> Option<String> {
        let said = Call::new("jq", "--version").output(self.root).ok()?;
        Some(String::from_utf8_lossy(&said).trim().to_owned())
    }
}

fn parsed(root: &Path, call: Call, arguments: &[&str]) -> Result<Value, Failure> {
    let call = arguments
        .iter()
        .fold(call, |call, argument| call.arg(*argument));
    let said = call.output(root)?;
    serde_json::from_slice(&said).map_err(|error| format!("{}: {error}", call.shown()))
}

fn size_of(file: &Path) -> Result<u64, Failure> {
    let metadata = fs::metadata(file);
    let metadata = metadata.map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(metadata.len())
}

/// What somebody must know of a machine to compare figures; not whose it is.
fn machine() -> String {
    let line = |file: &str, name: &str| -> Option<String> {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let processor = line("/proc/cpuinfo", "model name").unwrap_or_else(|| "processor".to_owned());
    let memory = line("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .map_or_else(String::new, |kilobytes| {
            format!(", {} GB of memory", (kilobytes + 500_000) / 1_000_000)
        });
    format!(
        "{processor}, {threads} threads{memory}, {}",
        std::env::consts::OS
    )
}

fn commit(root: &Path) -> Result<String, Failure> {
    let git = |arguments: &str| -> Result<String, Failure> {
        let said = Call::new("git", arguments).output(root)?;
        Ok(String::from_utf8_lossy(&said).trim().to_owned())
    };
    let commit = git("rev-parse --short HEAD")?;
    let changed = !git("status --porcelain --untracked-files=no")?.is_empty();
    Ok(if changed {
        format!("{commit} with changes")
    } else {
        commit
    })
}

fn command(size: &Size) -> String {
    let sigma = if size.sigma.is_some() {
        " --sigma RULES"
    } else {
        ""
    };
    format!(
        "cargo xtask bench hunt --megabytes {} --most {} --events {} --runs {}{sigma}",
        size.megabytes, size.most, size.events, size.runs
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_of_the_committed_figures() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let read = |name: &str| fs::read_to_string(root.join(name)).expect(name);
        let figures: Value = serde_json::from_str(&read(FIGURES)).expect(FIGURES);
        let page = page::page(&figures).expect("every figure");
        assert!(page == read(PAGE), "`cargo xtask bench hunt` writes both");
    }

    /// Of the committed run; how long it took is nobody's promise.
    #[test]
    fn memory_at_ten_gigabytes_is_within_the_goal() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let figures = fs::read_to_string(root.join(FIGURES)).expect(FIGURES);
        let figures: Value = serde_json::from_str(&figures).expect(FIGURES);
        let runs = figures["growth"].as_array().expect("growth");
        let largest = runs.iter().max_by_key(|run| run["bytes"].as_u64());
        let largest = largest.expect("a run");
        assert!(largest["bytes"].as_u64().expect("bytes") >= 10_000_000_000);
        assert!(largest["result"]["peak_mb"].as_f64().expect("peak") < 512.0);
    }
}
