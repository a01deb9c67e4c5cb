//! What the responder of the story does, in its order, and the ways to go wrong.

use jiff::SignedDuration;
use retake_playbook::event::{AccessEnd, Analysis, Change, Closing, Fingerprint, Mail, Origin};
use retake_playbook::{ActionKind, ArtefactId, Event, Gate, ObjectKind};
use serde_json::{Value, json};

use super::{
    EVIL_GRANT, EVIL_METHOD, EVIL_RULE, GOOD_RULE, HIDDEN_RULE, OWN_METHOD, Story, UPN, USER, alert,
};

impl Story {
    pub(super) fn respond(&mut self) {
        let wrong = self.wrong.clone();
        if wrong.account_unread {
            self.event(Event::AccountUnread {
                why: "no answer".into(),
            });
        } else {
            self.read_account();
        }
        if wrong.risk_before_reset {
            self.mark_risk();
        }
        if wrong.rule_before_containment {
            self.remove_rule(EVIL_RULE);
        }
        if wrong.reset_first {
            self.reset();
        }
        self.event(Event::GatePassed {
            gate: Gate::Contain,
            by: "Kim".into(),
            answer: None,
        });
        if wrong.revoke_first {
            self.revoke();
            self.block();
        } else {
            self.block();
            self.revoke();
        }
        self.set_access_clock();
        self.snapshot(false);
        self.tick();
        self.warn_finance();
        self.evict();
        if wrong.rule_planted_again {
            self.rules.insert("planted-again".into(), true);
            self.line(json!({
                "actor": "attacker", "service": "attack", "method": "create_rule",
                "target": {"kind": "inbox_rule", "id": "planted-again"},
                "effect": {"kind": "planted", "artefact": "A07", "aliases": [],
                    "object": {"kind": "inbox_rule", "id": "planted-again"}},
            }));
        }
        if !wrong.restore_early {
            self.ticks(100);
        }
        let last = self.snapshot(wrong.last_snapshot_misses_rules);
        self.analyse();
        self.event(Event::EvictionEffective { snapshot: last });
        if wrong.attacker_silent_at_end {
            self.wait(40);
        } else {
            if wrong.mail_found_late {
                self.find_late_mail();
            }
            self.ticks(10);
        }
        if !wrong.never_restored {
            self.act(ActionKind::RestoreSignIn, ObjectKind::Account, USER);
        }
        if wrong.password_taken_back {
            self.password_changed = "2026-01-01T00:00:00Z".parse().unwrap();
            self.line(json!({
                "actor": "attacker", "service": "attack", "method": "reset_password",
                "target": {"kind": "password", "id": USER},
                "effect": {"kind": "planted", "artefact": "A01", "aliases": [],
                    "object": {"kind": "password", "id": USER}},
            }));
        }
        self.ticks(50);
        if wrong.never_restored {
            self.line(json!({
                "actor": "person:harness", "service": "person", "method": "finish_restore",
                "target": {"kind": "account", "id": USER},
                "effect": {"kind": "changed", "fields": {"accountEnabled": [false, true]},
                    "touched": [{"kind": "password", "id": USER, "effect": {"kind": "password_set"}}]},
            }));
            self.enabled = true;
        }
        self.ticks(27 * 60);
        if !wrong.closes_without_watch {
            let watched = self.snapshot(false);
            self.event(Event::WatchEnded { snapshot: watched });
        }
        self.event(Event::Closed(Closing {
            first_access: String::new(),
            persistence: String::new(),
            impact: String::new(),
            confidence: 1.0,
            unknown: Vec::new(),
        }));
    }

