//! Exchange's cmdlets over REST (reference §6.2 to §6.6).

mod folders;
mod rights;

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Tenant, bad_answer};
use crate::call::{
    CallSpec, EXCHANGE_CHANGE, EXCHANGE_CREATE_INBOX_RULE, EXCHANGE_GET_INBOX_RULES,
    EXCHANGE_GET_MAILBOX, EXCHANGE_INVOKE, EXCHANGE_REMOVE_INBOX_RULE, EXCHANGE_SET_FORWARDING,
    EXCHANGE_SET_KEEPING, Service,
};
use crate::error::{Kind, TenantError, exchange};
use crate::escape;
use crate::model::{ExchangeRule, Forwarding, Keeping, Mailbox};
use crate::page::{Completeness, Cut};
use crate::wire::{Answer, Builder, Equivalent, Outgoing, Prepared, Read};
pub use rights::Giving;

mod mailbox;
mod settings;

/// The arbitration mailbox that tenant-wide requests of an app are anchored at (reference §6.3).
const SYSTEM_MAILBOX: &str = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}";

/// A cmdlet with its parameters, which travel as JSON values and never as text of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Cmdlet {
    name: String,
    /// In the order in which a person would read them.
    parameters: Vec<(String, Value)>,
}

impl Cmdlet {
    /// A cmdlet without parameters.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            parameters: Vec::new(),
        }
    }

    /// With a parameter. Null is left out: for many cmdlets a null identity means every object (reference §6.2).
    #[must_use]
    pub fn with(mut self, parameter: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !value.is_null() {
            self.parameters.push((parameter.to_owned(), value));
        }
        self
    }

    /// With a parameter that is cleared: the one case in which null is meant.
    fn with_or_clear(mut self, parameter: &str, value: Option<&str>) -> Self {
        self.parameters
            .push((parameter.to_owned(), value.map_or(Value::Null, Into::into)));
        self
    }

    fn body(&self) -> Value {
        let parameters: Map<_, _> = self.parameters.iter().cloned().collect();
        json!({"CmdletInput": {"CmdletName": self.name, "Parameters": parameters}})
    }

    /// Whether it only reads, by its verb.
    fn reads(&self) -> bool {
        ["Get-", "Search-", "Test-"]
            .iter()
            .any(|verb| self.name.starts_with(verb))
    }

    /// Verb, hyphen, noun.
    fn is_named_properly(&self) -> bool {
        self.name.split_once('-').is_some_and(|(verb, noun)| {
            [verb, noun]
                .iter()
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
        })
    }

    /// As a person types it.
    fn powershell(&self) -> String {
        let mut text = self.name.clone();
        for (parameter, value) in &self.parameters {
            text.push_str(" -");
            text.push_str(parameter);
            match value {
                Value::Bool(true) => {}
                Value::Bool(false) => text.push_str(":$false"),
                Value::Null => text.push_str(" $null"),
                Value::String(value) => {
                    text.push(' ');
                    text.push_str(&escape::powershell_string(value));
                }
                Value::Array(values) => {
                    let values: Vec<_> = values
                        .iter()
                        .map(|value| match value {
                            Value::String(value) => escape::powershell_string(value),
                            other => other.to_string(),
                        })
                        .collect();
                    text.push(' ');
                    text.push_str(&values.join(","));
                }
                Value::Object(change) => {
                    text.push_str(" @{");
                    let parts: Vec<_> = change
                        .iter()
                        .filter(|(name, _)| !name.starts_with('@'))
                        .map(|(name, values)| {
                            let values: Vec<_> = values
                                .as_array()
                                .into_iter()
                                .flatten()
                                .filter_map(Value::as_str)
                                .map(escape::powershell_string)
                                .collect();
                            format!("{name}={}", values.join(","))
                        })
                        .collect();
                    text.push_str(&parts.join(";"));
                    text.push('}');
                }
                other => {
                    text.push(' ');
                    text.push_str(&other.to_string());
                }
            }
        }
        text
    }
}

