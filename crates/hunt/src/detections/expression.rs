//! The match language: a boolean expression over the columns of one event.
//!
//! ```text
//! expression := expression "or" expression | expression "and" expression
//!             | "not" expression | "(" expression ")" | test
//! test       := column "is" TEXT          equal, case aside
//!             | column "in" [TEXT, …]     equal to one of them
//!             | column "contains" TEXT or [TEXT, …]      holds one of them
//!             | column "starts_with" TEXT or [TEXT, …]
//!             | column "ends_with" TEXT or [TEXT, …]
//!             | column "mentions" [TEXT, …]   holds one of them as a whole word
//!             | column "exists"           has a value that is not empty
//!             | column "outside"          holds a mail address outside the organisation's own domains
//!             | column "only_signs"       has no letter and no digit in it
//!             | column "shorter_than" NUMBER   fewer characters
//!             | column "below" NUMBER or "above" NUMBER   as numbers
//! ```
//!
//! `and` binds closer than `or`, `not` closer than `and`. A column with several
//! values passes when one of them does. Columns are those of
//! [`Event::values`](crate::Event::values); `record.PATH` reaches a field of the
//! original record that no column holds. A name with blanks is quoted:
//! `new."Included Updated Properties"`. `#` begins a comment.
//!
//! Whether a domain is the organisation's own may be known only when all
//! events have been read: then the outcome is open.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::column::{Column, Seen};
use super::{fold, parse};
use crate::event::Event;

pub use super::parse::ExpressionError;

/// What an expression may ask about besides the event.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The organisation's own mail domains, lower case.
    pub own_domains: &'a BTreeSet<String>,
}

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(Node);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Or(Vec<Node>),
    And(Vec<Node>),
    Not(Box<Node>),
    Test { column: Column, test: Test },
}

/// Texts in a test are lower case already.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    In(Vec<String>),
    Contains(Vec<String>),
    StartsWith(Vec<String>),
    EndsWith(Vec<String>),
    Mentions(Vec<String>),
    Exists,
    Outside,
    OnlySigns,
    ShorterThan(usize),
    Below(f64),
    Above(f64),
}

/// What an expression says of an event while the own domains are not known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Truth {
    No,
    Yes,
    Depends(Residual),
}

/// What is left to ask once the own domains are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Residual {
    /// One of these domains is not an own one.
    Outside(Vec<String>),
    Any(Vec<Residual>),
    All(Vec<Residual>),
    Not(Box<Residual>),
}

impl Residual {
    /// The answer.
    pub(crate) fn holds(&self, own_domains: &BTreeSet<String>) -> bool {
        match self {
            Self::Outside(domains) => domains.iter().any(|domain| !own_domains.contains(domain)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(own_domains)),
            Self::All(parts) => parts.iter().all(|part| part.holds(own_domains)),
            Self::Not(part) => !part.holds(own_domains),
        }
    }
}

/// Which events an expression can be true of at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Those of these operations, lower case.
    Actions(BTreeSet<String>),
    /// Sign-ins.
    SignIns,
    /// Any.
    Open,
}

impl Expression {
    /// Parses an expression; every column in it must exist.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        parse::parse(text).map(Self)
    }

    /// True if the event passes.
    pub fn matches(&self, event: &Event, context: Context<'_>) -> bool {
        match self.truth(&Seen::new(event)) {
            Truth::No => false,
            Truth::Yes => true,
            Truth::Depends(rest) => rest.holds(context.own_domains),
        }
    }

    /// The answer as far as the event alone gives it.
    pub(crate) fn truth(&self, seen: &Seen<'_>) -> Truth {
        self.0.truth(seen)
    }

    /// Which events it can be true of.
    pub(crate) fn gate(&self) -> Gate {
        self.0.gate()
    }
}

impl Node {
    fn truth(&self, seen: &Seen<'_>) -> Truth {
        match self {
            Self::Or(nodes) => gather(nodes, seen, true),
            Self::And(nodes) => gather(nodes, seen, false),
            Self::Not(node) => match node.truth(seen) {
                Truth::No => Truth::Yes,
                Truth::Yes => Truth::No,
                Truth::Depends(rest) => Truth::Depends(Residual::Not(Box::new(rest))),
            },
            Self::Test {
                column,
                test: Test::Outside,
            } => {
                let mut domains = Vec::new();
                column.any(seen, &mut |value| {
                    domains.extend(mail_domains(value));
                    false
                });
                if domains.is_empty() {
                    Truth::No
                } else {
                    Truth::Depends(Residual::Outside(domains))
                }
            }
            Self::Test { column, test } => {
                if column.any(seen, &mut |value| test.passes(value)) {
                    Truth::Yes
                } else {
                    Truth::No
                }
            }
        }
    }

    fn gate(&self) -> Gate {
        match self {
            Self::Test {
                column: Column::Action,
                test: Test::In(texts),
            } => Gate::Actions(texts.iter().cloned().collect()),
            Self::Test {
                column: Column::Kind,
                test: Test::In(texts),
            } if texts.iter().all(|text| text == "sign_in") => Gate::SignIns,
            Self::And(nodes) => nodes
                .iter()
                .map(Self::gate)
                .reduce(|a, b| match (a, b) {
                    (Gate::Actions(a), Gate::Actions(b)) => {
                        Gate::Actions(a.intersection(&b).cloned().collect())
                    }
                    (Gate::Actions(names), _) | (_, Gate::Actions(names)) => Gate::Actions(names),
                    (Gate::SignIns, _) | (_, Gate::SignIns) => Gate::SignIns,
                    (Gate::Open, Gate::Open) => Gate::Open,
                })
                .unwrap_or(Gate::Open),
            Self::Or(nodes) => nodes
                .iter()
                .map(Self::gate)
                .reduce(|a, b| match (a, b) {
                    (Gate::Actions(a), Gate::Actions(b)) => {
                        Gate::Actions(a.union(&b).cloned().collect())
                    }
                    (Gate::SignIns, Gate::SignIns) => Gate::SignIns,
                    _ => Gate::Open,
                })
                .unwrap_or(Gate::Open),
            Self::Not(_) | Self::Test { .. } => Gate::Open,
        }
    }
}

