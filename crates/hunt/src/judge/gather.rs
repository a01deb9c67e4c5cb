//! All events that concern some accounts, from one reading of the store.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use retake_playbook::ObjectKind;

use super::Bounds;
use super::gathered::Gathered;
use crate::analysis::{Findings, Network, Shared, changes_something, each_name, is_wrong_password};
use crate::answer::{Analysis, By, Gap, Subject};
use crate::event::{Event, Source};
use crate::store::{Store, StoreError};

/// What ties events to an account besides its names.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    addresses: BTreeSet<IpAddr>,
    /// Sessions and tokens.
    sessions: BTreeSet<String>,
    /// Apps that somebody was let in by, lower case.
    apps: BTreeSet<String>,
    /// Networks that passwords may have been tried from.
    networks: BTreeSet<Network>,
    /// Mail that was sent, by message id.
    sent: BTreeSet<String>,
    /// Mail that was read: its subject may stand in the trace.
    read: BTreeSet<String>,
}

impl Marks {
    /// What an answer tells of an attacker.
    pub(super) fn of(analysis: &Analysis, shared: &Shared) -> Self {
        let print = &analysis.fingerprint;
        let addresses: BTreeSet<IpAddr> = print
            .addresses
            .iter()
            .filter_map(|address| crate::address::parse(address))
            .collect();
        let apps = analysis
            .changes
            .iter()
            .filter(|change| {
                matches!(
                    change.object_kind,
                    ObjectKind::OauthGrant | ObjectKind::ServicePrincipal | ObjectKind::AppRole
                ) && (change.by == By::Attacker || !change.detections.is_empty())
            })
            .flat_map(|change| &change.object_ids)
            .filter(|id| crate::token::token_id(id).is_some() && !shared.is_resource(id))
            .map(|id| id.to_lowercase())
            .collect();
        let ids = |ids: &mut dyn Iterator<Item = &String>| ids.cloned().collect();
        Self {
            networks: addresses
                .iter()
                .map(|address| shared.network(*address))
                .collect(),
            addresses,
            sessions: ids(&mut print.sessions.iter().chain(&print.token_ids)),
            apps,
            sent: ids(&mut analysis
                .blast
                .sent
                .iter()
                .filter_map(|mail| mail.message_id.as_ref())),
            read: ids(&mut analysis
                .blast
                .read
                .iter()
                .filter_map(|mail| mail.message_id.as_ref())),
        }
    }

    /// The same without addresses that several people work from: what others do there is theirs.
    pub(super) fn without(mut self, exits: &HashSet<IpAddr>) -> Self {
        self.addresses.retain(|address| !exits.contains(address));
        self
    }

    /// Nothing of the other is new.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.addresses.is_superset(&other.addresses)
            && self.sessions.is_superset(&other.sessions)
            && self.apps.is_superset(&other.apps)
            && self.networks.is_superset(&other.networks)
            && self.sent.is_superset(&other.sent)
    }

    /// Both.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.addresses.extend(other.addresses);
        self.sessions.extend(other.sessions);
        self.apps.extend(other.apps);
        self.networks.extend(other.networks);
        self.sent.extend(other.sent);
        self.read.extend(other.read);
        self
    }
}

/// An account that is looked at, and how many of the [`Gathered`] events concern it.
#[derive(Default)]
pub(super) struct Target {
    pub(super) subject: Subject,
    pub(super) marks: Marks,
    pub(super) events: usize,
    /// How many of others' bulk was met.
    pub(super) of_others: usize,
    pub(super) left_out: LeftOut,
}

/// How many events were not judged.
#[derive(Clone, Copy, Default)]
pub(super) struct LeftOut {
    /// Of the account's own bulk.
    pub(super) own: usize,
    /// Of what others did.
    pub(super) of_others: usize,
}

impl LeftOut {
    /// Says so in the ledger.
    pub(super) fn confess(self, analysis: &mut Analysis) {
        let told = [
            (
                self.own,
                "records were counted and not judged one by one; one of each kind for each hour, place, session and program was, or for each day where they are very many",
            ),
            (
                self.of_others,
                "records of what others read and opened with the same apps or from the same addresses were left out",
            ),
        ];
        for line in analysis
            .coverage
            .iter_mut()
            .filter(|line| line.source == Source::Ual)
        {
            line.events += self.own;
            for (count, what) in told.iter().filter(|(count, _)| *count > 0) {
                line.gaps.push(Gap {
                    from: line.from,
                    to: line.to,
                    why: format!("{count} {what}"),
                });
            }
            line.gaps.sort();
        }
    }
}