impl Tenant {
    /// Runs a cmdlet that only reads; `mailbox` says whose mailbox it is about, if one's.
    pub async fn invoke(
        &self,
        cmdlet: &Cmdlet,
        mailbox: Option<&str>,
    ) -> Result<Read<Vec<Map<String, Value>>>, TenantError> {
        if !cmdlet.reads() {
            let why = "this cmdlet does not only read: prepare it as a change";
            return Err(TenantError::new(
                Kind::BadInput,
                &EXCHANGE_INVOKE,
                &cmdlet.name,
                why,
            ));
        }
        self.rows(&EXCHANGE_INVOKE, cmdlet, mailbox).await
    }

    /// All inbox rules of a mailbox (sign-in name or object id), hidden ones
    /// too if asked for.
    ///
    /// Fails with [`Kind::BadAnswer`] if rules of more than one mailbox came.
    pub async fn get_inbox_rules(
        &self,
        mailbox: &str,
        include_hidden: bool,
    ) -> Result<Read<Vec<ExchangeRule>>, TenantError> {
        let mut cmdlet = Self::about(
            &EXCHANGE_GET_INBOX_RULES,
            "Get-InboxRule",
            "Mailbox",
            mailbox,
        )?;
        if include_hidden {
            cmdlet = cmdlet.with("IncludeHidden", true);
        }
        let read: Read<Vec<ExchangeRule>> = self
            .typed(&EXCHANGE_GET_INBOX_RULES, &cmdlet, Some(mailbox))
            .await?;
        let owners: HashSet<_> = read
            .value
            .iter()
            .map(|rule| rule.mailbox_part().to_ascii_lowercase())
            .collect();
        if owners.len() > 1 {
            return Err(wrong_object(
                &EXCHANGE_GET_INBOX_RULES,
                mailbox,
                &read.answers,
                "rules of more than one mailbox were returned",
            ));
        }
        Ok(read)
    }

    /// A mailbox's settings.
    ///
    /// Fails with [`Kind::BadAnswer`] if anything but this one mailbox came back.
    pub async fn get_mailbox(&self, mailbox: &str) -> Result<Read<Mailbox>, TenantError> {
        let cmdlet = Self::about(&EXCHANGE_GET_MAILBOX, "Get-Mailbox", "Identity", mailbox)?;
        let read: Read<Vec<Mailbox>> = self
            .typed(&EXCHANGE_GET_MAILBOX, &cmdlet, Some(mailbox))
            .await?;
        let mut found = read.value.into_iter();
        match (found.next(), found.next()) {
            (Some(one), None) if one.is(mailbox) => Ok(Read {
                value: one,
                answers: read.answers,
                completeness: read.completeness,
            }),
            (None, _) => Err(TenantError::new(
                Kind::NotFound,
                &EXCHANGE_GET_MAILBOX,
                mailbox,
                "no mailbox was returned",
            )),
            _ => Err(wrong_object(
                &EXCHANGE_GET_MAILBOX,
                mailbox,
                &read.answers,
                "another mailbox was returned than the one that was asked for",
            )),
        }
    }

