//! Mail on its way: delivery, forwarding of the mailbox, server-side rules.
//!
//! Order as Exchange has it: the mailbox's own forward first (an internal
//! `ForwardingAddress` makes `ForwardingSmtpAddress` ignored, reference §6.2);
//! without a copy to keep, the mail never reaches the inbox and no rule sees
//! it. Then the enabled rules in their sequence, hidden ones like visible ones,
//! until one stops the rest.

use jiff::Timestamp;

use crate::world::{Address, InboxRule, Mail, World};

/// What happened to one mail at one mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// Owner of the mailbox.
    pub(crate) user: String,
    /// The mail's internet message id.
    pub(crate) message: String,
    /// Size in bytes.
    pub(crate) size: u32,
    /// When.
    pub(crate) at: Timestamp,
    /// Store id and folder, if a copy was kept.
    pub(crate) stored: Option<(String, String)>,
    /// Who hid it: the rule that moved it out of the inbox and marked it read.
    pub(crate) hidden_by: Option<String>,
    /// What left the organisation on the way.
    pub(crate) leaks: Vec<Leak>,
    /// What a sweep rule then took out of sight: the rule and the mail.
    pub(crate) swept: Vec<Swept>,
}

/// Mail that a sweep rule took out of sight when newer mail came.
#[derive(Clone, Debug)]
pub(crate) struct Swept {
    /// The rule.
    pub(crate) rule: String,
    /// The mail's internet message id.
    pub(crate) message: String,
    /// Size in bytes.
    pub(crate) size: u32,
}

/// A copy that left the organisation.
#[derive(Clone, Debug)]
pub(crate) struct Leak {
    /// The rule that sent it; `None` for the mailbox's own forward.
    pub(crate) rule: Option<String>,
    /// To where.
    pub(crate) to: String,
}

/// How often one mail may be passed on before the loop is cut.
const HOPS: usize = 200;

/// Routes everything in the outbox.
pub(crate) fn route(world: &mut World, now: Timestamp) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    let mut waiting: std::collections::VecDeque<Mail> = std::mem::take(&mut world.outbox).into();
    for _ in 0..HOPS {
        let Some(mail) = waiting.pop_front() else {
            break;
        };
        let recipients: Vec<Address> = mail.recipients().cloned().collect();
        for to in recipients {
            world.trace_message(now, &mail, &to.address, "delivered");
            if let Some(user) = world.user_id(&to.address)
                && world.mailboxes.contains_key(&user)
            {
                deliveries.push(deliver(world, now, &user, &mail, &mut waiting));
            }
        }
    }
    deliveries
}

fn deliver(
    world: &mut World,
    now: Timestamp,
    user: &str,
    mail: &Mail,
    waiting: &mut std::collections::VecDeque<Mail>,
) -> Delivery {
    let mut delivery = Delivery {
        user: user.to_owned(),
        message: mail.internet_message_id.clone(),
        size: mail.size,
        at: now,
        stored: None,
        hidden_by: None,
        leaks: Vec::new(),
        swept: Vec::new(),
    };
    let owner = crate::company::Company::address(world, user);
    let Some(mailbox) = world.mailboxes.get(user) else {
        return delivery;
    };
    let inside = mailbox.forwarding_address.clone();
    let outside = mailbox.forwarding_smtp.clone();
    let keep = mailbox.deliver_and_forward || (inside.is_none() && outside.is_none());
    let inbox = mailbox.well_known("inbox");
    let mut rules: Vec<InboxRule> = mailbox
        .rules
        .iter()
        .filter(|rule| rule.enabled)
        .cloned()
        .collect();
    rules.sort_by_key(|rule| rule.sequence);

    // What was made by a rule or forward is not passed on again: no loops.
    if !mail.automatic
        && let Some(to) = inside.map(|to| world.reaches(&to)).or(outside)
    {
        pass_on(
            world,
            now,
            mail,
            &owner,
            &to,
            Passing::Whole,
            None,
            &mut delivery,
            waiting,
        );
    }
    if !keep {
        return delivery;
    }

    let mut folder = inbox.clone();
    let mut read = false;
    let mut gone = false;
    let mut hidden_by = None;
    for rule in &rules {
        let applies = rule.conditions.meet(mail, &owner.address)
            && (rule.exceptions.is_empty() || !rule.exceptions.meet(mail, &owner.address));
        if !applies {
            continue;
        }
        let actions = &rule.actions;
        if !mail.automatic {
            for (list, how) in [
                (&actions.forward_to, Passing::Forward),
                (&actions.forward_as_attachment_to, Passing::Forward),
                (&actions.redirect_to, Passing::Whole),
            ] {
                for to in list {
                    pass_on(
                        world,
                        now,
                        mail,
                        &owner,
                        &to.address,
                        how,
                        Some(&rule.id),
                        &mut delivery,
                        waiting,
                    );
                }
            }
        }
        if let Some(to) = &actions.move_to_folder {
            to.clone_into(&mut folder);
        }
        if actions.delete {
            folder = world
                .mailboxes
                .get(user)
                .map(|m| m.well_known("deleteditems"))
                .unwrap_or_default();
        }
        read |= actions.mark_as_read;
        gone |= actions.permanent_delete;
        let out_of_sight = actions.delete
            || actions.permanent_delete
            || (actions.mark_as_read && actions.move_to_folder.is_some());
        if out_of_sight && hidden_by.is_none() {
            hidden_by = Some(rule.id.clone());
        }
        if actions.stop_processing {
            break;
        }
    }
    delivery.hidden_by = hidden_by;
    if !gone {
        delivery.stored = world
            .store(now, user, &folder, mail, read)
            .map(|id| (id, folder));
    }
    delivery.swept = world
        .sweep(user)
        .into_iter()
        .map(|(rule, message, size)| Swept {
            rule,
            message,
            size,
        })
        .collect();
    delivery
}

/// How a copy travels on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passing {
    /// As a new mail from the mailbox's owner.
    Forward,
    /// As it is, from its own sender.
    Whole,
}

#[expect(clippy::too_many_arguments, reason = "one private caller shape")]
fn pass_on(
    world: &mut World,
    now: Timestamp,
    mail: &Mail,
    owner: &Address,
    to: &str,
    how: Passing,
    rule: Option<&str>,
    delivery: &mut Delivery,
    waiting: &mut std::collections::VecDeque<Mail>,
) {
    let leaves = !world.is_inside(to);
    // The outbound policy bounces what forwards outside when it is off.
    if leaves && world.tenant.auto_forwarding == "Off" {
        world.trace_message(now, mail, to, "failed");
        return;
    }
    let mut copy = mail.clone();
    copy.to = vec![Address::new(String::new(), to)];
    copy.cc.clear();
    copy.bcc.clear();
    copy.automatic = true;
    copy.sent = now;
    if how == Passing::Forward {
        let draw = world.next(&mail.internet_message_id, "forwarded");
        copy.internet_message_id = format!("<{}@{}>", draw.hex(32), world.tenant.domain);
        copy.subject = format!("FW: {}", mail.subject);
        copy.from = owner.clone();
        // The service itself hands it over, and no stranger's server.
        copy.from_ip.clear();
    }
    if leaves {
        delivery.leaks.push(Leak {
            rule: rule.map(str::to_owned),
            to: to.to_owned(),
        });
    }
    waiting.push_back(copy);
}
