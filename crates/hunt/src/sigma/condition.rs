//! The condition of a rule over its selections.

use super::{Refusal, Refused, refuse};

/// Parentheses and `not`s inside one another, at most.
const MAX_DEPTH: usize = 64;

/// A condition; numbers are those of the selections.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Selection(usize),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

impl Condition {
    pub(super) fn parse(text: &str, names: &[&str]) -> Result<Self, Refused> {
        if text.contains('|') {
            return Err(refuse(
                Refusal::Aggregation,
                "the condition counts events; only conditions on one event are run",
            ));
        }
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let mut parser = Parser {
            words: spaced.split_whitespace().collect(),
            next: 0,
            depth: 0,
            names,
        };
        let condition = parser.or()?;
        match parser.words.get(parser.next) {
            None => Ok(condition),
            Some(word) => Err(bad(format!("`{word}` has no meaning there"))),
        }
    }

    pub(super) fn holds(&self, selection: &mut dyn FnMut(usize) -> bool) -> bool {
        match self {
            Self::Selection(number) => selection(*number),
            Self::Not(inner) => !inner.holds(selection),
            Self::And(parts) => parts.iter().all(|part| part.holds(selection)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(selection)),
        }
    }
}

fn bad(what: String) -> Refused {
    refuse(Refusal::Condition, format!("in the condition, {what}"))
}

struct Parser<'a> {
    words: Vec<&'a str>,
    next: usize,
    depth: usize,
    names: &'a [&'a str],
}

impl<'a> Parser<'a> {
    fn word(&mut self, word: &str) -> bool {
        let found = self
            .words
            .get(self.next)
            .is_some_and(|have| have.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn take(&mut self) -> Result<&'a str, Refused> {
        let word = self
            .words
            .get(self.next)
            .ok_or_else(|| bad("something is missing at the end".to_owned()))?;
        self.next += 1;
        Ok(word)
    }

    fn or(&mut self) -> Result<Condition, Refused> {
        let mut parts = vec![self.and()?];
        while self.word("or") {
            parts.push(self.and()?);
        }
        Ok(Condition::Or(parts))
    }

    fn and(&mut self) -> Result<Condition, Refused> {
        let mut parts = vec![self.not()?];
        while self.word("and") {
            parts.push(self.not()?);
        }
        Ok(Condition::And(parts))
    }

    fn not(&mut self) -> Result<Condition, Refused> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(bad("it is nested too deeply".to_owned()));
        }
        let condition = if self.word("not") {
            Condition::Not(Box::new(self.not()?))
        } else if self.word("(") {
            let inner = self.or()?;
            if !self.word(")") {
                return Err(bad("`)` is missing".to_owned()));
            }
            inner
        } else {
            self.selection()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn selection(&mut self) -> Result<Condition, Refused> {
        let word = self.take()?;
        if self.word("of") {
            let of = self.take()?;
            let parts: Vec<Condition> = self
                .names
                .iter()
                .enumerate()
                .filter(|(_, name)| {
                    if of == "them" {
                        !name.starts_with('_')
                    } else {
                        glob(of, name)
                    }
                })
                .map(|(number, _)| Condition::Selection(number))
                .collect();
            if parts.is_empty() {
                return Err(bad(format!("no selection is called `{of}`")));
            }
            return match word.to_ascii_lowercase().as_str() {
                "1" | "any" => Ok(Condition::Or(parts)),
                "all" => Ok(Condition::And(parts)),
                _ => Err(bad(format!("`{word} of` is not known"))),
            };
        }
        self.names
            .iter()
            .position(|name| *name == word)
            .map(Condition::Selection)
            .ok_or_else(|| bad(format!("no selection is called `{word}`")))
    }
}

/// A name with `*` in it.
fn glob(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            tail.is_empty()
                || (0..=rest.len())
                    .filter_map(|at| rest.get(at..))
                    .any(|rest| glob(tail, rest))
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn conditions_bind_and_choose_as_specified() {
        let names = ["selection_a", "selection_b", "filter_x", "_hidden"];
        for (text, true_ones, expected) in [
            ("selection_a and not filter_x", &[0][..], true),
            ("selection_a and not filter_x", &[0, 2], false),
            ("1 of selection_*", &[1], true),
            ("all of selection_*", &[1], false),
            ("all of selection_*", &[0, 1], true),
            ("1 of them", &[3], false),
            ("all of them", &[0, 1, 2], true),
            ("selection_a or selection_b and filter_x", &[0], true),
            ("(selection_a or selection_b) and filter_x", &[0], false),
            ("not 1 of filter_*", &[0], true),
        ] {
            let condition = Condition::parse(text, &names).unwrap();
            assert_eq!(
                condition.holds(&mut |number| true_ones.contains(&number)),
                expected,
                "{text} {true_ones:?}"
            );
        }
        for text in [
            "",
            "selection",
            "1 of other_*",
            "selection_a and",
            "selection_a selection_b",
            "2 of them",
            "(selection_a",
        ] {
            assert!(Condition::parse(text, &names).is_err(), "{text}");
        }
        let refused = Condition::parse("selection_a | count() > 5", &names).unwrap_err();
        assert_eq!(refused.kind, Refusal::Aggregation);
        assert!(Condition::parse(&"(".repeat(1000), &names).is_err());
    }
}