    fn evict(&mut self) {
        let wrong = self.wrong.clone();
        self.act(
            ActionKind::ClearForwarding,
            ObjectKind::MailboxForwarding,
            USER,
        );
        if wrong.forwarding_in_two {
            self.act(
                ActionKind::ClearForwarding,
                ObjectKind::MailboxForwarding,
                USER,
            );
        }
        if !wrong.reset_first {
            self.reset();
        }
        if wrong.default_method_first {
            let (n, _) = self.request(
                "DELETE",
                &format!("/v1.0/users/{USER}/authentication/phoneMethods/{OWN_METHOD}"),
                "",
                &Value::Null,
            );
            self.lines[n]["status"] = json!(400);
        }
        self.act(ActionKind::RemoveMethod, ObjectKind::Method, EVIL_METHOD);
        if !wrong.rule_before_containment && !wrong.keeps_rule {
            self.remove_rule(EVIL_RULE);
        }
        self.remove_rule(HIDDEN_RULE);
        if wrong.good_rule_removed {
            self.remove_rule(GOOD_RULE);
        }
        if wrong.good_rule_made_again {
            let (n, _) = self.request("POST", "/v1.0/rules", "again", &Value::Null);
            self.lines[n]["target"] = json!({"kind": "inbox_rule", "id": "new-id"});
            self.lines[n]["effect"] = json!({"kind": "created", "replaces": GOOD_RULE});
        }
        self.act(ActionKind::RemoveGrant, ObjectKind::OauthGrant, EVIL_GRANT);
        if !wrong.no_second_revoke {
            self.revoke();
        }
    }

    fn mark_risk(&mut self) {
        self.request(
            "POST",
            "/v1.0/identityProtection/riskyUsers/confirmCompromised",
            USER,
            &Value::Null,
        );
    }

    fn set_access_clock(&mut self) {
        let until = alert() + SignedDuration::from_mins(95);
        let numbers: &[u8] = if self.wrong.clock_forgets_token {
            &[1, 2, 4, 7, 9, 13, 20]
        } else {
            &[1, 2, 3, 4, 7, 9, 13, 20]
        };
        let ends = numbers
            .iter()
            .map(|number| AccessEnd {
                artefact: ArtefactId::new(*number).unwrap(),
                what: String::new(),
                ends_at: until,
                why: String::new(),
            })
            .collect();
        self.event(Event::AccessClockSet {
            ends,
            until_removed: Vec::new(),
        });
    }

    fn warn_finance(&mut self) {
        self.event(Event::WarningDue {
            warning: 1,
            who: "finance".into(),
            why: "money moved".into(),
            pack: None,
        });
        self.now += SignedDuration::from_secs(60);
        let n =
            self.line(json!({"actor": "person:finance", "service": "person", "method": "warn"}));
        if !self.wrong.finance_only_says_so {
            self.lines[n]["effect"] = json!({"kind": "warned", "who": "finance"});
        }
        self.event(Event::WarningDone {
            warning: 1,
            by: "Robin".into(),
        });
    }

    /// The attacker finds, after the end, mail that had left before it.
    fn find_late_mail(&mut self) {
        self.now += SignedDuration::from_secs(60);
        let left = self.now - SignedDuration::from_mins(5);
        self.line(json!({
            "actor": "attacker", "service": "attack", "method": "look", "attempt": "A13",
            "got": "data", "effect": {"kind": "leaked", "messages": ["<late@m>"], "at": [left], "bytes": 9},
        }));
    }

    fn analyse(&mut self) {
        let mail = |message: &str| Mail {
            message: message.to_owned(),
            subject: String::new(),
            recipients: Vec::new(),
            at: alert(),
            how: String::new(),
        };
        let change = |kind: ObjectKind, id: &str| Change {
            at: alert(),
            operation: String::new(),
            kind,
            ids: vec![id.to_owned()],
            parameters: String::new(),
            by: Origin::Attacker,
            reasons: Vec::new(),
            record: String::new(),
            fields: Vec::new(),
        };
        let read = if self.wrong.reads_unknown {
            vec![mail("<1@x>"), mail("<9@x>")]
        } else {
            vec![mail("<1@x>"), mail("<2@x>")]
        };
        self.event(Event::Analysed(Analysis {
            quick: false,
            verdict: "compromised".into(),
            path: if self.wrong.names_another_path {
                "token_theft"
            } else {
                "credential_phishing"
            }
            .into(),
            confidence: 0.9,
            reasons: Vec::new(),
            first_known_bad: None,
            last_known_bad: None,
            fingerprint: Fingerprint::default(),
            changes: vec![
                change(ObjectKind::Method, UPN),
                change(ObjectKind::InboxRule, EVIL_RULE),
                change(ObjectKind::InboxRule, HIDDEN_RULE),
                change(ObjectKind::MailboxForwarding, UPN),
                change(ObjectKind::OauthGrant, EVIL_GRANT),
            ],
            sent: vec![mail("<3@x>")],
            impersonated: Vec::new(),
            read,
            accounts: vec![UPN.to_owned()],
            sources: Vec::new(),
        }));
    }
}
