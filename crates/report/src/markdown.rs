//! The report as Markdown: one line for one thing, so that it can be compared.

use std::fmt::{Display, Write as _};

use crate::escape::markdown_of;
use crate::model::{Action, Mail, Model, Person};
use crate::text::Text;

pub(crate) fn write(model: &Model) -> String {
    let mut page = Page(String::new());
    page.line(format_args!(
        "# Case {}: {}",
        md(&model.case),
        md(&model.account)
    ));
    page.line(format_args!(
        "**{}** as of {}. Opened {} by {}. Tenant {}. Retake {}.",
        md(&model.status),
        model.as_of,
        model.opened_at,
        md(&model.responder),
        md(&model.tenant),
        md(&model.program)
    ));
    page.line(format_args!("Alert: {}", md(&model.alert)));

    page.heading("Summary");
    for (about, text) in &model.summary {
        page.item(format_args!("**{about}:** {}", md(text)));
    }
    page.end();

    page.heading("What is not known");
    page.list(&model.unknown, "Nothing is known to be missing.");

    page.heading("The account");
    for (name, value) in &model.account_facts {
        page.item(format_args!("{name}: {}", md(value)));
    }
    page.or_none(model.account_facts.is_empty(), "It could not be read.");

    page.heading("How it went, step by step");
    for step in &model.steps {
        page.line(format_args!("### S{} {}", step.number, step.name));
        for line in &step.lines {
            page.item(format_args!("{}: {}", line.at, md(&line.text)));
        }
        page.or_none(step.lines.is_empty(), "Nothing happened in this step.");
        if !step.absent.is_empty() {
            page.line(format_args!(
                "Not in this version: {}.",
                step.absent.join(", ")
            ));
        }
    }

    page.heading("Timeline");
    page.table(
        &["Time", "Whose", "What", "Record"],
        model.timeline.iter().map(|line| {
            [
                line.at.to_string(),
                line.whose.words().to_owned(),
                md(&line.text),
                option(line.record, "logs"),
            ]
        }),
    );

    page.heading("What was found");
    for foothold in &model.footholds {
        page.item(format_args!(
            "**{} {}**, {}: {}. It gives {}. {} ({}).",
            foothold.artefact,
            foothold.what,
            md(&foothold.object),
            if foothold.facts.is_empty() {
                "no facts of its own".to_owned()
            } else {
                md(&foothold.facts)
            },
            foothold.gives,
            if foothold.removed {
                "Dealt with and verified"
            } else {
                "NOT dealt with"
            },
            foothold.actions.join(", ")
        ));
        for why in &foothold.why {
            page.line_of(format_args!("  - {}", begin(why)));
        }
    }
    page.or_none(model.footholds.is_empty(), "No foothold was found.");

    page.heading("What was left alone, for a person to decide");
    for left in &model.left {
        page.item(format_args!(
            "{} \"{}\": {}",
            left.kind,
            md(&left.object),
            md(&left.facts)
        ));
        for why in &left.why {
            page.line_of(format_args!("  - {}", begin(why)));
        }
    }
    page.or_none(model.left.is_empty(), "Nothing.");

    page.heading("What was done, and how it is known");
    for action in &model.actions {
        write_action(&mut page, action);
    }
    page.or_none(model.actions.is_empty(), "Nothing was changed.");

    page.heading("Access clock");
    page.table(
        &["Artefact", "What", "Ends at the latest", "Why", "Ended"],
        model.access.iter().map(|clock| {
            [
                clock.artefact.clone(),
                md(&clock.what),
                clock.ends_at.to_string(),
                md(&clock.why),
                if clock.ended { "yes" } else { "not yet" }.to_owned(),
            ]
        }),
    );

    page.heading("Impact: sent by the attacker");
    write_mail(&mut page, &model.sent);
    page.heading("Impact: known to be read");
    write_mail(&mut page, &model.read);
    page.heading("Impact: other accounts with the same marks");
    page.list(&model.accounts, "None found in what was looked at.");
    page.heading("What the attacker is known by");
    for (name, values) in &model.attacker {
        page.item(format_args!("{name}: {}", all(values)));
    }
    page.end();
    page.line(format_args!("Evidence for and against the path:"));
    page.list(&model.path_reasons, "None.");

    page.heading("Warnings");
    write_people(&mut page, &model.warnings);
    page.heading("Tasks");
    write_people(&mut page, &model.tasks);

    page.heading("What was checked");
    page.table(
        &["Check", "Result", "Detail"],
        model
            .checks
            .iter()
            .map(|check| [md(&check.what), check.result.to_owned(), md(&check.detail)]),
    );

    page.heading("What was looked at");
    page.table(
        &["Source", "For", "Answer", "Why"],
        model.sources.iter().map(|source| {
            [
                md(&source.name),
                source.asked_for.to_owned(),
                source.answer.to_owned(),
                source.why.as_ref().map(md).unwrap_or_default(),
            ]
        }),
    );

    page.heading("Evidence");
    page.table(
        &["SHA-256", "What", "Request", "Status", "Bytes", "Kept"],
        model.evidence.iter().map(|evidence| {
            [
                evidence.digest.to_string(),
                md(&evidence.what),
                evidence.request.as_ref().map(md).unwrap_or_default(),
                option(evidence.status, ""),
                evidence.bytes.to_string(),
                if evidence.kept { "yes" } else { "MISSING" }.to_owned(),
            ]
        }),
    );

    page.heading("Attestation");
    let attestation = &model.attestation;
    page.line(format_args!(
        "Found {}, removed {}, actions verified {}, containment taken back {}, not known {}.",
        attestation.found,
        attestation.removed,
        attestation.verified,
        attestation.undone,
        attestation.unknown
    ));
    page.line(format_args!(
        "This report follows from the first {} records of the journal, the last of which has the hash `{}`, and from {} pieces of evidence. Anybody can check the exported case, offline and on any machine, with the fingerprint that was shown when the case was closed:",
        attestation.records, attestation.head, attestation.evidence
    ));
    page.line(format_args!("    {}", attestation.command));
    page.line(format_args!(
        "Time and signature are the operator's own; no third party has countersigned them."
    ));
    page.0
}

