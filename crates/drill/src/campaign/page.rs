//! The fault table of the documentation, written from a results file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::results::{End, Results, Row, Stopped};
use super::{When, results};

const NOTE: &str =
    "<!-- Generated from docs/soak/faults.json by `cargo xtask docs`. Do not edit. -->\n";

/// The page. Writing to a String cannot fail, so the results are not looked at.
pub fn page(results: &Results) -> String {
    let faults: Vec<&str> = retake_lab::fault::TABLE
        .iter()
        .map(|(fault, _)| *fault)
        .collect();
    let mut page = format!(
        "{NOTE}\n# The fault table\n\nWhat Retake does when a call fails. The default drill (`{}`, seed {}) is played once for each call of the client, each fault and each position, in the lab: {} runs at commit `{}` by `{}`. Each run is judged by the same score as every drill, from the trace and the exported case alone: nothing is said to be done that is not, nothing legitimate is harmed, nothing is changed twice or without evidence. Where a case stops, the fault is lifted and the same command is run again, and that run has to end clean. `crates/drill/tests/it/faults.rs` plays a part of the table in every check and compares it with this page's source.\n\n",
        results.scenario,
        results.seed,
        results.rows.len(),
        results.commit,
        results.command
    );
    earlier(results, &mut page);
    legend(&mut page);
    counts(results, &mut page);
    containment(results, &mut page);
    table(results, &faults, &mut page);
    left_out(results, &mut page);
    stops(results, &mut page);
    page
}

/// Rows that were played at another commit, where there are some.
fn earlier(results: &Results, page: &mut String) {
    let mut commits: Vec<&str> = results
        .rows
        .iter()
        .filter_map(|row| row.commit.as_deref())
        .collect();
    let rows = commits.len();
    commits.sort_unstable();
    commits.dedup();
    if rows > 0 {
        let _ = writeln!(
            page,
            "{rows} of these runs were played earlier, at `{}`: the calls that came since were played alone.\n",
            commits.join("`, `")
        );
    }
}

fn legend(page: &mut String) {
    page.push_str("## How to read it\n\nA cell has up to three letters: the fault on the first request of the call, on its last one, and on every one until a person has read why the case stopped.\n\n| letter | what happens |\n| --- | --- |\n");
    for end in ENDS {
        let _ = writeln!(page, "| {} | {} |", letter(end), words(end));
    }
    page.push_str("| · | the fault cannot meet the call, see below |\n\n");
}

const ENDS: [End; 7] = [
    End::Clean,
    End::Retried,
    End::Said,
    End::Stopped,
    End::NotBegun,
    End::NotMet,
    End::Wrong,
];

const fn letter(end: End) -> char {
    match end {
        End::Clean => 'c',
        End::Retried => 'r',
        End::Said => 'u',
        End::Stopped => 's',
        End::NotBegun => 'n',
        End::NotMet => '-',
        End::Wrong => 'W',
    }
}

const fn words(end: End) -> &'static str {
    match end {
        End::Clean => "ends clean; what failed was not needed, or was looked at again later",
        End::Retried => "sent again, ends clean",
        End::Said => "ends, and the case says what could not be looked at",
        End::Stopped => "stops, says why, and ends clean when the same command is run again",
        End::NotBegun => {
            "nothing is begun, the reason is said, and the same command ends clean when it is run again"
        }
        End::NotMet => "no such request was sent",
        End::Wrong => "wrong: listed below",
    }
}

fn counts(results: &Results, page: &mut String) {
    let mut counts: BTreeMap<End, usize> = BTreeMap::new();
    for row in &results.rows {
        *counts.entry(row.end).or_default() += 1;
    }
    let texts: Vec<String> = counts
        .iter()
        .map(|(end, count)| format!("{count} {}", letter(*end)))
        .collect();
    let _ = write!(page, "Altogether: {}.\n\n", texts.join(", "));
}

/// Calls that block and revoke need; every other is unrelated to them.
pub const NEEDED: [&str; 4] = [
    "sign_in.token for Microsoft Graph",
    "graph.user.read",
    "graph.user.block",
    "graph.user.revoke",
];

fn containment(results: &Results, page: &mut String) {
    let shown = |contained: results::Contained| {
        let seconds = |time: Option<u64>| {
            time.map_or_else(
                || "never".to_owned(),
                |ms| format!("{:.1} s", ms as f64 / 1000.0),
            )
        };
        format!(
            "{} and {}",
            seconds(contained.block),
            seconds(contained.revoke)
        )
    };
    let unrelated = || {
        results
            .rows
            .iter()
            .filter(|row| row.when == When::Always && !NEEDED.contains(&row.call.as_str()))
    };
    let latest = results::Contained {
        block: unrelated().filter_map(|row| row.contained_ms.block).max(),
        revoke: unrelated().filter_map(|row| row.contained_ms.revoke).max(),
    };
    let _ = write!(
        page,
        "## Block and revoke wait for nothing else\n\nBlock and revoke are accepted {} after the approval, in the lab's time, when nothing fails. With a call failing for good that they do not need ({} runs), they are accepted {} after it at the latest. They need {}.\n\n",
        shown(results.contained_ms),
        unrelated().count(),
        shown(latest),
        NEEDED.map(|call| format!("`{call}`")).join(", ")
    );
}

