//! When a case may be closed (S7.6): first access, persistence and impact can each be
//! explained with stated confidence, and nothing unexplained still signs in.

use crate::event::Looked;
use crate::machine::{re_entry, unseen};
use crate::plan::survivors;
use crate::state::State;

/// The logs that tell what was sent and read.
const LOGS_FOR_IMPACT: [&str; 2] = ["message trace", crate::judge::UNIFIED_AUDIT];

/// What is missing before the case can be closed, in words; empty when it is explained.
///
/// What stands out and was left alone is not among it: whoever approved the plan that
/// leaves it has decided that, and sees it again at the gate.
pub fn unexplained(state: &State) -> Vec<String> {
    let mut missing = Vec::new();
    match &state.analysis {
        Some((_, analysis)) if !analysis.quick => {
            let nothing_happened = analysis.verdict == "clean";
            if analysis.path == "unknown" && !nothing_happened {
                missing.push("first access: no log says how the attacker came in".to_owned());
            } else if analysis.confidence <= 0.0 && !nothing_happened {
                missing.push("first access: nothing says how sure its path is".to_owned());
            }
            for source in &analysis.sources {
                if LOGS_FOR_IMPACT.contains(&source.name.as_str())
                    && matches!(source.looked, Looked::CouldNot | Looked::Not)
                {
                    let why = source.why.as_deref().unwrap_or("no reason is known");
                    missing.push(format!(
                        "impact: the {} could not be read: {why}",
                        source.name
                    ));
                }
            }
        }
        _ => missing.push("first access and impact: the logs were not analysed".to_owned()),
    }
    for (object, why) in survivors(state) {
        missing.push(format!(
            "persistence: {} \"{}\" is still there: {why}",
            object.kind.words(),
            object.name.as_deref().unwrap_or(&object.id)
        ));
    }
    if let Some(why) = unseen(state) {
        missing.push(format!("persistence: {why}"));
    }
    if let Some(why) = re_entry(state) {
        missing.push(format!("still signing in or coming back: {why}"));
    }
    missing
}