fn write_action(page: &mut Page, action: &Action) {
    page.line(format_args!(
        "### {} {}: {}",
        action.id,
        md(&action.title),
        action.state
    ));
    page.item(format_args!(
        "Step {}, plan {}, {}",
        action.step,
        action.plan,
        md(&action.object)
    ));
    for why in &action.why {
        page.item(format_args!("Why: {}", md(why)));
    }
    let intended: Vec<_> = action.intended.iter().map(ToString::to_string).collect();
    page.item(format_args!(
        "Requested: {}",
        if intended.is_empty() {
            "no".to_owned()
        } else {
            intended.join(", ")
        }
    ));
    page.item(format_args!(
        "Accepted: {}{}",
        option(action.accepted, "no"),
        action
            .accepted_how
            .map(|how| format!(" ({how})"))
            .unwrap_or_default()
    ));
    page.item(format_args!("Verified: {}", option(action.verified, "no")));
    page.item(format_args!("Effective: {}", md(&action.effective)));
    if let Some(stopped) = &action.stopped {
        page.item(format_args!("Stopped: {}", md(stopped)));
    }
    page.item(format_args!(
        "State before: {}; evidence of the change: {}",
        digest(action.before.as_ref()),
        digest(action.evidence.as_ref())
    ));
    page.item(format_args!(
        "Undo: {}. It breaks: {}.",
        action.undo, action.breaks
    ));
    if let Some(request) = &action.request {
        page.item(format_args!("The same by hand: {}", md(request)));
    }
    page.end();
}

fn write_mail(page: &mut Page, mail: &[Mail]) {
    page.table(
        &[
            "Time",
            "Subject",
            "Recipients",
            "Message id",
            "How it is known",
        ],
        mail.iter().map(|mail| {
            [
                mail.at.to_string(),
                md(&mail.subject),
                all(&mail.recipients),
                md(&mail.message),
                md(&mail.how),
            ]
        }),
    );
}

fn write_people(page: &mut Page, people: &[Person]) {
    page.table(
        &["No.", "Step", "Who", "What", "Since", "Done", "Document"],
        people.iter().map(|person| {
            [
                person.number.to_string(),
                person.step.clone(),
                md(&person.who),
                md(&person.what),
                person.since.to_string(),
                person
                    .done
                    .as_ref()
                    .map_or_else(|| "OPEN".to_owned(), |(at, by)| format!("{at}, {}", md(by))),
                digest(person.document.as_ref()),
            ]
        }),
    );
}

/// A text of anybody's within a line.
fn md(text: &Text) -> String {
    markdown_of(&text.to_string(), false)
}

/// A text of anybody's that begins a line or an item.
fn begin(text: &Text) -> String {
    markdown_of(&text.to_string(), true)
}

fn all(texts: &[Text]) -> String {
    if texts.is_empty() {
        return "none".to_owned();
    }
    let all: Vec<_> = texts.iter().map(md).collect();
    all.join(", ")
}

fn option(value: Option<impl Display>, none: &str) -> String {
    value.map_or_else(|| none.to_owned(), |value| value.to_string())
}

fn digest(digest: Option<&retake_playbook::Digest>) -> String {
    digest.map_or_else(
        || "none".to_owned(),
        |digest| format!("`{}`", digest.short()),
    )
}

/// Blocks parted by empty lines. Writing to a String cannot fail.
struct Page(String);

impl Page {
    fn heading(&mut self, title: &str) {
        let _ = writeln!(self.0, "## {title}\n");
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.0, "{text}\n");
    }

    fn line_of(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.0, "{text}");
    }

    fn item(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.0, "- {text}");
    }

    fn end(&mut self) {
        self.0.push('\n');
    }

    /// Ends a list, or says that it has nothing.
    fn or_none(&mut self, empty: bool, none: &str) {
        if empty {
            let _ = writeln!(self.0, "{none}");
        }
        self.end();
    }

    fn list(&mut self, texts: &[Text], none: &str) {
        for text in texts {
            self.item(format_args!("{}", begin(text)));
        }
        self.or_none(texts.is_empty(), none);
    }

    fn table<const N: usize>(&mut self, head: &[&str; N], rows: impl Iterator<Item = [String; N]>) {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            self.or_none(true, "None.");
            return;
        }
        let _ = writeln!(self.0, "| {} |", head.join(" | "));
        let _ = writeln!(self.0, "|{}", " --- |".repeat(N));
        for row in rows {
            let _ = writeln!(self.0, "| {} |", row.join(" | "));
        }
        self.end();
    }
}