    /// Removing an inbox rule by its identity (`{mailbox guid}\{number}`).
    /// Exchange then also drops the mailbox's client-side rules (reference §0.6).
    pub fn prepare_remove_inbox_rule(
        &self,
        mailbox: &str,
        identity: &str,
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_REMOVE_INBOX_RULE;
        let cmdlet = Self::about(spec, "Remove-InboxRule", "Mailbox", mailbox)?;
        let numbered = identity.rsplit_once('\\').is_some_and(|(guid, number)| {
            !guid.is_empty() && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        });
        if !numbered {
            // A name could fit several rules, and nothing fits all of them.
            let why = "a rule is removed by its identity, never by a name";
            return Err(TenantError::new(Kind::BadInput, spec, identity, why));
        }
        let cmdlet = cmdlet
            .with("Identity", identity)
            .with("Force", true)
            .with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), identity)
    }

    /// Putting back an inbox rule from the row that Exchange showed of it. It comes
    /// back visible, switched on and with a new identity; like every change of rules
    /// through Exchange it drops the mailbox's client-side rules (reference §0.6).
    ///
    /// Fails with [`Kind::BadInput`] where the row says something that the cmdlet
    /// cannot be told: then half a rule would come back.
    pub fn prepare_create_inbox_rule(
        &self,
        mailbox: &str,
        rule: &ExchangeRule,
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_CREATE_INBOX_RULE;
        let name = rule.name.as_deref().unwrap_or_default();
        let refused = |why: &str| TenantError::new(Kind::BadInput, spec, name, why);
        if rule.enabled == Some(false) {
            return Err(refused(
                "Exchange makes rules switched on, and this one was off: make it by hand and switch it off",
            ));
        }
        if let Some((field, _)) = rule.other.iter().find(|(field, value)| {
            !is_empty(value)
                && !RULE_PARAMETERS.contains(&field.as_str())
                && !ABOUT_THE_ROW.contains(&field.as_str())
        }) {
            return Err(refused(&format!(
                "the rule's {field} cannot be set by New-InboxRule"
            )));
        }
        let list = |texts: &[String]| match texts {
            [] => Value::Null,
            texts => texts.iter().map(|text| recipient(text)).collect(),
        };
        let words = |texts: &[String]| match texts {
            [] => Value::Null,
            texts => json!(texts),
        };
        let yes = |set: Option<bool>| match set {
            Some(true) => json!(true),
            _ => Value::Null,
        };
        let folder = |name: &str| json!(format!("{mailbox}:\\{name}"));
        let mut cmdlet = Self::about(spec, "New-InboxRule", "Mailbox", mailbox)?
            .with("Name", name)
            .with("Priority", rule.priority.map_or(Value::Null, Into::into))
            .with("From", list(&rule.from))
            .with("SubjectContainsWords", words(&rule.subject_contains_words))
            .with(
                "SubjectOrBodyContainsWords",
                words(&rule.subject_or_body_contains_words),
            )
            .with("ForwardTo", list(&rule.forward_to))
            .with(
                "ForwardAsAttachmentTo",
                list(&rule.forward_as_attachment_to),
            )
            .with("RedirectTo", list(&rule.redirect_to))
            .with("DeleteMessage", yes(rule.delete_message))
            .with("SoftDeleteMessage", yes(rule.soft_delete_message))
            .with(
                "MoveToFolder",
                rule.move_to_folder.as_deref().map_or(Value::Null, folder),
            )
            .with("MarkAsRead", yes(rule.mark_as_read))
            .with("StopProcessingRules", yes(rule.stop_processing_rules));
        for (field, value) in &rule.other {
            if is_empty(value) || !RULE_PARAMETERS.contains(&field.as_str()) {
                continue;
            }
            let value = match (field.as_str(), value) {
                ("CopyToFolder", Value::String(name)) => folder(name),
                ("ExceptIfFrom" | "SentTo" | "ExceptIfSentTo", Value::Array(texts)) => texts
                    .iter()
                    .filter_map(Value::as_str)
                    .map(recipient)
                    .collect(),
                (_, value) => value.clone(),
            };
            cmdlet = cmdlet.with(field, value);
        }
        let cmdlet = cmdlet.with("Force", true).with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), name)
    }

    /// Setting or clearing both forwarding fields in one call.
    pub fn prepare_set_forwarding(
        &self,
        mailbox: &str,
        forwarding: &Forwarding,
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_SET_FORWARDING;
        let cmdlet = Self::about(spec, "Set-Mailbox", "Identity", mailbox)?
            .with_or_clear("ForwardingAddress", forwarding.address.as_deref())
            .with_or_clear("ForwardingSmtpAddress", forwarding.smtp_address.as_deref())
            .with("DeliverToMailboxAndForward", forwarding.keep_copy)
            .with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), mailbox)
    }

    /// Setting how long a mailbox keeps what is deleted from it; what is absent stays.
    /// No comment goes with a hold: Outlook would show it (reference §14.1).
    pub fn prepare_set_keeping(
        &self,
        mailbox: &str,
        keeping: Keeping,
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_SET_KEEPING;
        let mut cmdlet = Self::about(spec, "Set-Mailbox", "Identity", mailbox)?;
        if let Some(on) = keeping.single_item_recovery {
            cmdlet = cmdlet.with("SingleItemRecoveryEnabled", on);
        }
        if let Some(days) = keeping.retain_days {
            cmdlet = cmdlet.with("RetainDeletedItemsFor", format!("{days}.00:00:00"));
        }
        if let Some(on) = keeping.litigation_hold {
            cmdlet = cmdlet.with("LitigationHoldEnabled", on);
        }
        let cmdlet = cmdlet.with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), mailbox)
    }

    /// Any other changing cmdlet; `target` names the object for people.
    pub fn prepare_cmdlet(
        &self,
        cmdlet: &Cmdlet,
        mailbox: Option<&str>,
        target: &str,
    ) -> Result<Prepared, TenantError> {
        self.prepare(&EXCHANGE_CHANGE, cmdlet, mailbox, target)
    }

    /// A cmdlet about one mailbox. An empty name would mean every mailbox.
    fn about(
        spec: &'static CallSpec,
        name: &str,
        parameter: &str,
        mailbox: &str,
    ) -> Result<Cmdlet, TenantError> {
        if mailbox.trim().is_empty() || mailbox.contains(['*', '?']) {
            let why = "name one mailbox by its address or object id";
            return Err(TenantError::new(Kind::BadInput, spec, mailbox, why));
        }
        Ok(Cmdlet::new(name).with(parameter, mailbox))
    }

    fn prepare(
        &self,
        spec: &'static CallSpec,
        cmdlet: &Cmdlet,
        mailbox: Option<&str>,
        target: &str,
    ) -> Result<Prepared, TenantError> {
        let outgoing = self.outgoing(spec, cmdlet, mailbox, target)?;
        let endpoints = &self.profile().endpoints;
        let equivalent = Equivalent {
            http: super::changes::http_text(&endpoints.exchange, &outgoing, &cmdlet.body()),
            powershell: cmdlet.powershell(),
        };
        Ok(Prepared {
            outgoing,
            equivalent,
        })
    }

    fn outgoing(
        &self,
        spec: &'static CallSpec,
        cmdlet: &Cmdlet,
        mailbox: Option<&str>,
        target: &str,
    ) -> Result<Outgoing, TenantError> {
        if !cmdlet.is_named_properly() {
            let why = "a cmdlet is named with a verb, a hyphen and a noun";
            return Err(TenantError::new(Kind::BadInput, spec, &cmdlet.name, why));
        }
        let tenant = &self.profile().tenant_id;
        let anchor = match mailbox {
            Some(name) if name.contains('@') => format!("UPN:{name}"),
            _ => format!("APP:{SYSTEM_MAILBOX}@{tenant}"),
        };
        Builder::new(spec, target, &[tenant])
            .header("x-anchormailbox", &anchor)
            .header("x-responseformat", "json")
            .header("x-cmdletname", &cmdlet.name)
            .header("prefer", "odata.maxpagesize=1000")
            .json(&cmdlet.body())
            .build()
    }

    /// Path and query of a link within the same cloud's Exchange.
    fn path_of(&self, link: &str) -> Option<String> {
        let base = self.profile().endpoints.base(Service::Exchange)?;
        let url = crate::send::regional_host(Service::Exchange, base, link)?;
        Some(match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        })
    }

    async fn typed<T: DeserializeOwned>(
        &self,
        spec: &'static CallSpec,
        cmdlet: &Cmdlet,
        mailbox: Option<&str>,
    ) -> Result<Read<Vec<T>>, TenantError> {
        let read = self.rows(spec, cmdlet, mailbox).await?;
        let rows = read.value.into_iter().map(Value::Object).collect();
        let value = serde_json::from_value(Value::Array(rows)).map_err(|error| {
            wrong_object(
                spec,
                mailbox.unwrap_or(&cmdlet.name),
                &read.answers,
                &format!("the answer has another form than documented: {error}"),
            )
        })?;
        Ok(Read {
            value,
            answers: read.answers,
            completeness: read.completeness,
        })
    }

    /// All rows of a cmdlet. Pages are followed by sending the same body to the
    /// next link; where that is refused, what came is kept as incomplete (reference §0.15).
    pub(super) async fn rows(
        &self,
        spec: &'static CallSpec,
        cmdlet: &Cmdlet,
        mailbox: Option<&str>,
    ) -> Result<Read<Vec<Map<String, Value>>>, TenantError> {
        let deadline = self.call.deadline();
        let target = mailbox.unwrap_or(&cmdlet.name);
        let mut outgoing = self.outgoing(spec, cmdlet, mailbox, target)?;
        let mut seen = HashSet::from([outgoing.request.url.clone()]);
        let mut read = Read {
            value: Vec::new(),
            answers: Vec::new(),
            completeness: Completeness::Complete,
        };
        loop {
            let page = match self.call.read(&outgoing, deadline).await {
                Ok(answer) => page(&outgoing, &answer).map(|page| (answer, page)),
                Err(error) => Err(error),
            };
            let page = match page {
                Ok((answer, page)) => {
                    read.answers.push(answer);
                    page
                }
                Err(error) if read.answers.is_empty() => return Err(error),
                Err(error) => {
                    let why = Cut::PageFailed(error.to_string());
                    read.completeness = Completeness::Cut { why };
                    return Ok(read);
                }
            };
            read.value.extend(page.rows);
            if let Some(warning) = page.warning {
                let why = Cut::Warned(warning);
                read.completeness = read.completeness.and(Completeness::Cut { why });
            }
            let Some(next) = page.next else {
                return Ok(read);
            };
            // Only path and query are taken: the request goes to the host that we
            // chose. A link to another service's host is none that can be trusted.
            let why = match self.path_of(&next) {
                None => Cut::LeftHost(escape::message(&next)),
                Some(url) if !seen.insert(url.clone()) => Cut::Loop,
                Some(_) if read.answers.len() >= self.call.page_cap() as usize => {
                    Cut::PageCap(self.call.page_cap())
                }
                Some(url) => {
                    outgoing = outgoing.to(&url);
                    continue;
                }
            };
            read.completeness = Completeness::Cut { why };
            return Ok(read);
        }
    }
}

