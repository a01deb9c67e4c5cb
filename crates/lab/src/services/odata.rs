//! The part of OData that the services take: `$select`, `$top`, `$skiptoken`,
//! `$filter`, pages.

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::answer::Answer;

/// A path segment as it was meant: percent-decoded.
pub(crate) fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// The query options of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pub(crate) select: Option<Vec<String>>,
    pub(crate) top: Option<usize>,
    pub(crate) skip: usize,
    pub(crate) filter: Option<String>,
    pub(crate) order_by: Option<String>,
    pub(crate) count: bool,
    pub(crate) include_hidden: bool,
    pub(crate) expand: Option<String>,
    pub(crate) search: Option<String>,
}

impl Query {
    /// The options of a query text; an unknown option is refused as Graph
    /// refuses it.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Answer> {
        let mut parsed = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match name.as_ref() {
                "$select" | "select" => {
                    parsed.select = Some(
                        value
                            .split(',')
                            .map(|name| name.trim().to_owned())
                            .filter(|name| !name.is_empty())
                            .collect(),
                    );
                }
                "$top" => {
                    parsed.top = Some(value.parse().map_err(|_| {
                        Answer::bad_request("Invalid value for $top query option found.")
                    })?);
                }
                "$skiptoken" | "$skip" => {
                    parsed.skip = value
                        .rsplit('_')
                        .next()
                        .and_then(|number| number.parse().ok())
                        .ok_or_else(|| Answer::bad_request("Invalid skip token."))?;
                }
                "$filter" => parsed.filter = Some(value.into_owned()),
                "$orderby" => parsed.order_by = Some(value.into_owned()),
                "$count" => parsed.count = value == "true",
                "$expand" => parsed.expand = Some(value.into_owned()),
                "$search" => parsed.search = Some(value.into_owned()),
                "includeHiddenFolders" => parsed.include_hidden = value == "true",
                "$format" => {}
                other => {
                    return Err(Answer::bad_request(&format!(
                        "The query parameter '{other}' is not supported."
                    )));
                }
            }
        }
        Ok(parsed)
    }

    /// Keeps the selected properties (`id` always), or `default` when nothing
    /// was selected. A name that the type does not have is refused.
    pub(crate) fn project(
        &self,
        item: Value,
        default: Option<&[&str]>,
        type_name: &str,
    ) -> Result<Value, Answer> {
        let Value::Object(mut all) = item else {
            return Ok(item);
        };
        let wanted: Vec<&str> = match (&self.select, default) {
            (Some(names), _) if names.iter().any(|name| name == "*") => {
                return Ok(Value::Object(all));
            }
            (Some(names), _) => names.iter().map(String::as_str).collect(),
            (None, Some(default)) => default.to_vec(),
            (None, None) => return Ok(Value::Object(all)),
        };
        let mut kept = Map::new();
        for name in ["@odata.type", "@odata.etag", "id"] {
            if let Some(value) = all.remove(name) {
                kept.insert(name.to_owned(), value);
            }
        }
        for name in wanted {
            if let Some(value) = all.remove(name) {
                kept.insert(name.to_owned(), value);
            } else if !kept.contains_key(name) {
                return Err(Answer::bad_request(&format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{type_name}'."
                )));
            }
        }
        Ok(Value::Object(kept))
    }
}

/// One page of a list: `value`, and `@odata.nextLink` when more is left.
pub(crate) struct Page<'a> {
    /// `v1.0` or `beta`.
    pub(crate) version: &'a str,
    /// The name after `$metadata#`.
    pub(crate) context: &'a str,
    /// The request's URI.
    pub(crate) uri: &'a http::Uri,
    /// The page size when `$top` is not sent, and the largest.
    pub(crate) sizes: (usize, usize),
}

