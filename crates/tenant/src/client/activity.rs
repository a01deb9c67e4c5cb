//! The Office 365 Management Activity API: the unified audit log as a feed, for where
//! Graph's searches fail (reference §7.2).

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::Tenant;
use crate::call::{ACTIVITY_BLOB, ACTIVITY_CONTENT, ACTIVITY_START, ACTIVITY_SUBSCRIPTIONS};
use crate::error::{Kind, TenantError};
use crate::model::Record;
use crate::page::{Completeness, Cut};
use crate::wire::{Answer, Builder, Read};

/// The feeds that hold what an account takeover leaves. The fifth is of data loss
/// prevention and needs a permission of its own.
pub const FEEDS: [&str; 4] = [
    "Audit.AzureActiveDirectory",
    "Audit.Exchange",
    "Audit.SharePoint",
    "Audit.General",
];

/// How far back content can be listed. An hour less than the seven days, which are
/// counted by the service's clock and at the time of each request.
const REACH: SignedDuration = SignedDuration::from_hours(7 * 24 - 1);
/// The longest window of one listing.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// A feed of this app.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Which feed, one of [`FEEDS`].
    pub content_type: String,
    /// `enabled` or `disabled`.
    #[serde(default)]
    pub status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    content_uri: String,
    content_id: String,
}

impl Tenant {
    /// The feeds that are on for this app.
    pub async fn activity_subscriptions(&self) -> Result<Read<Vec<Subscription>>, TenantError> {
        self.one(self.feed(&ACTIVITY_SUBSCRIPTIONS, "")).await
    }

    /// Switches a feed on; that it is on already is as good. It concerns this app
    /// alone and changes nothing that others see.
    pub async fn start_activity_feed(&self, feed: &str) -> Result<Vec<Answer>, TenantError> {
        let outgoing = self
            .feed(&ACTIVITY_START, feed)
            .query("contentType", feed)
            .build()?;
        match self.call.read(&outgoing, self.call.deadline()).await {
            Ok(answer) => Ok(vec![answer]),
            Err(error) if error.kind == Kind::Conflict => {
                Ok(error.answer.clone().into_iter().collect())
            }
            Err(error) => Err(error),
        }
    }

    /// What all feeds have about a span, whoever did it, oldest window first. The
    /// window is that in which content became available, not that of the events, and
    /// records may come twice: each is given once.
    ///
    /// Feeds that were off are switched on; what happened before can then take hours
    /// to come, and the value says that it is not whole.
    pub async fn activity_records(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Read<Vec<Record>>, TenantError> {
        let mut all = Read {
            value: Vec::new(),
            answers: Vec::new(),
            completeness: Completeness::Complete,
        };
        let cut = |why: &str| Completeness::Cut {
            why: Cut::Warned(why.to_owned()),
        };
        let earliest = self.call.clock().now().saturating_sub(REACH);
        let earliest = earliest.unwrap_or(since);
        if since < earliest {
            all.completeness = cut("the activity feed reaches back seven days only");
        }
        let since = since.max(earliest);
        let subscriptions = self.activity_subscriptions().await?;
        all.answers.extend(subscriptions.answers);
        for feed in FEEDS {
            let on = subscriptions
                .value
                .iter()
                .any(|held| held.content_type == feed && held.status == "enabled");
            if !on {
                all.answers.extend(self.start_activity_feed(feed).await?);
                all.completeness = all.completeness.and(cut(&format!(
                    "the feed {feed} was off until now, and its first content can take twelve hours"
                )));
            }
        }
        let mut seen = HashSet::new();
        for feed in FEEDS {
            let mut begin = since;
            while begin < until {
                let end = begin.saturating_add(WINDOW).unwrap_or(until).min(until);
                self.activity_window(feed, begin, end, &mut seen, &mut all)
                    .await?;
                begin = end;
            }
        }
        Ok(all)
    }

    /// One window of one feed: every page of its listing, every part of each page.
    async fn activity_window(
        &self,
        feed: &str,
        begin: Timestamp,
        end: Timestamp,
        seen: &mut HashSet<String>,
        all: &mut Read<Vec<Record>>,
    ) -> Result<(), TenantError> {
        let mut outgoing = self
            .feed(&ACTIVITY_CONTENT, feed)
            .query("contentType", feed)
            .query("startTime", &feed_time(begin))
            .query("endTime", &feed_time(end))
            .build()?;
        let mut pages = HashSet::from([outgoing.request.url.clone()]);
        loop {
            let answer = self.call.read(&outgoing, self.call.deadline()).await?;
            let listed: Vec<Content> = super::parse(&outgoing, &answer)?;
            let next = answer.next_page.clone();
            all.answers.push(answer);
            for content in listed {
                if seen.insert(content.content_id.clone()) {
                    self.activity_part(&content, seen, all).await?;
                }
            }
            let Some(next) = next else { return Ok(()) };
            let why = match crate::page::follow(self.call.base_of(&outgoing), &next) {
                Err(cut) => cut,
                Ok(url) if !pages.insert(url.clone()) => Cut::Loop,
                Ok(_) if pages.len() > self.call.page_cap() as usize => {
                    Cut::PageCap(self.call.page_cap())
                }
                Ok(url) => {
                    outgoing = outgoing.to(&url);
                    continue;
                }
            };
            let completeness = std::mem::take(&mut all.completeness);
            all.completeness = completeness.and(Completeness::Cut { why });
            return Ok(());
        }
    }

    /// One part. Content that is gone leaves a hole, and the rest is worth having.
    async fn activity_part(
        &self,
        content: &Content,
        seen: &mut HashSet<String>,
        all: &mut Read<Vec<Record>>,
    ) -> Result<(), TenantError> {
        let tenant = &self.profile().tenant_id;
        let outgoing = Builder::new(
            &ACTIVITY_BLOB,
            &content.content_id,
            &[tenant, &content.content_id],
        )
        .build()?;
        let why = match crate::page::follow(self.call.base_of(&outgoing), &content.content_uri) {
            Err(cut) => cut,
            Ok(url) => {
                let separator = if url.contains('?') { '&' } else { '?' };
                let outgoing =
                    outgoing.to(&format!("{url}{separator}PublisherIdentifier={tenant}"));
                match self.call.read(&outgoing, self.call.deadline()).await {
                    Ok(answer) => {
                        let records: Vec<Record> = super::parse(&outgoing, &answer)?;
                        all.value.extend(records.into_iter().filter(|record| {
                            let id = record.get("Id").and_then(Value::as_str);
                            id.is_none_or(|id| seen.insert(id.to_owned()))
                        }));
                        all.answers.push(answer);
                        return Ok(());
                    }
                    Err(error) if error.kind == Kind::NotFound => {
                        Cut::PageFailed(error.to_string())
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        let completeness = std::mem::take(&mut all.completeness);
        all.completeness = completeness.and(Completeness::Cut { why });
        Ok(())
    }

    /// Every call names who asks: the quota is counted by that.
    fn feed(&self, spec: &'static crate::call::CallSpec, target: &str) -> Builder {
        let tenant = &self.profile().tenant_id;
        Builder::new(spec, target, &[tenant]).query("PublisherIdentifier", tenant)
    }
}

/// A moment as this API takes it: UTC without a letter for it.
fn feed_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
