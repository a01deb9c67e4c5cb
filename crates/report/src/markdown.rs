//! The report as Markdown: one line for one thing, so that it can be compared.

use std::fmt::{Display, Write as _};

use crate::escape::markdown_of;
use crate::model::{Action, Mail, Model, Person};
use crate::text::Text;

pub(crate) fn write(model: &Model) -> String {
    let mut page = Page(String::new());
    first_screen(&mut page, model);
    done(&mut page, model);

    page.heading("Access clock");
    page.table(
        &["Artefact", "What", "Ends at the latest", "Why", "Ended"],
        model.access.iter().map(|clock| {
            [
                clock.artefact.clone(),
                md(&clock.what),
                option(clock.ends_at, "when it is removed"),
                md(&clock.why),
                if clock.ended { "yes" } else { "not yet" }.to_owned(),
            ]
        }),
    );

    impact(&mut page, model);
    unknown(&mut page, model);
    people(&mut page, model);
    found(&mut page, model);

    page.heading("Each change in full");
    for action in &model.actions {
        write_action(&mut page, action);
    }
    page.or_none(model.actions.is_empty(), "Nothing was changed.");

    page.heading("The account");
    for (name, value) in &model.account_facts {
        page.item(format_args!("{name}: {}", md(value)));
    }
    page.or_none(model.account_facts.is_empty(), "It could not be read.");

    page.heading("What was checked");
    page.table(
        &["Check", "Result", "Detail"],
        model
            .checks
            .iter()
            .map(|check| [md(&check.what), check.result.to_owned(), md(&check.detail)]),
    );
    journal(&mut page, model);
    proof(&mut page, model);
    page.0
}

/// What somebody reads who reads nothing else.
fn first_screen(page: &mut Page, model: &Model) {
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
    for glance in &model.glance {
        page.item(format_args!(
            "**{}** {}",
            glance.question,
            md(&glance.answer)
        ));
        for point in &glance.points {
            page.line_of(format_args!("  - {}", begin(point)));
        }
    }
    page.end();
    page.heading("What happened when");
    for paragraph in &model.narrative {
        page.line(format_args!("{}", begin(paragraph)));
    }
    if model.narrative.is_empty() {
        page.line(format_args!("Nothing is known yet."));
    }
}

fn done(page: &mut Page, model: &Model) {
    page.heading("What was done, and how it is known");
    page.line(format_args!(
        "Requested, accepted by the tenant, verified by reading it back, and effective are four different things."
    ));
    page.table(
        &[
            "No.",
            "Change",
            "Requested",
            "Accepted",
            "Verified",
            "Effective",
        ],
        model.actions.iter().map(|action| {
            [
                action.id.clone(),
                format!(
                    "{}{}",
                    md(&action.title),
                    if action.stopped.is_some() {
                        " **stopped**"
                    } else {
                        ""
                    }
                ),
                option(action.intended.first(), "no"),
                option(action.accepted, "no"),
                option(action.verified, "NO"),
                md(&action.effective),
            ]
        }),
    );
    page.line(format_args!("### Who decided"));
    page.table(
        &["Time", "Gate", "Asked", "Decision", "By", "Words"],
        model.decisions.iter().map(|decision| {
            [
                decision.at.to_string(),
                decision.gate.to_owned(),
                decision.asked.to_owned(),
                decision.how.to_owned(),
                decision.by.as_ref().map(md).unwrap_or_default(),
                decision.words.as_ref().map(md).unwrap_or_default(),
            ]
        }),
    );
}

