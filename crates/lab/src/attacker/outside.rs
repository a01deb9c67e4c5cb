//! Fraud without any account of this tenant: mail sent from outside.

use jiff::Timestamp;
use retake_playbook::ObjectKind;
use serde_json::json;

use crate::chance::Draw;
use crate::company::Company;
use crate::trace::{Actor, Service, Trace, TraceLine};
use crate::world::{Address, Mail, World};

use super::Attacker;

impl Attacker {
    /// Mail to whoever pays, under the user's own address, handed to the tenant's
    /// own mail server by a stranger (Direct Send, reference §15.6). No sign-in and
    /// no `Send` record belongs to it; the message trace has the stranger's address.
    pub(super) fn spoof_mail(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let me = Company::address(world, &self.victim);
        let [host, _] = &self.kit.hosts;
        let from_ip = host.address(self.draw_outside("spoof host").below(200));
        let conversation = format!("AAQk{}", self.draw_outside("conversation").hex(40));
        let to = Company::address(world, &company.treasurer());
        let domain = format!("mail-{}.example", self.draw_outside("helo").hex(6));
        self.forge(
            world,
            company,
            trace,
            now,
            Outside {
                word: "spoof_mail",
                from: me,
                to,
                from_ip,
                conversation,
                domain,
                subject: format!("Order {}: payment today", company.thread.reference),
            },
        );
    }

    /// Mail in the running thread, from the vendor's own mailbox: somebody took
    /// that one, and none of ours.
    pub(super) fn vendor_mail(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let Some(vendor) = company.stolen_vendor() else {
            return;
        };
        let outside = Outside {
            word: "vendor_mail",
            from: vendor.contact.clone(),
            to: Company::address(world, &self.victim),
            from_ip: vendor.server.clone(),
            conversation: company.thread.conversation.clone(),
            domain: vendor.domain.clone(),
            subject: format!("RE: {}", company.thread.subject),
        };
        self.forge(world, company, trace, now, outside);
    }

    fn draw_outside(&self, purpose: &str) -> Draw {
        self.chance.draw("from outside", purpose, self.sent)
    }

    fn forge(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
        mail: Outside,
    ) {
        let vendor = company
            .stolen_vendor()
            .map(|vendor| vendor.name.clone())
            .unwrap_or_default();
        let id = format!(
            "<{}@{}>",
            self.draw_outside("message id").hex(32),
            mail.domain
        );
        let account = format!(
            "{}{:02} {:04} {:04} {:04}",
            self.draw_outside("bank country")
                .word(&["LT", "PL", "PT", "ES", "HU"]),
            self.draw_outside("check").below(88) + 10,
            self.draw_outside("one").below(10_000),
            self.draw_outside("two").below(10_000),
            self.draw_outside("three").below(10_000),
        );
        let recipient = mail.to.address.clone();
        world.outbox.push(Mail {
            internet_message_id: id.clone(),
            conversation: mail.conversation,
            subject: mail.subject,
            from: mail.from,
            to: vec![mail.to],
            cc: Vec::new(),
            bcc: Vec::new(),
            reply_to: Vec::new(),
            body: format!(
                "{vendor} changed banks. Please pay {} for {} today to {account}. I cannot be reached by telephone.",
                company.thread.amount, company.thread.reference
            ),
            has_attachments: false,
            size: self.draw_outside("size").between(4_000, 40_000) as u32,
            sent: now,
            from_ip: mail.from_ip,
            automatic: false,
        });
        self.sent += 1;
        trace.push(
            TraceLine::new(now, Actor::Attacker, Service::Attack, mail.word)
                .about(ObjectKind::Message, id.clone())
                .with_effect(
                    json!({"kind": "from_outside", "messages": [id], "recipients": [recipient]}),
                ),
        );
    }
}

/// What tells one such mail from another.
struct Outside {
    word: &'static str,
    from: Address,
    to: Address,
    from_ip: String,
    conversation: String,
    domain: String,
    subject: String,
}