fn table(results: &Results, faults: &[&str], page: &mut String) {
    page.push_str("## The table\n\n");
    for (index, fault) in faults.iter().enumerate() {
        let _ = writeln!(page, "{}. {fault}", index + 1);
    }
    page.push_str("\n| call |");
    for index in 1..=faults.len() {
        let _ = write!(page, " {index} |");
    }
    page.push_str("\n| --- |");
    page.push_str(&" --- |".repeat(faults.len()));
    page.push('\n');
    for call in &results.calls {
        let mark = if call.change { "**change** " } else { "" };
        let _ = write!(page, "| {mark}`{}` |", call.call);
        for fault in faults {
            let letters: String = When::ALL
                .iter()
                .filter_map(|when| results.row(&call.call, fault, *when))
                .map(|row| letter(row.end))
                .collect();
            let _ = write!(
                page,
                " {} |",
                if letters.is_empty() { "·" } else { &letters }
            );
        }
        page.push('\n');
    }
    page.push('\n');
}

fn left_out(results: &Results, page: &mut String) {
    page.push_str("Of each call the first, the last and every request meet a fault, of as many as the drill without a fault sends until the watch has looked once; what lies between first and last is not played by itself, nor two faults at a time, nor a fault that begins with the second look of the watch. The last request alone meets one fault of each sort: 403, time-out before the effect, cut body, success that did nothing; how a call is sent is the same for all its requests, and what differs is where the case then stands. A list that goes on at new addresses is played once and not for ever: each reading takes the whole deadline. A request inside a batch is a call of its own, and the batch is another.\n\nA call that is sent once has no last request of its own. What is left out:\n\n");
    let mut reasons: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for call in &results.calls {
        for (fault, why) in &call.left_out {
            let (calls, faults) = reasons.entry(why).or_default();
            if !calls.contains(&call.call.as_str()) {
                calls.push(&call.call);
            }
            if !faults.contains(&fault.as_str()) {
                faults.push(fault);
            }
        }
    }
    for (why, (calls, faults)) in reasons {
        let _ = writeln!(
            page,
            "- {} of {}: {why}.",
            faults.join(", "),
            calls
                .iter()
                .map(|call| format!("`{call}`"))
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    page.push('\n');
}

/// Each place where cases stop, with what the operator reads there, once for each call.
fn stops(results: &Results, page: &mut String) {
    page.push_str("## Where it stops, and what it says\n\n| call | faults | where | code | what the operator reads |\n| --- | --- | --- | --- | --- |\n");
    let numbers: BTreeMap<&str, usize> = retake_lab::fault::TABLE
        .iter()
        .enumerate()
        .map(|(index, (fault, _))| (*fault, index + 1))
        .collect();
    let mut groups: Vec<(&str, &Stopped, Vec<String>)> = Vec::new();
    for row in &results.rows {
        let Some(stop) = row.stops.first() else {
            continue;
        };
        let met = format!(
            "{}{}",
            numbers.get(row.fault.as_str()).copied().unwrap_or(0),
            match row.when {
                When::First => "",
                When::Last => " last",
                When::Always => " always",
            }
        );
        match groups
            .iter_mut()
            .find(|(call, said, _)| *call == row.call && **said == *stop)
        {
            Some((_, _, faults)) => faults.push(met),
            None => groups.push((&row.call, stop, vec![met])),
        }
    }
    for (call, stop, faults) in groups {
        let _ = writeln!(
            page,
            "| `{call}` | {} | {} | {} | {} |",
            faults.join(", "),
            stop.at,
            stop.code.as_deref().unwrap_or(""),
            cell(&stop.why)
        );
    }
    let wrong: Vec<&Row> = results
        .rows
        .iter()
        .filter(|row| row.end == End::Wrong)
        .collect();
    if !wrong.is_empty() {
        page.push_str(
            "\n## What went wrong\n\n| call | fault | when | what |\n| --- | --- | --- | --- |\n",
        );
        for row in wrong {
            let what: Vec<String> = row
                .wrong
                .iter()
                .map(|wrong| format!("{}: {}", wrong.kind.words(), wrong.what))
                .collect();
            let _ = writeln!(
                page,
                "| `{}` | {} | {:?} | {} |",
                row.call,
                row.fault,
                row.when,
                cell(&what.join("; "))
            );
        }
    }
}

/// Text of the tenant in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace(['\n', '\r'], " ")
        .replace('<', "&lt;")
}