/// Looks into the answer of an accepted change: errors can hide in a 200. Gives
/// what Exchange warns of.
pub(super) fn check_change(
    outgoing: &Outgoing,
    answer: &Answer,
) -> Result<Vec<String>, TenantError> {
    if answer.body.is_empty() {
        return Ok(Vec::new());
    }
    let body: Value = super::parse(outgoing, answer)?;
    match exchange::in_success(outgoing.spec, &outgoing.target, answer, &body) {
        Some(error) => Err(error),
        None => Ok(warnings(&body)),
    }
}

fn warnings(body: &Value) -> Vec<String> {
    let texts = body.get("@adminapi.warnings").and_then(Value::as_array);
    texts
        .into_iter()
        .flatten()
        .map(|warning| escape::message(warning.as_str().unwrap_or("a warning without a text")))
        .collect()
}

/// What a rule can be told besides what [`ExchangeRule`] names itself (New-InboxRule's
/// own parameters; the properties of Get-InboxRule are called the same).
const RULE_PARAMETERS: [&str; 41] = [
    "ApplyCategory",
    "BodyContainsWords",
    "CopyToFolder",
    "ExceptIfBodyContainsWords",
    "ExceptIfFlaggedForAction",
    "ExceptIfFrom",
    "ExceptIfFromAddressContainsWords",
    "ExceptIfHasAttachment",
    "ExceptIfHeaderContainsWords",
    "ExceptIfMessageTypeMatches",
    "ExceptIfMyNameInCcBox",
    "ExceptIfMyNameInToBox",
    "ExceptIfMyNameInToOrCcBox",
    "ExceptIfMyNameNotInToBox",
    "ExceptIfReceivedAfterDate",
    "ExceptIfReceivedBeforeDate",
    "ExceptIfRecipientAddressContainsWords",
    "ExceptIfSentOnlyToMe",
    "ExceptIfSentTo",
    "ExceptIfSubjectContainsWords",
    "ExceptIfSubjectOrBodyContainsWords",
    "ExceptIfWithImportance",
    "ExceptIfWithSensitivity",
    "FlaggedForAction",
    "FromAddressContainsWords",
    "HasAttachment",
    "HeaderContainsWords",
    "MarkImportance",
    "MessageTypeMatches",
    "MyNameInCcBox",
    "MyNameInToBox",
    "MyNameInToOrCcBox",
    "MyNameNotInToBox",
    "PinMessage",
    "ReceivedAfterDate",
    "ReceivedBeforeDate",
    "RecipientAddressContainsWords",
    "SentOnlyToMe",
    "SentTo",
    "WithImportance",
    "WithSensitivity",
];

