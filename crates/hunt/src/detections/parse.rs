//! Reads the match language; what it means is in [`super::expression`].

use super::column::Column;
use super::expression::{Node, Test};

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {what}")]
pub struct ExpressionError {
    /// Offset in characters.
    pub at: usize,
    /// What is wrong.
    pub what: String,
}

pub(super) fn parse(text: &str) -> Result<Node, ExpressionError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        length: text.chars().count(),
        depth: 0,
    };
    let node = parser.or()?;
    match parser.peek() {
        None => Ok(node),
        Some(token) => Err(error(token.at, "the expression should end here")),
    }
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
        let Some(column) = Column::find(&column) else {
            return Err(error(at, format!("there is no column `{column}`")));
        };
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