impl Page<'_> {
    /// The page that the query asks for.
    pub(crate) fn of(&self, query: &Query, items: Vec<Value>) -> Answer {
        let size = query.top.unwrap_or(self.sizes.0).clamp(1, self.sizes.1);
        let total = items.len();
        let page: Vec<Value> = items.into_iter().skip(query.skip).take(size).collect();
        let next = query.skip + page.len();
        let mut body = json!({
            "@odata.context": format!(
                "https://graph.microsoft.com/{}/$metadata#{}",
                self.version, self.context
            ),
        });
        if let Some(body) = body.as_object_mut() {
            if query.count {
                body.insert("@odata.count".into(), json!(total));
            }
            if next < total && !page.is_empty() {
                body.insert("@odata.nextLink".into(), json!(self.next_link(next)));
            }
            body.insert("value".into(), Value::Array(page));
        }
        Answer::json(200, body)
    }

    fn next_link(&self, skip: usize) -> String {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in
            url::form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes())
        {
            if name != "$skiptoken" && name != "$skip" {
                pairs.append_pair(&name, &value);
            }
        }
        pairs.append_pair("$skiptoken", &format!("RFNwdAoAAQAAAAAAAAAAFAAAA_{skip}"));
        // The host follows the request, as clients of the lab may reach it at
        // another name than Graph's.
        let base = match (self.uri.scheme_str(), self.uri.authority()) {
            (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
            _ => String::from("https://graph.microsoft.com"),
        };
        format!("{base}{}?{}", self.uri.path(), pairs.finish())
    }
}

/// One comparison of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clause {
    /// The property path, `initiatedBy/user/id`.
    pub(crate) path: String,
    /// eq, ne, ge, le, gt, lt, startswith, endswith, contains.
    pub(crate) op: String,
    /// The literal, unquoted.
    pub(crate) value: String,
    /// The clause stood inside `path/any(x: …)`.
    pub(crate) any: bool,
}

impl Clause {
    /// Whether a text meets it; equality is without case, as the directory
    /// compares.
    pub(crate) fn text(&self, value: &str) -> bool {
        let (value, wanted) = (value.to_lowercase(), self.value.to_lowercase());
        match self.op.as_str() {
            "eq" => value == wanted,
            "ne" => value != wanted,
            "startswith" => value.starts_with(&wanted),
            "endswith" => value.ends_with(&wanted),
            "contains" => value.contains(&wanted),
            _ => false,
        }
    }

    /// Whether a time meets it; `None` when the literal is no time.
    pub(crate) fn time(&self, value: Timestamp) -> Option<bool> {
        let wanted: Timestamp = self.value.parse().ok()?;
        Some(match self.op.as_str() {
            "eq" => value == wanted,
            "ge" => value >= wanted,
            "le" => value <= wanted,
            "gt" => value > wanted,
            "lt" => value < wanted,
            _ => return None,
        })
    }
}

/// A filter: clauses joined by `and`, each a group of alternatives joined by
/// `or`.
pub(crate) type Filter = Vec<Vec<Clause>>;

/// Parses the filters that the services document: comparisons,
/// `startswith(p,'v')`, `p/any(x: x/y eq 'v')`, joined by `and`; `or` only
/// inside brackets or alone.
pub(crate) fn parse_filter(text: &str) -> Result<Filter, Answer> {
    let refuse = || {
        Answer::graph_error(
            400,
            "Request_UnsupportedQuery",
            &format!("Unsupported or invalid query filter clause specified: {text}"),
        )
    };
    let parts = split(text, " and ");
    let mut filter = Vec::new();
    for part in parts {
        let part = strip_brackets(part.trim());
        let mut group = Vec::new();
        for alternative in split(part, " or ") {
            group.push(parse_clause(strip_brackets(alternative.trim())).ok_or_else(refuse)?);
        }
        filter.push(group);
    }
    Ok(filter)
}

