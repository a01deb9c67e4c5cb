//! A small run written by hand: a tenant of a few objects, a responder that does
//! everything right unless told otherwise, and an attacker that keeps trying.

mod response;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use retake_drill::score::Case;
use retake_playbook::event::{
    ActionId, Applied, EvidenceKept, Facts, Observed, Plan, Planned, Request, Snapshot,
};
use retake_playbook::{ActionKind, Digest, Event, ObjectKind, ObjectRef};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) const USER: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
pub(crate) const UPN: &str = "dana@contoso.example";
pub(crate) const EVIL_METHOD: &str = "method-of-the-attacker";
pub(crate) const OWN_METHOD: &str = "method-of-the-user";
pub(crate) const EVIL_RULE: &str = "rule-of-the-attacker";
pub(crate) const HIDDEN_RULE: &str = "mailbox-guid\\17000000000000000001";
pub(crate) const GOOD_RULE: &str = "rule-that-files-invoices";
pub(crate) const EVIL_GRANT: &str = "grant-of-the-attacker";
pub(crate) const GOOD_GRANT: &str = "grant-of-the-mail-app";

/// Ways to go wrong; none by default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wrong {
    pub(crate) reset_first: bool,
    pub(crate) revoke_first: bool,
    pub(crate) rule_before_containment: bool,
    pub(crate) default_method_first: bool,
    pub(crate) forwarding_in_two: bool,
    pub(crate) no_second_revoke: bool,
    pub(crate) restore_early: bool,
    pub(crate) risk_before_reset: bool,
    pub(crate) intent_without_before: bool,
    pub(crate) rule_changed_since_read: bool,
    pub(crate) account_unread: bool,
    pub(crate) block_without_before: bool,
    pub(crate) keeps_rule: bool,
    pub(crate) disables_rule: bool,
    pub(crate) good_rule_removed: bool,
    pub(crate) good_rule_made_again: bool,
    pub(crate) never_restored: bool,
    pub(crate) says_removed: Option<ActionKind>,
    pub(crate) no_read_back: bool,
    pub(crate) read_back_before: bool,
    pub(crate) read_back_of_other_list: bool,
    pub(crate) other_object_changed: bool,
    pub(crate) last_snapshot_misses_rules: bool,
    pub(crate) closes_without_watch: bool,
    pub(crate) clock_forgets_token: bool,
    pub(crate) token_outlives_clock: bool,
    pub(crate) finance_only_says_so: bool,
    pub(crate) attacker_silent_at_end: bool,
    pub(crate) rule_planted_again: bool,
    pub(crate) password_taken_back: bool,
    pub(crate) rule_works_in_secret: bool,
    pub(crate) mail_found_late: bool,
    pub(crate) names_another_path: bool,
    pub(crate) reads_unknown: bool,
}

/// Plays a whole case and returns the trace and the case.
pub(crate) fn play(wrong: &Wrong) -> (String, Case) {
    let mut story = Story::new(wrong.clone());
    story.respond();
    (story.trace(), story.case)
}

struct Story {
    wrong: Wrong,
    lines: Vec<Value>,
    case: Case,
    now: Timestamp,
    round: u32,
    actions: u32,
    plans: u32,
    snapshots: u32,
    // The tenant.
    enabled: bool,
    valid_from: Timestamp,
    password_changed: Timestamp,
    methods: BTreeSet<&'static str>,
    rules: BTreeMap<String, bool>,
    smtp: Option<&'static str>,
    address: Option<&'static str>,
    grants: BTreeSet<&'static str>,
}

fn alert() -> Timestamp {
    "2026-09-02T09:00:00Z".parse().unwrap()
}

pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