fn impact(page: &mut Page, model: &Model) {
    page.heading("Impact: what was read");
    for (how, number) in &model.read_by {
        page.item(format_args!("{number}: {}", md(how)));
    }
    page.end();
    write_mail(page, &model.read);
    page.heading("Impact: what was sent by the attacker");
    write_mail(page, &model.sent);
    page.heading("Impact: to whom");
    page.table(
        &["Recipient", "Where", "Messages", "First", "Subjects"],
        model.recipients.iter().map(|recipient| {
            [
                md(&recipient.address),
                if recipient.inside {
                    "inside"
                } else {
                    "outside"
                }
                .to_owned(),
                recipient.messages.to_string(),
                recipient.first.to_string(),
                all(&recipient.subjects),
            ]
        }),
    );
    page.heading("Impact: what was changed by the attacker");
    page.table(
        &[
            "Time",
            "Operation",
            "Object",
            "Why it is laid to the attacker",
            "Record",
        ],
        model.changed.iter().map(|change| {
            [
                change.at.to_string(),
                md(&change.operation),
                format!("{} {}", change.what, md(&change.object)),
                all(&change.why),
                md(&change.record),
            ]
        }),
    );
    page.heading("Impact: other accounts with the same marks");
    page.list(&model.accounts, "None found in what was looked at.");
    page.heading("What the attacker is known by");
    for (name, values) in &model.attacker {
        page.item(format_args!("{name}: {}", all(values)));
    }
    page.end();
    page.line(format_args!("Evidence for and against the path:"));
    page.list(&model.path_reasons, "None.");
}

fn unknown(page: &mut Page, model: &Model) {
    page.heading("What is not known");
    page.list(&model.unknown, "Nothing is known to be missing.");
    page.heading("What was looked at, answer by answer");
    for group in &model.sources {
        page.line(format_args!("### {}", group.title));
        page.line(format_args!("{}", group.means));
        for source in &group.sources {
            page.item(format_args!(
                "{} ({}){}{}",
                md(&source.name),
                source.asked_for,
                source
                    .why
                    .as_ref()
                    .map(|why| format!(": {}", md(why)))
                    .unwrap_or_default(),
                source
                    .code
                    .as_ref()
                    .map(|code| format!(" {}", md(code)))
                    .unwrap_or_default()
            ));
        }
        page.end();
    }
    if model.sources.is_empty() {
        page.or_none(true, "Nothing was looked at yet.");
    }
}

fn people(page: &mut Page, model: &Model) {
    page.heading("Warnings");
    write_people(page, &model.warnings);
    page.heading("Tasks");
    write_people(page, &model.tasks);
    page.heading("Documents of the case");
    page.table(
        &["Document", "SHA-256", "Bytes"],
        model.documents.iter().map(|document| {
            [
                md(&document.name),
                document.digest.to_string(),
                document.bytes.to_string(),
            ]
        }),
    );
}

fn found(page: &mut Page, model: &Model) {
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
            } else if foothold.taken_back {
                "Removed, and TAKEN BACK by order"
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

    page.heading("What was undone");
    page.table(
        &["Time", "What", "By", "Why", "As before?", "Evidence"],
        model.undone.iter().map(|undone| {
            [
                md(&undone.at),
                md(&undone.what),
                md(&undone.by),
                md(&undone.reason),
                if undone.differs.is_empty() {
                    "yes".to_owned()
                } else {
                    all(&undone.differs)
                },
                undone.evidence.as_ref().map(md).unwrap_or_default(),
            ]
        }),
    );
}

fn journal(page: &mut Page, model: &Model) {
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
    page.heading("Everything in order");
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
}

fn proof(page: &mut Page, model: &Model) {
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
        "Found {}, removed {}, verified {}, undone {}, not known {}. Each with its object and digests stands in the file beside this one, {}.attestation.json.",
        attestation.found,
        attestation.removed,
        attestation.verified,
        attestation.undone,
        attestation.unknown,
        md(&model.case)
    ));
    page.line(format_args!(
        "Both follow from the first {} records of the journal, the last of which has the hash `{}`, and from {} pieces of evidence. Anybody can check the exported case and whether the attestation follows from it, offline and on any machine, with the fingerprint that was shown when the case was closed:",
        attestation.records, attestation.head, attestation.evidence
    ));
    page.line(format_args!("    {}", attestation.command));
    page.line(format_args!(
        "Time and signature are the operator's own; no third party has countersigned them."
    ));
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
            "First",
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
                if mail.times > 1 {
                    format!("{}; {} times", md(&mail.how), mail.times)
                } else {
                    md(&mail.how)
                },
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