/// Splits at a separator outside quotes and brackets.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut depth, mut quoted, mut start) = (0_i32, false, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ' ' if !quoted
                && depth == 0
                && at >= start
                && text
                    .get(at..at + separator.len())
                    .is_some_and(|piece| piece.eq_ignore_ascii_case(separator)) =>
            {
                parts.push(&text[start..at]);
                start = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start.min(text.len())..]);
    parts
}

/// Takes away one pair of brackets that holds the whole text.
fn strip_brackets(text: &str) -> &str {
    let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) else {
        return text;
    };
    let mut depth = 0;
    for letter in inner.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return text;
        }
    }
    inner
}

fn parse_clause(text: &str) -> Option<Clause> {
    if let Some((path, lambda)) = text.split_once("/any(") {
        let lambda = lambda.strip_suffix(')')?;
        let (variable, inner) = lambda.split_once(':')?;
        let inner = parse_clause(inner.trim())?;
        let variable = variable.trim();
        let rest = inner.path.strip_prefix(variable)?;
        return Some(Clause {
            path: format!("{path}{rest}"),
            any: true,
            ..inner
        });
    }
    for function in ["startswith", "endswith", "contains"] {
        if text
            .get(..function.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(function))
            && let Some(inner) = text
                .get(function.len()..)
                .and_then(|rest| rest.trim().strip_prefix('('))
        {
            let (path, value) = inner.strip_suffix(')')?.split_once(',')?;
            return Some(Clause {
                path: path.trim().to_owned(),
                op: function.to_owned(),
                value: unquote(value.trim())?,
                any: false,
            });
        }
    }
    let mut words = text.splitn(3, ' ').filter(|word| !word.is_empty());
    let (path, op, value) = (words.next()?, words.next()?, words.next()?);
    let op = op.to_lowercase();
    if !["eq", "ne", "ge", "le", "gt", "lt"].contains(&op.as_str()) {
        return None;
    }
    Some(Clause {
        path: path.to_owned(),
        op,
        value: unquote(value.trim())?,
        any: false,
    })
}

/// A literal: quoted text with doubled quotes inside, or a bare word.
fn unquote(text: &str) -> Option<String> {
    if let Some(inner) = text.strip_prefix('\'') {
        let inner = inner.strip_suffix('\'')?;
        if inner.replace("''", "").contains('\'') {
            return None;
        }
        return Some(inner.replace("''", "'"));
    }
    (!text.is_empty() && !text.contains('\'') && !text.contains(' ')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn clause(path: &str, op: &str, value: &str, any: bool) -> Clause {
        Clause {
            path: path.into(),
            op: op.into(),
            value: value.into(),
            any,
        }
    }

    #[test]
    fn the_documented_filters_are_understood() {
        let filter = parse_filter(
            "userId eq 'a''b' and (createdDateTime ge 2026-01-01T00:00:00Z) and signInEventTypes/any(t: t eq 'nonInteractiveUser')",
        )
        .unwrap();
        assert_eq!(
            filter,
            [
                vec![clause("userId", "eq", "a'b", false)],
                vec![clause(
                    "createdDateTime",
                    "ge",
                    "2026-01-01T00:00:00Z",
                    false
                )],
                vec![clause("signInEventTypes", "eq", "nonInteractiveUser", true)],
            ]
        );
        let either =
            parse_filter("userPrincipalName eq 'x@y' or startswith(mail, 'x and y')").unwrap();
        assert_eq!(
            either,
            [vec![
                clause("userPrincipalName", "eq", "x@y", false),
                clause("mail", "startswith", "x and y", false),
            ]]
        );
        assert_eq!(
            parse_filter("targetResources/any(t: t/id eq 'q')").unwrap(),
            [vec![clause("targetResources/id", "eq", "q", true)]]
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_and_not_ignored() {
        for text in [
            "",
            "mail",
            "mail like 'x'",
            "mail eq 'x",
            "mail eq 'x' 'y'",
            "x/any(t t eq 'y')",
        ] {
            assert!(parse_filter(text).is_err(), "{text}");
        }
    }
}
