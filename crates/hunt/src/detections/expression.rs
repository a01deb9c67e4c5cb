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
//! [`Event::values`](crate::Event::values); a name with blanks is quoted:
//! `new."Included Updated Properties"`. `#` begins a comment.

use std::collections::BTreeSet;

use crate::event::Event;

/// What an expression may ask about besides the event.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The organisation's own mail domains, lower case.
    pub own_domains: &'a BTreeSet<String>,
}

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(Node);

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {what}")]
pub struct ExpressionError {
    /// Offset in characters.
    pub at: usize,
    /// What is wrong.
    pub what: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Or(Vec<Node>),
    And(Vec<Node>),
    Not(Box<Node>),
    Test { column: String, test: Test },
}

/// Texts in a test are lower case already.
#[derive(Clone, Debug, PartialEq)]
enum Test {
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

impl Expression {
    /// Parses an expression; every column in it must exist.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            next: 0,
            length: text.chars().count(),
            depth: 0,
        };
        let node = parser.or()?;
        match parser.peek() {
            None => Ok(Self(node)),
            Some(token) => Err(error(token.at, "the expression should end here")),
        }
    }

    /// True if the event passes.
    pub fn matches(&self, event: &Event, context: Context<'_>) -> bool {
        self.0.matches(event, context)
    }
}

impl Node {
    fn matches(&self, event: &Event, context: Context<'_>) -> bool {
        match self {
            Self::Or(nodes) => nodes.iter().any(|node| node.matches(event, context)),
            Self::And(nodes) => nodes.iter().all(|node| node.matches(event, context)),
            Self::Not(node) => !node.matches(event, context),
            Self::Test { column, test } => event
                .values(column)
                .unwrap_or_default()
                .iter()
                .any(|value| test.passes(value, context)),
        }
    }
}

impl Test {
    fn passes(&self, value: &str, context: Context<'_>) -> bool {
        let lower = || value.to_lowercase();
        match self {
            Self::In(texts) => {
                let lower = lower();
                texts.contains(&lower)
            }
            Self::Contains(texts) => {
                let lower = lower();
                texts.iter().any(|text| lower.contains(text.as_str()))
            }
            Self::StartsWith(texts) => {
                let lower = lower();
                texts.iter().any(|text| lower.starts_with(text.as_str()))
            }
            Self::EndsWith(texts) => {
                let lower = lower();
                texts.iter().any(|text| lower.ends_with(text.as_str()))
            }
            Self::Mentions(texts) => {
                let lower = lower();
                texts.iter().any(|text| mentions(&lower, text))
            }
            Self::Exists => !value.trim().is_empty(),
            Self::Outside => {
                mail_domains(value).any(|domain| !context.own_domains.contains(&domain))
            }
            Self::OnlySigns => {
                let value = value.trim();
                !value.is_empty() && !value.chars().any(char::is_alphanumeric)
            }
            Self::ShorterThan(length) => value.trim().chars().count() < *length,
            Self::Below(limit) => value
                .trim()
                .parse::<f64>()
                .is_ok_and(|number| number < *limit),
            Self::Above(limit) => value
                .trim()
                .parse::<f64>()
                .is_ok_and(|number| number > *limit),
        }
    }
}

