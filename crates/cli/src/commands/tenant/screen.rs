//! What `retake tenant check` shows: one screen, words and colour.

use std::fmt::Write as _;

use retake_responder::preflight::{Can, RightLine, Survey};

use crate::terminal::{OURS, QUIET, STRONG, THEIRS, WARN, safe, safe_at_length};

/// The screen. Writing to a String cannot fail, so the results are not looked at.
pub(super) fn of(name: &str, found: &Survey) -> String {
    let mut page = String::new();
    let who = found.who.person.clone().unwrap_or_else(|| {
        found.who.app.clone().map_or_else(
            || format!("app {}", found.who.app_id),
            |app| format!("app \"{app}\" ({})", found.who.app_id),
        )
    });
    let tenant = found.tenant_name.as_deref().unwrap_or("the tenant");
    let _ = writeln!(
        page,
        "{STRONG}{}{STRONG:#}: {} as {}, the {} set",
        safe(name),
        safe(tenant),
        safe(&who),
        found.set
    );
    let _ = writeln!(page, "\n{}", rights("permissions", &found.permissions));
    let _ = writeln!(page, "{}", rights("roles", &found.roles));

    let ids = |can: Can| -> Vec<String> {
        found
            .steps
            .iter()
            .filter(|step| step.can == can)
            .map(|step| step.step.to_string())
            .collect()
    };
    let _ = writeln!(page, "\n{STRONG}Steps{STRONG:#}");
    let able = ids(Can::Yes);
    if !able.is_empty() {
        let _ = writeln!(page, "  {OURS}can run{OURS:#}    {}", able.join(" "));
    }
    for step in found.steps.iter().filter(|step| step.can != Can::Yes) {
        let word = match step.can {
            Can::No => format!("{THEIRS}CANNOT RUN{THEIRS:#}"),
            _ => format!("{WARN}NOT KNOWN {WARN:#}"),
        };
        let _ = writeln!(page, "  {word} {} {}", step.step, step.title);
        for grant in &step.grants {
            let _ = writeln!(page, "               {}", safe_at_length(&grant.order));
        }
        for note in &step.notes {
            let _ = writeln!(page, "               {}", safe_at_length(note));
        }
    }

    let _ = writeln!(page, "\n{STRONG}Logs{STRONG:#}");
    for source in &found.sources {
        let _ = writeln!(
            page,
            "  {} {:<18} {}",
            word(match source.can {
                Can::Yes => Some(true),
                Can::No => Some(false),
                Can::Unknown => None,
            }),
            source.name,
            safe(&source.reach)
        );
    }
    let _ = writeln!(page, "\n{STRONG}Settings{STRONG:#}");
    for setting in &found.settings {
        let _ = writeln!(
            page,
            "  {} {:<18} {}",
            word(setting.good),
            setting.what,
            safe_at_length(&setting.detail)
        );
    }
    for line in &found.break_glass {
        let _ = writeln!(
            page,
            "  {} {:<18} {}: {}",
            word(line.good),
            "break-glass",
            safe(&line.account),
            safe_at_length(&line.detail)
        );
    }
    let _ = writeln!(
        page,
        "\n{QUIET}Reading was tried. Changing was not: for changes this is what the tokens carry and which roles are assigned.{QUIET:#}"
    );
    match found.can() {
        Can::Yes => {
            let _ = writeln!(page, "{OURS}ready{OURS:#}: every step can run.");
        }
        Can::No => {
            let _ = writeln!(
                page,
                "{THEIRS}not ready{THEIRS:#}: grant what is named above, wait some minutes, and give the same command again."
            );
        }
        Can::Unknown => {
            let _ = writeln!(
                page,
                "{WARN}not known{WARN:#}: some of it could not be found out."
            );
        }
    }
    page
}

fn rights(what: &str, lines: &[RightLine]) -> String {
    let held = lines.iter().filter(|line| line.can == Can::Yes).count();
    let tried = lines
        .iter()
        .filter(|line| line.how == "a harmless call went through")
        .count();
    let mut text = format!("{:<12} {held} of {}", what, lines.len());
    if tried > 0 {
        let _ = write!(text, ", {tried} proved by a call");
    }
    let without: Vec<String> = lines
        .iter()
        .filter(|line| line.can != Can::Yes)
        .map(|line| format!("{} ({})", line.name, line.how))
        .collect();
    if !without.is_empty() {
        let _ = write!(text, "; without {}", without.join(", "));
    }
    text
}

/// Words first: not everybody sees the colour.
fn word(good: Option<bool>) -> String {
    match good {
        Some(true) => format!("{OURS}ok  {OURS:#}"),
        Some(false) => format!("{THEIRS}LOOK{THEIRS:#}"),
        None => format!("{WARN}?   {WARN:#}"),
    }
}
