//! One pass of rsigma-eval over JSON lines, in one thread: `rsigma-rival RULES LOG`.
//! Prints one JSON object.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rsigma_eval::Engine;
use rsigma_eval::event::JsonEvent;
use rsigma_parser::parse_sigma_yaml;
use serde_json::{Value, json};

fn main() {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [rules, log] = arguments.as_slice() else {
        panic!("rsigma-rival RULES LOG");
    };
    let mut engine = Engine::new();
    let (mut used, mut refused) = (0, 0);
    each(rules, &mut |path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let added = parse_sigma_yaml(&text)
            .ok()
            .is_some_and(|rules| engine.add_collection(&rules).is_ok());
        if added {
            used += 1;
        } else {
            refused += 1;
        }
    });
    let begun = Instant::now();
    let mut log = BufReader::with_capacity(1 << 20, File::open(log).expect("the log"));
    let (mut records, mut matches) = (0_u64, 0_usize);
    let mut line = Vec::new();
    while log.read_until(b'\n', &mut line).expect("the log") > 0 {
        if let Ok(record) = serde_json::from_slice::<Value>(&line) {
            matches += engine.evaluate(&JsonEvent::borrow(&record)).len();
            records += 1;
        }
        line.clear();
    }
    println!(
        "{}",
        json!({"seconds": begun.elapsed().as_secs_f64(), "records": records,
               "matches": matches, "rules": used, "refused": refused})
    );
}

fn each(path: &Path, visit: &mut dyn FnMut(&Path)) {
    let Ok(entries) = std::fs::read_dir(path) else {
        return visit(path);
    };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            each(&entry, visit);
        } else if entry.extension().is_some_and(|end| end == "yml" || end == "yaml") {
            visit(&entry);
        }
    }
}