/// Fields that tell of the row and not of the rule.
const ABOUT_THE_ROW: [&str; 8] = [
    "DescriptionTimeFormat",
    "DescriptionTimeZone",
    "ErrorType",
    "InError",
    "IsValid",
    "ObjectState",
    "RunspaceId",
    "SupportedByTask",
];

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// A recipient as a cmdlet takes one, from how Exchange shows it: the address of
/// `"Name" [SMTP:address]`, the legacy name of `"Name" [EX:/o=…]` (reference §6.6).
/// The name is the attacker's: only the last bracket counts.
fn recipient(text: &str) -> Value {
    let inside = match (text.rfind('['), text.rfind(']')) {
        (Some(open), Some(close)) if open < close => &text[open + 1..close],
        _ => text.trim_matches(|c| c == '"' || c == ' '),
    };
    let address = match inside.split_once(':') {
        Some((kind, rest)) if ["smtp", "ex"].contains(&kind.to_ascii_lowercase().as_str()) => rest,
        _ => inside,
    };
    json!(address)
}

struct Page {
    rows: Vec<Map<String, Value>>,
    warning: Option<String>,
    next: Option<String>,
}

fn page(outgoing: &Outgoing, answer: &Answer) -> Result<Page, TenantError> {
    let mut body: Value = super::parse(outgoing, answer)?;
    if let Some(error) = exchange::in_success(outgoing.spec, &outgoing.target, answer, &body) {
        return Err(error);
    }
    let Some(Value::Array(values)) = body.get_mut("value").map(Value::take) else {
        return Err(bad_answer(outgoing, answer, "the answer has no list"));
    };
    let mut rows = Vec::with_capacity(values.len());
    for mut value in values {
        drop_sidecars(&mut value);
        match value {
            Value::Object(row) => rows.push(row),
            _ => return Err(bad_answer(outgoing, answer, "a row is not an object")),
        }
    }
    let warning = warnings(&body).into_iter().next();
    let next = match body.get("@odata.nextLink") {
        None | Some(Value::Null) => None,
        Some(Value::String(link)) => Some(link.clone()),
        Some(_) => return Err(bad_answer(outgoing, answer, "the next link is not a text")),
    };
    Ok(Page {
        rows,
        warning,
        next,
    })
}

/// Removes the type notes that stand beside values (reference §6.6).
fn drop_sidecars(value: &mut Value) {
    match value {
        Value::Object(row) => {
            row.retain(|key, _| !key.ends_with("@odata.type") && !key.ends_with("@data.type"));
            row.values_mut().for_each(drop_sidecars);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_sidecars),
        _ => {}
    }
}

fn wrong_object(
    spec: &'static CallSpec,
    target: &str,
    answers: &[Answer],
    why: &str,
) -> TenantError {
    let kind = Kind::BadAnswer {
        effect_unknown: false,
    };
    let error = TenantError::new(kind, spec, target, why);
    match answers.last() {
        Some(answer) => error.with_answer(answer),
        None => error,
    }
}