impl Story {
    fn new(wrong: Wrong) -> Self {
        let mut story = Self {
            wrong,
            lines: Vec::new(),
            case: Case::default(),
            now: alert(),
            round: 0,
            actions: 0,
            plans: 0,
            snapshots: 0,
            enabled: true,
            valid_from: "2026-01-01T00:00:00Z".parse().unwrap(),
            password_changed: "2026-01-01T00:00:00Z".parse().unwrap(),
            methods: BTreeSet::from([EVIL_METHOD, OWN_METHOD]),
            rules: [EVIL_RULE, HIDDEN_RULE, GOOD_RULE]
                .map(|rule| (rule.to_owned(), true))
                .into(),
            smtp: Some("smtp:drop@evil.example"),
            address: Some("forwarder"),
            grants: BTreeSet::from([EVIL_GRANT, GOOD_GRANT]),
        };
        let object = |kind: &str, id: &str| json!({"kind": kind, "id": id});
        let held = |id: &str, kind: &str, object_id: &str, aliases: &[&str]| json!({"id": id, "object": object(kind, object_id), "aliases": aliases});
        story.line(json!({
            "actor": "service", "service": "scenario", "method": "truth",
            "effect": {"kind": "truth", "truth": {
                "scenario": "by-hand", "seed": 7, "path": "credential_phishing",
                "account": {"id": USER, "upn": UPN}, "alert_at": alert(),
                "artefacts": [
                    held("A01", "password", USER, &[]),
                    held("A02", "session", USER, &["session-1"]),
                    held("A03", "token", &format!("{USER}/graph"), &[]),
                    held("A04", "method", EVIL_METHOD, &[]),
                    held("A07", "inbox_rule", EVIL_RULE, &["mailbox-guid\\16000000000000000002"]),
                    held("A09", "inbox_rule", "canonical-id-of-the-hidden-rule", &[HIDDEN_RULE]),
                    held("A13", "mailbox_forwarding", USER, &[]),
                    held("A20", "oauth_grant", EVIL_GRANT, &[]),
                ],
                "baits": [
                    {"kind": "inbox_rule", "id": GOOD_RULE, "aliases": [], "why": "files invoices"},
                    {"kind": "oauth_grant", "id": GOOD_GRANT, "aliases": [], "why": "the mail app"},
                    {"kind": "method", "id": OWN_METHOD, "aliases": [], "why": "the user's phone"},
                ],
                "warnings_due": [{"who": "finance", "why": "money moved"}],
                "money_moved": true,
            }},
        }));
        story.line(json!({
            "actor": "attacker", "service": "attack", "method": "register_method",
            "target": {"kind": "method", "id": EVIL_METHOD}, "effect": {"kind": "created"},
        }));
        story.line(json!({
            "actor": "attacker", "service": "attack", "method": "read_mail",
            "effect": {"kind": "read", "messages": ["<1@x>", "<2@x>"]},
        }));
        story.line(json!({
            "actor": "attacker", "service": "attack", "method": "send",
            "effect": {"kind": "sent", "messages": ["<3@x>"], "recipients": ["v@vendor.example"]},
        }));
        story
    }

