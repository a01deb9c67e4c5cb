//! Lists that come in pages, and whether all of a list came.

use std::collections::HashSet;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::error::{Kind, TenantError};
use crate::send::{Call, Deadline};
use crate::wire::{Answer, Outgoing, Read};

/// Whether a value is all there is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Completeness {
    /// The service said that nothing more follows.
    #[default]
    Complete,
    /// More exists, or may exist.
    Cut {
        /// Why the rest is missing.
        why: Cut,
    },
}

impl Completeness {
    /// Whether nothing is missing.
    pub const fn is_complete(&self) -> bool {
        matches!(self, Self::Complete)
    }

    /// The reason, if something is missing.
    pub const fn why(&self) -> Option<&Cut> {
        match self {
            Self::Complete => None,
            Self::Cut { why } => Some(why),
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        if self.is_complete() { other } else { self }
    }
}

/// Why the rest of a list is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cut {
    /// This many pages were read and more were offered.
    PageCap(u32),
    /// The service offered a page for the second time.
    Loop,
    /// The next page would have been at another host, which must not see our token.
    LeftHost(String),
    /// The call's deadline came first.
    Deadline,
    /// A later page failed; the text says how.
    PageFailed(String),
    /// The service's own limit for the query was reached.
    LimitReached,
    /// The service warned that results are missing.
    Warned(String),
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PageCap(pages) => write!(f, "reading stopped after {pages} pages"),
            Self::Loop => f.write_str("the service offered the same page again"),
            Self::LeftHost(host) => write!(f, "the next page is at another host ({host})"),
            Self::Deadline => f.write_str("the time for this source was over"),
            Self::PageFailed(error) => write!(f, "a later page failed: {error}"),
            Self::LimitReached => f.write_str("the service's limit for one query was reached"),
            Self::Warned(text) => write!(f, "the service warned: {text}"),
        }
    }
}

/// Reads a Graph list to its end, within the page cap and the deadline.
///
/// The first page's failure is the call's. A later page's failure keeps what
/// came before and says that the rest is missing.
pub(crate) async fn list<T: DeserializeOwned>(
    call: &Call,
    first: Outgoing,
    deadline: Deadline,
) -> Result<Read<Vec<T>>, TenantError> {
    let mut read = Read {
        value: Vec::new(),
        answers: Vec::new(),
        completeness: Completeness::Complete,
    };
    let mut seen = HashSet::from([first.request.url.clone()]);
    let mut outgoing = first;
    loop {
        let page = match call.read(&outgoing, deadline).await {
            Ok(answer) => items::<T>(&outgoing, &answer).map(|page| (answer, page)),
            Err(error) => Err(error),
        };
        let next = match page {
            Ok((answer, (items, next))) => {
                read.value.extend(items);
                read.answers.push(answer);
                next
            }
            Err(error) if read.answers.is_empty() => return Err(error),
            Err(error) => {
                read.completeness = Completeness::Cut {
                    why: match error.kind {
                        Kind::TimedOut { .. } if deadline.is_over(call.clock()) => Cut::Deadline,
                        _ => Cut::PageFailed(error.to_string()),
                    },
                };
                return Ok(read);
            }
        };
        let Some(next) = next else {
            return Ok(read);
        };
        let why = match follow(call.base_of(&outgoing), &next) {
            Err(cut) => cut,
            Ok(url) if !seen.insert(url.clone()) => Cut::Loop,
            Ok(_) if read.answers.len() >= call.page_cap() as usize => {
                Cut::PageCap(call.page_cap())
            }
            Ok(url) => {
                outgoing = outgoing.to(&url);
                continue;
            }
        };
        read.completeness = Completeness::Cut { why };
        return Ok(read);
    }
}

/// The items of a page and the link to the next one.
fn items<T: DeserializeOwned>(
    outgoing: &Outgoing,
    answer: &Answer,
) -> Result<(Vec<T>, Option<String>), TenantError> {
    let bad = |why: &str| {
        TenantError::new(
            Kind::BadAnswer {
                effect_unknown: false,
            },
            outgoing.spec,
            &outgoing.target,
            why,
        )
        .with_answer(answer)
    };
    let mut body: Value =
        serde_json::from_slice(&answer.body).map_err(|_| bad("the answer is not whole JSON"))?;
    let next = match body.get_mut("@odata.nextLink").map(Value::take) {
        None | Some(Value::Null) => None,
        Some(Value::String(link)) => Some(link),
        Some(_) => return Err(bad("the link to the next page is not a text")),
    };
    let value = body
        .get_mut("value")
        .map(Value::take)
        .ok_or_else(|| bad("the answer has no list"))?;
    let items = serde_json::from_value(value).map_err(|error| {
        bad(&format!(
            "the list has another form than documented: {error}"
        ))
    })?;
    Ok((items, next))
}

/// Path and query of a next link, if it stays at the same scheme, host and port.
pub(crate) fn follow(base: Option<&Url>, link: &str) -> Result<String, Cut> {
    let elsewhere = || {
        Cut::LeftHost(crate::escape::message(
            link.split('?').next().unwrap_or(link),
        ))
    };
    let base = base.ok_or_else(elsewhere)?;
    let url = base.join(link).map_err(|_| elsewhere())?;
    if url.origin() != base.origin() || !url.username().is_empty() {
        return Err(elsewhere());
    }
    let mut path = url.path().to_owned();
    if let Some(query) = url.query() {
        path.push('?');
        path.push_str(query);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_link_stays_at_home() {
        let base = Url::parse("https://graph.microsoft.com").ok();
        let path = follow(
            base.as_ref(),
            "https://graph.microsoft.com/v1.0/users?$skiptoken=a%2Fb",
        );
        assert_eq!(path, Ok("/v1.0/users?$skiptoken=a%2Fb".to_owned()));
        for link in [
            "https://graph.microsoft.com.evil.example/v1.0/users",
            "http://graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com:8443/v1.0/users",
            "https://eve@graph.microsoft.com/v1.0/users",
            "//evil.example/v1.0/users",
        ] {
            assert!(
                matches!(follow(base.as_ref(), link), Err(Cut::LeftHost(_))),
                "{link}"
            );
        }
    }
}