/// The word stands in the text with no letter or digit on either side.
fn mentions(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text
            .get(at + word.len()..)
            .and_then(|tail| tail.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
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

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Word(String),
    Text(String),
    Number(f64),
    Sign(char),
}

#[derive(Clone, Debug)]
struct Token {
    at: usize,
    kind: Kind,
}

fn error(at: usize, what: impl Into<String>) -> ExpressionError {
    ExpressionError {
        at,
        what: what.into(),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, ExpressionError> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    let word = |c: char| c.is_alphanumeric() || "@_.*-".contains(c);
    while let Some(c) = characters.get(at).copied() {
        let start = at;
        match c {
            c if c.is_whitespace() => at += 1,
            '#' => {
                while characters.get(at).is_some_and(|c| *c != '\n') {
                    at += 1;
                }
            }
            '"' => {
                let (text, end) = quoted(&characters, at)?;
                at = end;
                tokens.push(Token {
                    at: start,
                    kind: Kind::Text(text),
                });
            }
            '(' | ')' | '[' | ']' | ',' => {
                at += 1;
                tokens.push(Token {
                    at: start,
                    kind: Kind::Sign(c),
                });
            }
            c if word(c) => {
                let mut text = String::new();
                while let Some(c) = characters.get(at).copied().filter(|c| word(*c)) {
                    text.push(c);
                    at += 1;
                }
                // `new."Some Name"`
                if text.ends_with('.') && characters.get(at) == Some(&'"') {
                    let (name, end) = quoted(&characters, at)?;
                    text.push_str(&name);
                    at = end;
                }
                let kind = text.parse::<f64>().map_or(Kind::Word(text), Kind::Number);
                tokens.push(Token { at: start, kind });
            }
            c => return Err(error(start, format!("`{c}` has no meaning here"))),
        }
    }
    Ok(tokens)
}

fn quoted(characters: &[char], start: usize) -> Result<(String, usize), ExpressionError> {
    let mut text = String::new();
    let mut at = start + 1;
    loop {
        match characters.get(at) {
            None => return Err(error(start, "the text has no end")),
            Some('"') => return Ok((text, at + 1)),
            Some('\\') => {
                text.extend(characters.get(at + 1));
                at += 2;
            }
            Some(c) => {
                text.push(*c);
                at += 1;
            }
        }
    }
}

/// Parentheses and `not`s inside one another, at most.
const MAX_DEPTH: usize = 64;

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    length: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn at(&self) -> usize {
        self.peek().map_or(self.length, |token| token.at)
    }

    fn word(&mut self, word: &str) -> bool {
        let found =
            matches!(self.peek(), Some(Token { kind: Kind::Word(have), .. }) if have == word);
        self.next += usize::from(found);
        found
    }

    fn sign(&mut self, sign: char) -> bool {
        let found =
            matches!(self.peek(), Some(Token { kind: Kind::Sign(have), .. }) if *have == sign);
        self.next += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Node, ExpressionError> {
        let mut nodes = vec![self.and()?];
        while self.word("or") {
            nodes.push(self.and()?);
        }
        Ok(single(nodes, Node::Or))
    }

    fn and(&mut self) -> Result<Node, ExpressionError> {
        let mut nodes = vec![self.not()?];
        while self.word("and") {
            nodes.push(self.not()?);
        }
        Ok(single(nodes, Node::And))
    }

    fn not(&mut self) -> Result<Node, ExpressionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(self.at(), "nested too deeply"));
        }
        let node = if self.word("not") {
            Node::Not(Box::new(self.not()?))
        } else if self.sign('(') {
            let node = self.or()?;
            if !self.sign(')') {
                return Err(error(self.at(), "`)` is missing"));
            }
            node
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn test(&mut self) -> Result<Node, ExpressionError> {
        let at = self.at();
        let column = self.take_word("a column")?;
        let known = Event::new(crate::Source::Ual, jiff::Timestamp::UNIX_EPOCH, "", "")
            .values(&column)
            .is_some();
        if !known {
            return Err(error(at, format!("there is no column `{column}`")));
        }
        let at = self.at();
        let test = match self.take_word("a test")?.as_str() {
            "is" => Test::In(vec![self.text()?]),
            "in" => Test::In(self.texts()?),
            "contains" => Test::Contains(self.texts()?),
            "starts_with" => Test::StartsWith(self.texts()?),
            "ends_with" => Test::EndsWith(self.texts()?),
            "mentions" => Test::Mentions(self.texts()?),
            "exists" => Test::Exists,
            "outside" => Test::Outside,
            "only_signs" => Test::OnlySigns,
            "shorter_than" => Test::ShorterThan(self.number()? as usize),
            "below" => Test::Below(self.number()?),
            "above" => Test::Above(self.number()?),
            other => return Err(error(at, format!("there is no test `{other}`"))),
        };
        Ok(Node::Test { column, test })
    }

    fn take_word(&mut self, what: &str) -> Result<String, ExpressionError> {
        match self.peek().map(|token| token.kind.clone()) {
            Some(Kind::Word(word)) => {
                self.next += 1;
                Ok(word)
            }
            _ => Err(error(self.at(), format!("{what} is missing"))),
        }
    }

    fn text(&mut self) -> Result<String, ExpressionError> {
        match self.peek().map(|token| token.kind.clone()) {
            Some(Kind::Text(text)) => {
                self.next += 1;
                Ok(text.to_lowercase())
            }
            _ => Err(error(self.at(), "a text in quotes is missing")),
        }
    }

    fn texts(&mut self) -> Result<Vec<String>, ExpressionError> {
        if !self.sign('[') {
            return Ok(vec![self.text()?]);
        }
        let mut texts = vec![self.text()?];
        while self.sign(',') {
            if self.sign(']') {
                return Ok(texts);
            }
            texts.push(self.text()?);
        }
        if self.sign(']') {
            Ok(texts)
        } else {
            Err(error(self.at(), "`]` is missing"))
        }
    }

    fn number(&mut self) -> Result<f64, ExpressionError> {
        match self.peek().map(|token| token.kind.clone()) {
            Some(Kind::Number(number)) => {
                self.next += 1;
                Ok(number)
            }
            _ => Err(error(self.at(), "a number is missing")),
        }
    }
}

fn single(mut nodes: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Node {
    match nodes.pop() {
        Some(node) if nodes.is_empty() => node,
        Some(node) => {
            nodes.push(node);
            many(nodes)
        }
        None => many(nodes),
    }
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
