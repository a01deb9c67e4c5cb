//! The picture of a real drill for the README: the same lines that the terminal
//! shows, drawn as SVG.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use retake_drill::run_responder;
use retake_lab::Scenario;
use retake_responder::{Conduct, Watcher};

use super::drill::{BothSides, Side};
use crate::terminal::safe;

const LINE: usize = 17;
const WIDTH: usize = 1000;
const LONGEST: usize = 104;
/// The waits and the clean looks of the long tail say nothing new.
const LINES: usize = 44;

/// The default drill, seed 1, as SVG.
pub(super) fn drill() -> String {
    let lines: Mutex<Vec<(String, Side, String)>> = Mutex::default();
    let outcome = Scenario::find("invoice-fraud")
        .map_err(|error| error.to_string())
        .and_then(|scenario| {
            run_responder(&scenario, 1, Conduct::default(), &|stage| {
                Box::new(BothSides::new(stage.lab.clone(), |at, side, text| {
                    if side != Side::Note {
                        lines.lock().unwrap_or_else(PoisonError::into_inner).push((
                            at.strftime("%a %H:%M:%S").to_string(),
                            side,
                            safe(text),
                        ));
                    }
                })) as Box<dyn Watcher + '_>
            })
            .map_err(|error| error.to_string())
        });
    let mut lines = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Err(error) = &outcome {
        lines.push((String::new(), Side::Note, error.clone()));
    }
    lines.dedup_by(|a, b| a.2 == b.2);
    // Accepted and verified are two lines of the journal; the picture has room for one.
    lines.retain(|line| !line.2.ends_with(", accepted"));
    let quiet = |line: &(String, Side, String)| {
        line.2.starts_with("snapshot ") || line.2.starts_with("logs say")
    };
    let mut shown: Vec<&(String, Side, String)> = Vec::new();
    let tail = 6;
    for (index, line) in lines.iter().enumerate() {
        let near_end = index + tail >= lines.len();
        if near_end || (shown.len() < LINES - tail && (index < 20 || !quiet(line))) {
            shown.push(line);
        }
    }
    draw(&shown)
}

fn draw(lines: &[&(String, Side, String)]) -> String {
    let height = (lines.len() + 3) * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"A drill: what the responder does and what the attacker gets, on one clock\" font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, monospace\" font-size=\"12.5\">\n<rect width=\"{WIDTH}\" height=\"{height}\" rx=\"8\" fill=\"#16181d\"/>\n<text x=\"20\" y=\"{}\" fill=\"#8b93a1\">$ <tspan fill=\"#e6e9ef\">retake drill</tspan></text>\n",
        LINE + 8
    );
    for (index, (at, side, text)) in lines.iter().enumerate() {
        let (who, colour) = match side {
            Side::Ours => ("retake", "#7fc98b"),
            Side::Theirs => ("attacker", "#ef7f7f"),
            Side::Note => ("", "#e2b866"),
        };
        let mut text: String = text.chars().take(LONGEST).collect();
        if text.chars().count() == LONGEST {
            text.push('…');
        }
        // Writing to a String cannot fail.
        let _ = writeln!(
            svg,
            "<text x=\"20\" y=\"{}\" xml:space=\"preserve\"><tspan fill=\"#8b93a1\">{at} </tspan><tspan fill=\"{colour}\">{who:<9}</tspan><tspan fill=\"#d6dae2\">{}</tspan></text>",
            (index + 2) * LINE + 12,
            escape(&text)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