/// `Or` ends at the first yes, `And` at the first no.
fn gather(nodes: &[Node], seen: &Seen<'_>, or: bool) -> Truth {
    let mut rest = Vec::new();
    for node in nodes {
        match node.truth(seen) {
            Truth::Yes if or => return Truth::Yes,
            Truth::No if !or => return Truth::No,
            Truth::Yes | Truth::No => {}
            Truth::Depends(part) => rest.push(part),
        }
    }
    match (rest.is_empty(), or) {
        (true, true) => Truth::No,
        (true, false) => Truth::Yes,
        (false, true) => Truth::Depends(Residual::Any(rest)),
        (false, false) => Truth::Depends(Residual::All(rest)),
    }
}

impl Test {
    fn passes(&self, value: &str) -> bool {
        let any = |texts: &[String], test: fn(&str, &str) -> bool| {
            texts.iter().any(|text| test(value, text))
        };
        match self {
            Self::In(texts) => any(texts, fold::equals),
            Self::Contains(texts) => any(texts, fold::contains),
            Self::StartsWith(texts) => any(texts, fold::starts_with),
            Self::EndsWith(texts) => any(texts, fold::ends_with),
            Self::Mentions(texts) => any(texts, fold::mentions),
            Self::Exists => !value.trim().is_empty(),
            // Asked of all values together, where the domains are known.
            Self::Outside => false,
            Self::OnlySigns => {
                let value = value.trim();
                !value.is_empty() && !value.chars().any(char::is_alphanumeric)
            }
            Self::ShorterThan(length) => value.trim().chars().count() < *length,
            Self::Below(limit) => number(value).is_some_and(|number| number < *limit),
            Self::Above(limit) => number(value).is_some_and(|number| number > *limit),
        }
    }
}

fn number(value: &str) -> Option<f64> {
    value.trim().parse().ok()
}

/// The domains of the mail addresses in a text, lower case.
pub(crate) fn mail_domains(text: &str) -> impl Iterator<Item = String> {
    text.match_indices('@').filter_map(|(at, _)| {
        let has_local = text
            .get(..at)
            .and_then(|head| head.chars().next_back())
            .is_some_and(|c| c.is_alphanumeric() || "._%+-'\"".contains(c));
        let domain: String = text
            .get(at + 1..)?
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '.' || *c == '-')
            .collect();
        let domain = domain.trim_matches('.').to_lowercase();
        (has_local && domain.contains('.')).then_some(domain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    fn check(text: &str, event: &Event) -> bool {
        let own_domains = BTreeSet::from(["contoso.example".to_owned()]);
        Expression::parse(text).unwrap().matches(
            event,
            Context {
                own_domains: &own_domains,
            },
        )
    }

    #[test]
    fn tests_read_as_they_are_written() {
        let mut event = Event::new(
            Source::Ual,
            jiff::Timestamp::UNIX_EPOCH,
            "New-InboxRule",
            "{}",
        );
        event.parameters.insert("Name".into(), "..".into());
        event
            .parameters
            .insert("ForwardTo".into(), "\"Bo\" [SMTP:bo@mail.example]".into());
        event
            .parameters
            .insert("Words".into(), "Re: invoice overdue".into());
        for (text, expected) in [
            ("event.action is \"new-inboxrule\"", true),
            ("event.action in [\"a\", \"New-InboxRule\",]", true),
            (
                "not event.action is \"x\" and parameter.name only_signs",
                true,
            ),
            (
                "parameter.Name shorter_than 2 or parameter.ForwardTo outside",
                true,
            ),
            ("parameter.Words mentions [\"voice\"]", false),
            ("parameter.Words mentions [\"invoice\"]", true),
            ("parameter.* contains [\"overdue\", \"paid\"]", true),
            ("parameter.Missing exists", false),
            (
                "(user.name exists or source.ip exists) # nothing is known",
                false,
            ),
        ] {
            assert_eq!(check(text, &event), expected, "{text}");
        }
    }

    #[test]
    fn outside_means_outside_the_own_domains() {
        let mut event = Event::new(Source::Ual, jiff::Timestamp::UNIX_EPOCH, "x", "{}");
        for (value, outside) in [
            ("smtp:bo@mail.example", true),
            ("Bo@Contoso.Example", false),
            ("bo@contoso.example.mail.example", true),
            ("a@contoso.example;b@mail.example", true),
            ("no address", false),
            ("@contoso", false),
        ] {
            event.parameters.insert("To".into(), value.into());
            assert_eq!(check("parameter.To outside", &event), outside, "{value}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        for (text, at) in [
            ("", 0),
            ("user.name", 9),
            ("user.nam is \"x\"", 0),
            ("user.name is x", 13),
            ("user.name like \"x\"", 10),
            ("user.name in [\"x\"", 17),
            ("user.name is \"x\" user.id exists", 17),
            ("(user.name exists", 17),
            ("user.name is \"x", 13),
            ("user.name ~ 3", 10),
        ] {
            assert_eq!(Expression::parse(text).unwrap_err().at, at, "{text}");
        }
        let deep = "(".repeat(10_000);
        assert!(Expression::parse(&deep).is_err());
    }
}
