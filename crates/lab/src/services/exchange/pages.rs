//! Pages of a cmdlet's rows (reference §6.3): `ResultSize` first, then pages of
//! the size that the client prefers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::super::{Answer, Ask};
use super::bad;
use crate::unconfirmed::{EXCHANGE_PAGE_SIZE, EXCHANGE_PAGES};

/// Rows that a cmdlet gives when `ResultSize` is not sent.
const DEFAULT_RESULT_SIZE: usize = 1000;
/// How long a page can be asked for, in seconds.
const EXPIRY: i64 = 30 * 60;
/// The warning when `ResultSize` cut rows off.
const MORE: &str = "There are more results available than are currently displayed. To view them, increase the value for the ResultSize parameter.";

/// Which rows are wanted.
pub(super) struct Page {
    most: Option<usize>,
    size: usize,
    start: usize,
    select: Option<Vec<String>>,
    /// The address of a next page up to its mark, and the mark's binding.
    next: (String, String),
}

impl Page {
    /// What the request asks for; a mark that is not this request's, or too
    /// old, is refused.
    pub(super) fn of(ask: &Ask<'_>, parameters: &Map<String, Value>) -> Result<Self, Answer> {
        let size = preferred(ask).unwrap_or_else(|| {
            match ask.world.unconfirmed.variant(&EXCHANGE_PAGE_SIZE) {
                "100" => 100,
                _ => 1000,
            }
        });
        let result_size = parameters
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("ResultSize"))
            .map(|(_, value)| value);
        let most = match result_size {
            None => Some(DEFAULT_RESULT_SIZE),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("unlimited") => None,
            Some(value) => Some(
                value
                    .as_u64()
                    .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
                    .and_then(|number| usize::try_from(number).ok())
                    .ok_or_else(|| {
                        bad(
                            "Cannot process argument transformation on parameter 'ResultSize'.",
                            "ParameterTransformationException",
                        )
                    })?,
            ),
        };
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(ask.request.uri().query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        let of = |wanted: &str| {
            query
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.clone())
        };
        let binding = URL_SAFE_NO_PAD.encode(&Sha256::digest(ask.request.body())[..9]);
        let start = match of("$skiptoken") {
            None => 0,
            Some(mark) => start_of(ask, &mark, &binding).ok_or_else(|| {
                bad(
                    "Expired or Invalid pagination request. Default Expiry time is 00:30:00",
                    "PaginationException",
                )
            })?,
        };
        let uri = ask.request.uri();
        let base = uri
            .authority()
            .map_or("outlook.office365.com", |a| a.as_str());
        Ok(Self {
            most,
            size: size.max(1),
            start,
            select: of("$select")
                .map(|names| names.split(',').map(|n| n.trim().to_owned()).collect()),
            next: (
                format!("https://{base}{}?%24skiptoken=", uri.path()),
                format!("{binding}.{}", ask.now.as_second()),
            ),
        })
    }

    /// The rows of this page, the address of the next one, and the warning.
    pub(super) fn cut(self, mut rows: Vec<Value>) -> (Vec<Value>, Option<String>, Option<String>) {
        let cut_off = self.most.is_some_and(|most| rows.len() > most);
        if let Some(most) = self.most {
            rows.truncate(most);
        }
        let total = rows.len();
        let mut page: Vec<Value> = rows.into_iter().skip(self.start).take(self.size).collect();
        if let Some(select) = &self.select {
            for row in page.iter_mut().filter_map(Value::as_object_mut) {
                row.retain(|name, _| {
                    let plain = name.split('@').next().unwrap_or(name);
                    select
                        .iter()
                        .any(|wanted| wanted.eq_ignore_ascii_case(plain))
                });
            }
        }
        let end = self.start + page.len();
        let next = (end < total).then(|| {
            let mark = URL_SAFE_NO_PAD.encode(format!("{end}.{}", self.next.1));
            format!("{}{mark}", self.next.0)
        });
        (page, next, cut_off.then(|| MORE.to_owned()))
    }
}

/// Where a page begins; `None` when its mark is refused.
fn start_of(ask: &Ask<'_>, mark: &str, binding: &str) -> Option<usize> {
    if ask.world.unconfirmed.variant(&EXCHANGE_PAGES) == "refused" {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(mark).ok()?).ok()?;
    let mut parts = text.split('.');
    let (start, bound, at) = (parts.next()?, parts.next()?, parts.next()?);
    let at: i64 = at.parse().ok()?;
    if bound != binding || ask.now.as_second() - at > EXPIRY {
        return None;
    }
    start.parse().ok()
}

/// `Prefer: odata.maxpagesize=N`.
fn preferred(ask: &Ask<'_>) -> Option<usize> {
    ask.request
        .headers()
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .find_map(|word| word.trim().strip_prefix("odata.maxpagesize=")?.parse().ok())
}