    fn trace(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(&line.to_string());
            text.push('\n');
        }
        text
    }

    /// Adds a line at the present time under the next number.
    fn line(&mut self, line: Value) -> usize {
        let mut whole = json!({
            "n": self.lines.len(), "at": self.now, "round": 0, "path": "", "query": null,
            "request_sha256": null, "status": null, "response_sha256": null, "target": null,
            "effect": null, "fault": null, "attempt": null, "got": null,
        });
        let members = whole.as_object_mut().unwrap();
        members.extend(line.as_object().unwrap().clone());
        self.lines.push(whole);
        self.lines.len() - 1
    }

    fn event(&mut self, event: Event) {
        self.case.events.push((self.now, event));
    }

    fn wait(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    /// One request of the responder's, 150 ms.
    fn request(&mut self, method: &str, path: &str, body: &str, answer: &Value) -> (usize, Digest) {
        self.now += SignedDuration::from_millis(150);
        self.round += 1;
        let bytes = answer.to_string().into_bytes();
        let request = digest(format!("{method} {path}\n{body}").as_bytes());
        let service = if path.starts_with("/adminapi") {
            "exchange"
        } else {
            "graph"
        };
        let n = self.line(json!({
            "actor": "responder", "service": service, "method": method, "path": path,
            "round": self.round, "request_sha256": request, "status": 200,
            "response_sha256": digest(&bytes),
        }));
        self.case.evidence.insert(digest(&bytes), bytes);
        (n, request)
    }

    /// A read whose answer is kept.
    fn read(&mut self, method: &str, path: &str, body: &str, answer: &Value) -> Digest {
        self.request(method, path, body, answer);
        let kept = digest(answer.to_string().as_bytes());
        self.event(Event::EvidenceKept(EvidenceKept {
            digest: kept.clone(),
            what: path.to_owned(),
            request: None,
            status: Some(200),
            bytes: 0,
        }));
        kept
    }

    fn read_account(&mut self) -> Digest {
        let second = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let answer = json!({
            "id": USER, "userPrincipalName": UPN, "accountEnabled": self.enabled,
            "signInSessionsValidFromDateTime": second(self.valid_from),
            "lastPasswordChangeDateTime": second(self.password_changed),
        });
        self.read("GET", &format!("/v1.0/users/{USER}"), "", &answer)
    }

    fn read_methods(&mut self) -> Digest {
        let list: Vec<Value> = self.methods.iter().map(|id| json!({"id": id})).collect();
        self.read(
            "GET",
            &format!("/v1.0/users/{USER}/authentication/methods"),
            "",
            &json!({"value": list}),
        )
    }

    fn read_rules(&mut self) -> Digest {
        let list: Vec<Value> = self
            .rules
            .iter()
            .map(|(id, enabled)| json!({"Identity": id, "Enabled": enabled}))
            .collect();
        self.read(
            "POST",
            "/adminapi/beta/t/InvokeCommand",
            "Get-InboxRule",
            &json!({"value": list}),
        )
    }

    fn read_mailbox(&mut self) -> Digest {
        let answer = json!({"value": [{
            "ExternalDirectoryObjectId": USER, "ForwardingSmtpAddress": self.smtp,
            "ForwardingAddress": self.address,
        }]});
        self.read(
            "POST",
            "/adminapi/beta/t/InvokeCommand",
            "Get-Mailbox",
            &answer,
        )
    }

    fn read_grants(&mut self) -> Digest {
        let list: Vec<Value> = self.grants.iter().map(|id| json!({"id": id})).collect();
        self.read(
            "GET",
            &format!("/v1.0/users/{USER}/oauth2PermissionGrants"),
            "",
            &json!({"value": list}),
        )
    }

    fn read_of(&mut self, kind: ActionKind) -> Digest {
        match kind {
            ActionKind::RemoveMethod => self.read_methods(),
            ActionKind::RemoveInboxRule
            | ActionKind::RemoveHiddenRule
            | ActionKind::RemoveRuleInExchange => self.read_rules(),
            ActionKind::ClearForwarding => self.read_mailbox(),
            ActionKind::RemoveGrant => self.read_grants(),
            _ => self.read_account(),
        }
    }

    fn snapshot(&mut self, without_rules: bool) -> u32 {
        self.snapshots += 1;
        let at = self.now;
        let mut objects = Vec::new();
        let methods = self.read_methods();
        for id in self.methods.clone() {
            objects.push(observed(ObjectKind::Method, id, &methods));
        }
        if !without_rules {
            let rules = self.read_rules();
            for id in self.rules.clone().into_keys() {
                objects.push(observed(ObjectKind::InboxRule, &id, &rules));
            }
        }
        let mailbox = self.read_mailbox();
        let mut forwarding = observed(ObjectKind::MailboxForwarding, USER, &mailbox);
        forwarding.facts = Facts::Forwarding {
            smtp: self.smtp.map(str::to_owned),
            address: self.address.map(str::to_owned),
            keeps_copy: true,
            target: None,
        };
        objects.push(forwarding);
        let grants = self.read_grants();
        for id in self.grants.clone() {
            objects.push(observed(ObjectKind::OauthGrant, id, &grants));
        }
        self.event(Event::SnapshotTaken(Snapshot {
            snapshot: self.snapshots,
            at,
            account: None,
            objects,
            sources: Vec::new(),
        }));
        self.snapshots
    }

    /// Plans, intends, sends, and reads back one action.
    fn act(&mut self, kind: ActionKind, object_kind: ObjectKind, id: &str) {
        let removes_rule = kind == ActionKind::RemoveInboxRule;
        let before = self.read_of(kind);
        self.actions += 1;
        self.plans += 1;
        let action = ActionId(self.actions);
        self.event(Event::PlanMade(Plan {
            plan: self.plans,
            snapshot: None,
            actions: vec![Planned {
                action,
                kind,
                step: kind.spec().step,
                object: ObjectRef::new(object_kind, id),
                observed: None,
                artefact: None,
                undoes: None,
                why: Vec::new(),
            }],
            left: Vec::new(),
        }));
        let (method, path, body) = match kind {
            ActionKind::BlockSignIn => ("PATCH", format!("/v1.0/users/{USER}"), "block"),
            ActionKind::RestoreSignIn => ("PATCH", format!("/v1.0/users/{USER}"), "restore"),
            ActionKind::ResetPassword => ("PATCH", format!("/v1.0/users/{USER}"), "password"),
            ActionKind::RevokeSessions => (
                "POST",
                format!("/v1.0/users/{USER}/revokeSignInSessions"),
                "{}",
            ),
            ActionKind::RemoveMethod => (
                "DELETE",
                format!("/v1.0/users/{USER}/authentication/phoneMethods/{id}"),
                "",
            ),
            ActionKind::RemoveGrant => ("DELETE", format!("/v1.0/oauth2PermissionGrants/{id}"), ""),
            _ => ("POST", "/adminapi/beta/t/InvokeCommand".to_owned(), id),
        };
        let sent = digest(format!("{method} {path}\n{body}").as_bytes());
        let unread = (self.wrong.intent_without_before && removes_rule)
            || (self.wrong.block_without_before && kind == ActionKind::BlockSignIn);
        self.event(Event::ActionIntended {
            action,
            request: Request {
                method: method.to_owned(),
                url: path.clone(),
                sha256: sent,
            },
            before: (!unread).then(|| before.clone()),
            attempt: 0,
        });
        if self.wrong.rule_changed_since_read && removes_rule {
            self.line(json!({
                "actor": "attacker", "service": "attack", "method": "change_rule",
                "target": {"kind": "inbox_rule", "id": EVIL_RULE},
                "effect": {"kind": "changed", "fields": {"name": [".", ".."]}},
            }));
        }
        let (n, _) = self.request(method, &path, body, &Value::Null);
        if self.wrong.says_removed != Some(kind) {
            let changed = if self.wrong.other_object_changed && kind == ActionKind::RemoveGrant {
                GOOD_GRANT
            } else {
                id
            };
            let effect = self.change(kind, changed);
            self.lines[n]["target"] = json!({"kind": object_kind, "id": changed});
            self.lines[n]["effect"] = effect;
        }
        self.event(Event::ActionApplied {
            action,
            status: Some(200),
            how: Applied::Accepted,
        });
        let evidence = if self.wrong.no_read_back && removes_rule {
            digest(Value::Null.to_string().as_bytes())
        } else if self.wrong.read_back_before && removes_rule {
            before
        } else if self.wrong.read_back_of_other_list && removes_rule {
            self.read_mailbox()
        } else {
            self.read_of(kind)
        };
        self.event(Event::ActionVerified { action, evidence });
    }

    /// What the tenant makes of it.
    fn change(&mut self, kind: ActionKind, id: &str) -> Value {
        match kind {
            ActionKind::BlockSignIn => {
                self.enabled = false;
                json!({"kind": "changed", "fields": {"accountEnabled": [true, false]}})
            }
            ActionKind::RestoreSignIn => {
                self.enabled = true;
                json!({"kind": "changed", "fields": {"accountEnabled": [false, true]}})
            }
            ActionKind::RevokeSessions => {
                self.valid_from = self.now;
                json!({"kind": "revoked"})
            }
            ActionKind::ResetPassword => {
                self.password_changed = self.now;
                json!({"kind": "password_set"})
            }
            ActionKind::ChooseDefaultMethod => {
                json!({"kind": "changed", "fields": {"isDefault": [false, true]}})
            }
            ActionKind::DisableDevice | ActionKind::DisableApp => {
                json!({"kind": "changed", "fields": {"accountEnabled": [true, false]}})
            }
            ActionKind::RemoveMethod => {
                self.methods.retain(|method| *method != id);
                json!({"kind": "deleted"})
            }
            ActionKind::RemoveInboxRule
            | ActionKind::RemoveHiddenRule
            | ActionKind::RemoveRuleInExchange => {
                if self.wrong.disables_rule && id == EVIL_RULE {
                    self.rules.insert(id.to_owned(), false);
                    return json!({"kind": "changed", "fields": {"isEnabled": [true, false]}});
                }
                self.rules.remove(id);
                json!({"kind": "deleted"})
            }
            ActionKind::ClearForwarding => {
                let (smtp, address) = (self.smtp.take(), self.address);
                if self.wrong.forwarding_in_two && smtp.is_some() {
                    return json!({"kind": "changed", "fields": {"ForwardingSmtpAddress": [smtp, null]}});
                }
                self.address = None;
                json!({"kind": "changed", "fields": {
                    "ForwardingSmtpAddress": [smtp, null], "ForwardingAddress": [address, null],
                }})
            }
            ActionKind::RemoveGrant => {
                self.grants.retain(|grant| *grant != id);
                json!({"kind": "deleted"})
            }
            other => panic!("no story does {other:?}"),
        }
    }

    fn block(&mut self) {
        self.act(ActionKind::BlockSignIn, ObjectKind::Account, USER);
    }

    fn revoke(&mut self) {
        self.act(ActionKind::RevokeSessions, ObjectKind::Session, USER);
    }

    fn reset(&mut self) {
        self.act(ActionKind::ResetPassword, ObjectKind::Password, USER);
    }

    fn remove_rule(&mut self, rule: &str) {
        let kind = if rule == HIDDEN_RULE {
            ActionKind::RemoveHiddenRule
        } else {
            ActionKind::RemoveInboxRule
        };
        self.act(kind, ObjectKind::InboxRule, rule);
    }

    /// The attacker tries everything; mail left half a minute before it looks.
    fn tick(&mut self) {
        let blocked = !self.enabled;
        let works = |yes: bool, what: &'static str| if yes { what } else { "nothing" };
        let fresh_password = self.password_changed > alert();
        let token_lives =
            self.now < alert() + SignedDuration::from_mins(80) || self.wrong.token_outlives_clock;
        let rule = |id: &str| self.rules.get(id) == Some(&true);
        let rule_works =
            rule(EVIL_RULE) || rule("planted-again") || self.wrong.rule_works_in_secret;
        let tries = [
            ("A01", works(!blocked && !fresh_password, "token")),
            ("A02", works(!blocked && self.valid_from < alert(), "token")),
            ("A03", works(token_lives, "data")),
            (
                "A04",
                works(!blocked && self.methods.contains(EVIL_METHOD), "token"),
            ),
            ("A07", works(rule_works, "data")),
            ("A09", works(rule(HIDDEN_RULE), "data")),
            ("A13", works(self.smtp.is_some(), "data")),
            (
                "A20",
                works(!blocked && self.grants.contains(EVIL_GRANT), "data"),
            ),
        ];
        for (artefact, got) in tries {
            let mut line = json!({
                "actor": "attacker", "service": "attack", "method": "try",
                "attempt": artefact, "got": got,
            });
            let by_mail = ["A07", "A09", "A13"].contains(&artefact);
            if got == "data" && by_mail {
                let left = self.now - SignedDuration::from_secs(30);
                line["effect"] = json!({
                    "kind": "leaked", "messages": [format!("<{}@m>", self.lines.len())],
                    "at": [left], "bytes": 1000,
                });
            }
            self.line(line);
        }
    }

    fn ticks(&mut self, minutes: i64) {
        for _ in 0..minutes / 10 {
            self.wait(10);
            self.tick();
        }
    }
}

fn observed(kind: ObjectKind, id: &str, evidence: &Digest) -> Observed {
    Observed {
        object: ObjectRef::new(kind, id),
        digest: digest(id.as_bytes()),
        evidence: vec![evidence.clone()],
        facts: Facts::Method {
            method: String::new(),
            default: false,
            created: None,
            detail: None,
        },
    }
}