/// From so many times [`Bounds::most`] on sessions and single addresses are not told apart.
const COARSE: usize = 3;

/// Keeps of what very busy accounts do one event of a kind: for each hour, place, session and
/// program, and the more they are the more coarsely.
pub(super) struct Thinner<'f> {
    /// How many are kept of each of them so far.
    heavy: HashMap<Arc<str>, usize>,
    most: usize,
    findings: &'f Findings,
    seen: HashSet<u64>,
}

impl<'f> Thinner<'f> {
    pub(super) fn new(heavy: &BTreeSet<Arc<str>>, most: usize, findings: &'f Findings) -> Self {
        Self {
            heavy: heavy.iter().map(|user| (Arc::clone(user), 0)).collect(),
            most,
            findings,
            seen: HashSet::new(),
        }
    }

    /// The event is to be judged itself.
    pub(super) fn wants(&mut self, event: &Event) -> bool {
        let user = event.user.as_deref();
        let Some(kept) = user.and_then(|user| self.heavy.get_mut(user)) else {
            return true;
        };
        // How finely they are told apart: the more there are, the more coarsely. What is of a new
        // kind is kept however many there are, for an attacker may come last.
        let level = *kept / self.most.max(1);
        let hours = match level {
            0 => 1,
            1 => 24,
            _ => i64::MAX / 3600,
        };
        let mut hasher = DefaultHasher::new();
        (
            user,
            event.time.as_second().div_euclid(3600 * hours),
            event.source as u8,
            (&event.device.id, &event.user_agent, &event.app_id),
            (
                &event.mailbox,
                event.outcome,
                event.throttled,
                event.is_send(),
            ),
        )
            .hash(&mut hasher);
        if level < COARSE {
            (event.address, &event.session_id, &event.service_session_id).hash(&mut hasher);
        } else {
            let near = event.address.map(crate::address::neighbourhood);
            near.hash(&mut hasher);
        }
        if changes_something(event) {
            let each = (level == 0).then_some(&event.record_id);
            (&event.operation, each).hash(&mut hasher);
        }
        if event.is_sign_in() {
            (&event.error_code, event.interactive, &event.protocol).hash(&mut hasher);
            (&event.risk, event.mfa).hash(&mut hasher);
        }
        for told in self.findings.of(event) {
            told.detection.hash(&mut hasher);
        }
        let wanted = self.seen.insert(hasher.finish());
        *kept += usize::from(wanted);
        wanted
    }
}

/// Who is meant by what stands in an event.
#[derive(Default)]
struct Index<'t> {
    names: HashMap<String, Vec<usize>>,
    /// Bytes of the longest of them.
    longest: usize,
    addresses: HashMap<IpAddr, Vec<usize>>,
    sessions: HashMap<&'t str, Vec<usize>>,
    apps: HashMap<&'t str, Vec<usize>>,
    networks: HashMap<Network, Vec<usize>>,
    messages: HashMap<&'t str, Vec<usize>>,
}

impl<'t> Index<'t> {
    fn new(targets: &'t [(String, Option<String>, Marks)]) -> Self {
        let mut index = Self::default();
        for (number, (upn, id, marks)) in targets.iter().enumerate() {
            let names: BTreeSet<String> =
                [Some(upn.as_str()), id.as_deref(), upn.split('@').next()]
                    .into_iter()
                    .flatten()
                    .map(str::to_lowercase)
                    .collect();
            for name in names {
                index.longest = index.longest.max(name.len());
                index.names.entry(name).or_default().push(number);
            }
            for address in &marks.addresses {
                index.addresses.entry(*address).or_default().push(number);
            }
            for session in &marks.sessions {
                index.sessions.entry(session).or_default().push(number);
            }
            for app in &marks.apps {
                index.apps.entry(app).or_default().push(number);
            }
            for network in &marks.networks {
                index.networks.entry(*network).or_default().push(number);
            }
            for message in marks.sent.union(&marks.read) {
                index.messages.entry(message).or_default().push(number);
            }
        }
        index
    }

