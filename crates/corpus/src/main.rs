//! Writes a corpus into a directory.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Parser;
use retake_corpus::{AuditForm, Logs, Options, generate, truths_as_json};

#[derive(Parser)]
#[command(about = "Writes export files of any size, with attack stories and the truth about them")]
struct Arguments {
    /// Where to.
    directory: PathBuf,
    /// Everything follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// About how many audit records.
    #[arg(long, default_value_t = 100_000)]
    events: u64,
    /// How many attacks.
    #[arg(long, default_value_t = 5)]
    stories: usize,
    /// Part of the rows that repeats another.
    #[arg(long, default_value_t = 0.05)]
    repeats: f64,
    /// One row in so many is damaged; 0: none.
    #[arg(long, default_value_t = 3_000)]
    damaged: u64,
    /// The audit log as `lines`, `portal` or `shell`.
    #[arg(long, default_value = "lines")]
    form: String,
    /// The audit log alone.
    #[arg(long)]
    audit_only: bool,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let mut options =
        Options::new(arguments.seed, arguments.events).with_stories(arguments.stories);
    options.repeats = arguments.repeats;
    options.damaged = arguments.damaged;
    options.audit = match arguments.form.as_str() {
        "portal" => AuditForm::Portal,
        "shell" => AuditForm::Shell,
        _ => AuditForm::Lines,
    };
    std::fs::create_dir_all(&arguments.directory)?;
    let open = |name: &str| {
        File::create(arguments.directory.join(name))
            .map(|file| BufWriter::with_capacity(1 << 20, file))
    };
    let extension = if options.audit == AuditForm::Lines {
        "jsonl"
    } else {
        "csv"
    };
    let mut audit = open(&format!("audit.{extension}"))?;
    let mut logs = Logs {
        audit: Some(&mut audit),
        ..Logs::default()
    };
    let mut others = Vec::new();
    if !arguments.audit_only {
        for name in [
            "sign-ins.jsonl",
            "silent-sign-ins.jsonl",
            "directory.jsonl",
            "trace.csv",
        ] {
            others.push(open(name)?);
        }
    }
    let mut others = others.iter_mut().map(|file| file as &mut dyn Write);
    logs.interactive = others.next();
    logs.silent = others.next();
    logs.directory = others.next();
    logs.trace = others.next();
    let told = generate(&options, logs)?;
    // Beside the directory, not in it: whoever reads the corpus must not read the answers.
    std::fs::write(
        arguments.directory.with_extension("truth.json"),
        truths_as_json(&told),
    )
}
