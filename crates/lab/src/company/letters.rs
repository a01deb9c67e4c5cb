//! The mail that people write.

use jiff::Timestamp;

use crate::world::{Address, Mail, World};

use super::{Company, names};

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Letter {
    /// The vendor answers in the thread that was stolen.
    ThreadReply,
    /// A vendor or colleague writes about an invoice.
    Money,
    /// A newsletter.
    Newsletter,
    /// A machine's notice.
    Notice,
    /// A booking of a journey.
    Booking,
    /// Colleagues among themselves.
    SmallTalk,
}

impl Company {
    /// The mail with this number of the affected mailbox's post.
    pub(crate) fn letter(&self, world: &World, kind: Letter, ordinal: u64, now: Timestamp) -> Mail {
        let chance = self.chance;
        let draw = |purpose: &str| chance.draw("letter", purpose, ordinal);
        let me = Self::address(world, &self.affected);
        let first_name = me.name.split(' ').next().unwrap_or_default().to_owned();
        let mut mail = Mail {
            internet_message_id: String::new(),
            conversation: format!("AAQk{}", draw("conversation").hex(40)),
            subject: String::new(),
            from: Address::default(),
            to: vec![me],
            cc: Vec::new(),
            bcc: Vec::new(),
            reply_to: Vec::new(),
            body: String::new(),
            has_attachments: false,
            size: draw("size").between(6_000, 90_000) as u32,
            sent: now,
            from_ip: String::new(),
            automatic: false,
        };
        match kind {
            Letter::ThreadReply => self.thread_reply(&mut mail, ordinal, &first_name),
            Letter::Money => self.money(world, &mut mail, ordinal, &first_name),
            Letter::Newsletter => {
                mail.from = Address::new(
                    "Accounting Weekly",
                    format!("news@weekly.{}.example", names::COMPANY_SECOND[0]),
                );
                mail.subject = format!("Accounting weekly, issue {}", 100 + ordinal % 400);
                mail.body = String::from("This week: e-filing, travel costs, a reader asks.");
            }
            Letter::Notice => {
                mail.from = Address::new("Scanner", format!("scanner@{}", world.tenant.domain));
                mail.subject = format!("Scan from the second floor {:04}", ordinal % 10_000);
                mail.body =
                    String::from("Attached is a scan from the machine on the second floor.");
                mail.has_attachments = true;
            }
            Letter::Booking => {
                mail.from = Address::new("Rail and Air", "booking@rail-and-air.example");
                mail.subject = format!("Your booking {}", draw("booking").hex(6).to_uppercase());
                mail.body =
                    String::from("Your ticket is attached. We wish you a pleasant journey.");
                mail.has_attachments = true;
            }
            Letter::SmallTalk => {
                if let Some(colleague) = draw("colleague").choose(&self.colleagues) {
                    mail.from = Self::address(world, colleague);
                }
                draw("talk")
                    .word(&names::SMALL_TALK)
                    .clone_into(&mut mail.subject);
                mail.body = format!("Hello {first_name}, please see below. See you on Thursday.");
            }
        }
        let host = mail
            .from
            .address
            .rsplit('@')
            .next()
            .unwrap_or("example")
            .to_owned();
        mail.internet_message_id = format!("<{}@{host}>", draw("message id").hex(32));
        if mail.from_ip.is_empty() {
            mail.from_ip = self.office.address(25);
        }
        mail
    }

    /// An answer of the vendor in the thread; it holds every word by which an
    /// attacker might look for it.
    fn thread_reply(&self, mail: &mut Mail, ordinal: u64, first_name: &str) {
        let Some(vendor) = self.stolen_vendor() else {
            return;
        };
        mail.from = vendor.contact.clone();
        mail.from_ip.clone_from(&vendor.server);
        mail.conversation.clone_from(&self.thread.conversation);
        mail.subject = format!("RE: {}", self.thread.subject);
        let line = match ordinal % 4 {
            0 => "we still see no payment on our account. Which bank details did you use?",
            1 => "our bank has nothing for us. Did the details change on your side?",
            2 => "could you please call me about this order? The account is still open.",
            _ => "I tried your desk. Please do not pay to any other account than ours.",
        };
        mail.body = format!(
            "Hello {first_name}, {line} Reference {}. Regards, {}",
            self.thread.reference, vendor.contact.name
        );
    }

    /// A mail about an invoice, from anybody but the vendor of the thread; it
    /// holds every word of money.
    fn money(&self, world: &World, mail: &mut Mail, ordinal: u64, first_name: &str) {
        let chance = self.chance;
        let number = chance
            .draw("letter", "invoice", ordinal)
            .between(40_000, 99_999);
        let others: Vec<_> = self
            .vendors
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != self.thread.vendor)
            .map(|(_, vendor)| vendor)
            .collect();
        let from_colleague = chance.draw("letter", "inside", ordinal).happens(15);
        if let (true, Some(colleague)) = (
            from_colleague,
            chance
                .draw("letter", "asker", ordinal)
                .choose(&self.colleagues),
        ) {
            mail.from = Self::address(world, colleague);
        } else if let Some(vendor) = chance.draw("letter", "vendor", ordinal).choose(&others) {
            mail.from = vendor.contact.clone();
            mail.from_ip.clone_from(&vendor.server);
        }
        mail.has_attachments = true;
        mail.subject = match chance.draw("letter", "form", ordinal).below(3) {
            0 => format!("Invoice {number}"),
            1 => format!("Payment of invoice {number}"),
            _ => format!("Invoice {number}, statement of the month"),
        };
        mail.body = format!(
            "Hello {first_name}, attached is invoice {number}. Kindly arrange payment and send us the \
             remittance note; the last one is overdue. A statement is enclosed, our bank details \
             are as before."
        );
    }

    /// A mail that the affected user writes to a vendor.
    pub(crate) fn own_letter(&self, world: &World, ordinal: u64, now: Timestamp) -> Mail {
        let chance = self.chance;
        let me = Self::address(world, &self.affected);
        let draw = |purpose: &str| chance.draw("own letter", purpose, ordinal);
        let (vendor, in_thread) = if ordinal.is_multiple_of(5) {
            (self.stolen_vendor(), true)
        } else {
            (draw("vendor").choose(&self.vendors), false)
        };
        let to = vendor
            .map(|vendor| vendor.contact.clone())
            .unwrap_or_default();
        let (subject, conversation) = if in_thread {
            (
                format!("RE: {}", self.thread.subject),
                self.thread.conversation.clone(),
            )
        } else {
            (
                format!("RE: Invoice {}", draw("number").between(40_000, 99_999)),
                format!("AAQk{}", draw("conversation").hex(40)),
            )
        };
        Mail {
            internet_message_id: format!(
                "<{}@{}>",
                draw("message id").hex(32),
                world.tenant.domain
            ),
            conversation,
            subject,
            body: format!(
                "Dear {}, thank you, we are looking into it. {}",
                to.name, me.name
            ),
            from: me,
            to: vec![to],
            cc: Vec::new(),
            bcc: Vec::new(),
            reply_to: Vec::new(),
            has_attachments: false,
            size: draw("size").between(4_000, 20_000) as u32,
            sent: now,
            from_ip: self.office.address(25),
            automatic: false,
        }
    }
}