    fn named(&self, name: &str, into: &mut Vec<usize>) {
        // A capital letter may be longer than the small one.
        if name.len() > self.longest * 2 {
            return;
        }
        let found = if name.chars().any(char::is_uppercase) {
            self.names.get(&name.to_lowercase())
        } else {
            self.names.get(name)
        };
        into.extend(found.into_iter().flatten());
    }

    /// Everybody whom the event concerns.
    fn concerned(&self, event: &Event, shared: &Shared, into: &mut Vec<usize>) {
        into.clear();
        for name in [&event.user, &event.user_id].into_iter().flatten() {
            self.named(name, into);
        }
        each_name(event, &mut |name| self.named(name, into));
        if let Some(address) = event.address {
            into.extend(self.addresses.get(&address).into_iter().flatten());
            if is_wrong_password(event) {
                let network = event
                    .network
                    .map_or_else(|| shared.network(address), Network::Number);
                into.extend(self.networks.get(&network).into_iter().flatten());
            }
        }
        for session in [
            &event.session_id,
            &event.service_session_id,
            &event.token_id,
        ]
        .into_iter()
        .flatten()
        {
            into.extend(self.sessions.get(session.as_str()).into_iter().flatten());
        }
        if let Some(app) = &event.app_id
            && !self.apps.is_empty()
        {
            into.extend(
                self.apps
                    .get(app.to_lowercase().as_str())
                    .into_iter()
                    .flatten(),
            );
        }
        if event.source == Source::MessageTrace {
            for name in &event.recipients {
                self.named(name, into);
            }
            for message in &event.message_ids {
                into.extend(self.messages.get(message.as_str()).into_iter().flatten());
            }
        }
        into.sort_unstable();
        into.dedup();
    }

    /// It comes from an attacker's place, session or app.
    fn is_marked(&self, event: &Event) -> bool {
        event
            .address
            .is_some_and(|address| self.addresses.contains_key(&address))
            || [
                &event.session_id,
                &event.service_session_id,
                &event.token_id,
            ]
            .into_iter()
            .flatten()
            .any(|session| self.sessions.contains_key(session.as_str()))
            || event
                .app_id
                .as_ref()
                .is_some_and(|app| self.apps.contains_key(app.to_lowercase().as_str()))
    }
}

/// Reads the store once and gives the events that concern any of the targets, in these groups
/// of targets, one after the other.
pub(super) fn gather(
    store: &dyn Store,
    targets: &mut [Target],
    groups: &[Range<usize>],
    shared: &Shared,
    mut thinner: Thinner<'_>,
    bounds: &Bounds,
) -> Result<Gathered, StoreError> {
    let keys: Vec<(String, Option<String>, Marks)> = targets
        .iter()
        .map(|target| {
            (
                target.subject.upn.clone(),
                target.subject.id.clone(),
                target.marks.clone(),
            )
        })
        .collect();
    let index = Index::new(&keys);
    let mut gathered = Gathered::new(groups, bounds)?;
    let mut concerned = Vec::new();
    store.scan(&mut |event| {
        index.concerned(&event, shared, &mut concerned);
        let bulk = !concerned.is_empty() && !index.is_marked(&event) && !thinner.wants(&event);
        concerned.retain(|number| {
            let Some(target) = targets.get_mut(*number) else {
                return false;
            };
            // An app that a whole company uses, or its one exit, may concern one account with
            // what everybody did.
            let of_others = !is_of(&event, &target.subject);
            let too_many = of_others && target.of_others >= bounds.of_others;
            let wanted = !(bulk || too_many);
            target.of_others += usize::from(of_others);
            target.events += usize::from(wanted);
            target.left_out.own += usize::from(!wanted && !of_others);
            target.left_out.of_others += usize::from(!wanted && of_others);
            wanted
        });
        if concerned.is_empty() {
            return Ok(());
        }
        gathered.push(&event, &concerned)
    })?;
    Ok(gathered)
}

/// The account's own doing, or something done to it: not the bulk that others did.
fn is_of(event: &Event, subject: &Subject) -> bool {
    let named = |name: &Option<String>| name.as_deref() == Some(&subject.upn);
    named(&event.user)
        || named(&event.sender)
        || (event.user_id.is_some() && event.user_id == subject.id)
        || changes_something(event)
}
