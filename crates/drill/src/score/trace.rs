//! Reading the trace: lines, effects, and the truth that they tell.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use retake_playbook::{ArtefactId, Digest, ObjectKind};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::ScoreError;

/// The role under which the lab writes down what the drill does at the end.
const HARNESS: &str = "harness";

/// One line of the trace (`lab.md`, "The score").
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Line {
    pub(super) n: u64,
    pub(super) at: Timestamp,
    #[serde(default)]
    pub(super) round: u32,
    pub(super) actor: String,
    pub(super) service: String,
    #[serde(default)]
    pub(super) method: String,
    #[serde(default)]
    pub(super) path: String,
    /// The cmdlet of a request to Exchange.
    #[serde(default)]
    pub(super) operation: Option<String>,
    #[serde(default)]
    pub(super) request_sha256: Option<Digest>,
    #[serde(default)]
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) response_sha256: Option<Digest>,
    #[serde(default)]
    pub(super) target: Option<Object>,
    #[serde(default)]
    effect: Option<Value>,
    #[serde(default)]
    pub(super) attempt: Option<ArtefactId>,
    #[serde(default)]
    pub(super) got: Option<Got>,
    /// Through which account the attacker acted.
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    inside: Vec<Inside>,
    /// What `effect` means, read once.
    #[serde(skip)]
    pub(super) effects: Vec<Effect>,
    /// The reads inside a batch, each as a line of its own with the batch's number.
    #[serde(skip)]
    pub(super) parts: Vec<Line>,
}

/// One request inside a batch.
#[derive(Clone, Debug, Deserialize)]
struct Inside {
    method: String,
    path: String,
    status: u16,
    #[serde(default)]
    response_sha256: Option<Digest>,
}

impl Line {
    pub(super) fn by_responder(&self) -> bool {
        self.actor == "responder"
    }

    pub(super) fn by_attacker(&self) -> bool {
        self.actor == "attacker"
    }

    /// The role, when a person on our side acted.
    pub(super) fn person(&self) -> Option<&str> {
        self.actor
            .strip_prefix("person:")
            .filter(|role| *role != HARNESS)
    }

    /// Whether the drill itself acted, to end a run that nobody ended.
    pub(super) fn by_harness(&self) -> bool {
        self.actor.strip_prefix("person:") == Some(HARNESS)
    }

    pub(super) fn succeeded(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }

    /// The line, and what was asked inside it.
    pub(super) fn with_parts(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.parts)
    }

    /// The reads of a batch. What a batch changes stands in its effect.
    fn read_parts(&self) -> Vec<Self> {
        self.inside
            .iter()
            .filter(|inside| inside.method.eq_ignore_ascii_case("GET"))
            .map(|inside| Self {
                method: inside.method.clone(),
                path: inside.path.clone(),
                status: Some(inside.status),
                response_sha256: inside.response_sha256.clone(),
                request_sha256: None,
                target: None,
                effect: None,
                attempt: None,
                got: None,
                inside: Vec::new(),
                effects: Vec::new(),
                parts: Vec::new(),
                ..self.clone()
            })
            .collect()
    }

    /// A read of the responder's with an answer in full.
    pub(super) fn is_read(&self) -> bool {
        self.by_responder() && self.effects.is_empty() && self.service != "token"
    }

    /// The word that says what kind of effect it is, if any.
    pub(super) fn effect_kind(&self) -> Option<&str> {
        self.effect.as_ref()?.get("kind")?.as_str()
    }

    /// A member of the effect.
    pub(super) fn effect_member(&self, name: &str) -> Option<&Value> {
        self.effect.as_ref()?.get(name)
    }

    /// When the data of a try came into the attacker's hands: the time of the
    /// line, or the times at which mail left that the attacker found there later.
    pub(super) fn got_at(&self) -> Vec<Timestamp> {
        let times: Vec<Timestamp> = self
            .effect_texts("at")
            .filter_map(|at| at.parse().ok())
            .collect();
        if times.is_empty() {
            vec![self.at]
        } else {
            times
        }
    }

    /// Whether it is a try that brought something.
    pub(super) fn got_something(&self) -> bool {
        self.by_attacker() && matches!(self.got, Some(Got::Token | Got::Data))
    }

    /// The texts in a list that is a member of the effect.
    pub(super) fn effect_texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.effect_member(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }
}

/// Kind and id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct Object {
    pub(super) kind: ObjectKind,
    pub(super) id: String,
}

/// What a try of the attacker's brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Got {
    Token,
    Data,
    Nothing,
}

/// What one line did to one object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Effect {
    pub(super) object: Object,
    pub(super) did: Did,
}

/// What was done to it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Did {
    Deleted,
    /// Property, from, to.
    Changed(Map<String, Value>),
    Created,
    Revoked,
    PasswordSet,
    Other(String),
}

impl Did {
    fn read(effect: &Value) -> Option<Self> {
        let kind = match effect {
            Value::String(kind) => kind.as_str(),
            effect => effect.get("kind")?.as_str()?,
        };
        Some(match kind {
            "deleted" => Self::Deleted,
            "changed" => Self::Changed(
                // A request that sets what already is so changes nothing.
                effect
                    .get("fields")
                    .and_then(Value::as_object)
                    .filter(|fields| !fields.is_empty())?
                    .clone(),
            ),
            "created" => Self::Created,
            "revoked" => Self::Revoked,
            "password_set" => Self::PasswordSet,
            other => Self::Other(other.to_owned()),
        })
    }

    /// What a property was changed from and to; its name in any case.
    pub(super) fn field(&self, name: &str) -> Option<(&Value, &Value)> {
        let Self::Changed(fields) = self else {
            return None;
        };
        let (_, pair) = fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        Some((pair.get(0)?, pair.get(1)?))
    }

    /// Whether it set this switch.
    pub(super) fn sets(&self, name: &str, to: bool) -> bool {
        self.field(name)
            .is_some_and(|(_, now)| now.as_bool() == Some(to))
    }
}

/// An object in the attacker's hands.
#[derive(Clone, Debug)]
pub(super) struct Foothold {
    pub(super) artefact: ArtefactId,
    pub(super) object: Object,
    /// Which account it belongs to; the affected one, if nothing.
    account: Option<String>,
    /// When it came to be; before everything for those of the first line.
    pub(super) since: Option<Timestamp>,
    /// The line with which the attacker last made it so: what was done to it
    /// before does not count.
    pub(super) renewed: u64,
}

/// A legitimate object that looks odd.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Bait {
    #[serde(flatten)]
    pub(super) object: Object,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    pub(super) why: String,
}

/// The affected account.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) upn: String,
    /// The service has stopped it from sending.
    #[serde(default)]
    pub(super) sending_stopped: bool,
    /// Nobody signs in with it: blocked is how it should be.
    #[serde(default)]
    pub(super) stays_blocked: bool,
    /// Whether it can undo what is done to others.
    #[serde(default)]
    pub(super) administrator: bool,
    /// Whether the alert names it.
    #[serde(default = "yes")]
    pub(super) named: bool,
}

fn yes() -> bool {
    true
}

/// Somebody who must be warned.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct DueWarning {
    pub(super) who: String,
    pub(super) why: String,
}

#[derive(Debug, Deserialize)]
struct Truth {
    scenario: String,
    seed: u64,
    path: String,
    account: Account,
    #[serde(default)]
    further: Vec<Account>,
    alert_at: Timestamp,
    artefacts: Vec<Held>,
    #[serde(default)]
    baits: Vec<Bait>,
    #[serde(default)]
    warnings_due: Vec<DueWarning>,
}

#[derive(Debug, Deserialize)]
struct Held {
    #[serde(alias = "artefact")]
    id: ArtefactId,
    object: Object,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    account: Option<String>,
}

/// The whole trace, read.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) lines: Vec<Line>,
    pub(super) scenario: String,
    pub(super) seed: u64,
    pub(super) path: String,
    pub(super) account: Account,
    /// Further accounts in the attacker's hands.
    pub(super) further: Vec<Account>,
    pub(super) alert_at: Timestamp,
    pub(super) footholds: Vec<Foothold>,
    /// Footholds on the other accounts, where only one is looked at.
    elsewhere: Vec<Foothold>,
    pub(super) baits: Vec<Bait>,
    pub(super) warnings_due: Vec<DueWarning>,
    aliases: BTreeMap<Object, BTreeSet<String>>,
}

impl Trace {
    /// Reads a trace of one JSON object a line; the first tells the truth.
    pub(super) fn read(text: &str) -> Result<Self, ScoreError> {
        let mut lines = Vec::new();
        for (index, text) in text.lines().enumerate() {
            if text.trim().is_empty() {
                continue;
            }
            let mut line: Line =
                serde_json::from_str(text).map_err(|error| ScoreError::BadTrace {
                    line: index + 1,
                    reason: error.to_string(),
                })?;
            if line.n != lines.len() as u64 {
                return Err(ScoreError::BadTrace {
                    line: index + 1,
                    reason: format!("it has the number {}, expected {}", line.n, lines.len()),
                });
            }
            line.parts = line.read_parts();
            lines.push(line);
        }
        let truth = lines
            .first()
            .filter(|line| line.service == "scenario")
            .and_then(|line| line.effect_member("truth"))
            .cloned()
            .ok_or_else(|| ScoreError::BadTrace {
                line: 1,
                reason: "the first line does not tell the truth of the scenario".to_owned(),
            })?;
        let truth: Truth = serde_json::from_value(truth).map_err(|error| ScoreError::BadTrace {
            line: 1,
            reason: format!("its truth cannot be read: {error}"),
        })?;
        let mut trace = Self {
            lines,
            scenario: truth.scenario,
            seed: truth.seed,
            path: truth.path,
            account: truth.account,
            further: truth.further,
            alert_at: truth.alert_at,
            footholds: Vec::new(),
            elsewhere: Vec::new(),
            baits: truth.baits,
            warnings_due: truth.warnings_due,
            aliases: BTreeMap::new(),
        };
        for held in truth.artefacts {
            trace.alias(&held.object, held.aliases);
            trace.footholds.push(Foothold {
                artefact: held.id,
                object: held.object,
                account: held.account,
                since: None,
                renewed: 0,
            });
        }
        for bait in trace.baits.clone() {
            trace.alias(&bait.object, bait.aliases);
        }
        trace.read_effects()?;
        Ok(trace)
    }

    fn read_effects(&mut self) -> Result<(), ScoreError> {
        let mut lines = std::mem::take(&mut self.lines);
        for line in &mut lines {
            let Some(effect) = line.effect.clone() else {
                continue;
            };
            if line.by_attacker() && line.effect_kind() == Some("planted") {
                self.plant(line, effect)?;
                continue;
            }
            collect(line.target.as_ref(), &effect, &mut line.effects);
        }
        self.lines = lines;
        Ok(())
    }

    /// Those planted before the alert stand in the first line as well.
    fn plant(&mut self, line: &mut Line, effect: Value) -> Result<(), ScoreError> {
        #[derive(Deserialize)]
        struct Planted {
            artefact: ArtefactId,
            object: Object,
            #[serde(default)]
            aliases: Vec<String>,
        }
        let planted: Planted =
            serde_json::from_value(effect).map_err(|error| ScoreError::BadTrace {
                line: line.n as usize + 1,
                reason: format!("what was planted cannot be read: {error}"),
            })?;
        self.alias(&planted.object, planted.aliases);
        line.effects.push(Effect {
            object: planted.object.clone(),
            did: Did::Created,
        });
        match self
            .footholds
            .iter_mut()
            .find(|held| held.artefact == planted.artefact && held.object == planted.object)
        {
            Some(held) => held.renewed = line.n,
            None => self.footholds.push(Foothold {
                artefact: planted.artefact,
                object: planted.object,
                account: line.account.clone(),
                since: Some(line.at),
                renewed: line.n,
            }),
        }
        Ok(())
    }

    fn alias(&mut self, object: &Object, aliases: Vec<String>) {
        self.aliases
            .entry(object.clone())
            .or_default()
            .extend(aliases);
    }

    /// The trace as far as it concerns one of the attacker's accounts: its own footholds,
    /// what was tried through it, and the responder's changes in the lines that `ours`
    /// tells to be about it.
    pub(super) fn of_account(&self, account: &Account, ours: impl Fn(u64) -> bool) -> Self {
        let mut view = self.clone();
        let is_here =
            |held: &Option<String>| held.as_ref().unwrap_or(&self.account.id) == &account.id;
        (view.footholds, view.elsewhere) = view
            .footholds
            .into_iter()
            .partition(|held| is_here(&held.account));
        view.account = account.clone();
        for line in &mut view.lines {
            if line.by_attacker() && !is_here(&line.account) {
                line.attempt = None;
                line.got = None;
            }
            if line.by_responder() && !line.effects.is_empty() && !ours(line.n) {
                line.effects.clear();
                // It is no read either.
                "responder elsewhere".clone_into(&mut line.actor);
            }
        }
        view
    }

    /// Every name under which a surface may show this object.
    pub(super) fn names(&self, object: &Object) -> BTreeSet<String> {
        let mut names = self.aliases.get(object).cloned().unwrap_or_default();
        names.insert(object.id.clone());
        if object.id == self.account.id || object.id.eq_ignore_ascii_case(&self.account.upn) {
            names.insert(self.account.id.clone());
            names.insert(self.account.upn.clone());
        }
        names.retain(|name| !name.is_empty());
        names
    }

    /// Whether an object is the one that a surface knows under this id.
    pub(super) fn same(&self, object: &Object, kind: ObjectKind, id: &str) -> bool {
        if object.kind != kind && !(of_account(object.kind) && of_account(kind)) {
            return false;
        }
        let is_accounts =
            |id: &str| id == self.account.id || id.eq_ignore_ascii_case(&self.account.upn);
        object.id.eq_ignore_ascii_case(id)
            || self
                .aliases
                .get(object)
                .is_some_and(|names| names.iter().any(|name| name.eq_ignore_ascii_case(id)))
            || (is_accounts(&object.id) && is_accounts(id))
    }

    /// Whether the attacker holds or planted it. The app behind the attacker's
    /// consent is the attacker's too, unless the company uses it.
    pub(super) fn is_attackers(&self, object: &Object) -> bool {
        self.footholds.iter().chain(&self.elsewhere).any(|held| {
            self.same(&held.object, object.kind, &object.id)
                || (self.is_app_of(object, held)
                    && !self
                        .baits
                        .iter()
                        .any(|bait| self.same(&bait.object, object.kind, &object.id)))
        })
    }

    /// Whether it is the app behind a consent, which a consent has as an alias.
    pub(super) fn is_app_of(&self, object: &Object, held: &Foothold) -> bool {
        object.kind == ObjectKind::ServicePrincipal
            && held.object.kind == ObjectKind::OauthGrant
            && self.same(&held.object, ObjectKind::OauthGrant, &object.id)
    }

    /// Whether it is the affected account itself, or its password or sessions.
    pub(super) fn is_account(&self, object: &Object) -> bool {
        of_account(object.kind)
            && (object.id.eq_ignore_ascii_case(&self.account.id)
                || object.id.eq_ignore_ascii_case(&self.account.upn))
    }

    /// What the responder changed, in order.
    pub(super) fn responder_changes(&self) -> impl Iterator<Item = (&Line, &Effect)> {
        self.lines
            .iter()
            .filter(|line| line.by_responder())
            .flat_map(|line| line.effects.iter().map(move |effect| (line, effect)))
    }
}

/// What an effect did to its object and to those that it touched; a batch
/// touches objects whose changes touch others.
fn collect(object: Option<&Object>, effect: &Value, effects: &mut Vec<Effect>) {
    if let (Some(object), Some(did)) = (object, Did::read(effect)) {
        effects.push(Effect {
            object: object.clone(),
            did,
        });
    }
    for touched in effect
        .get("touched")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let object: Option<Object> = serde_json::from_value(touched.clone()).ok();
        if let Some(inner) = touched.get("effect") {
            collect(object.as_ref(), inner, effects);
        }
    }
}

/// Account, password and sessions have one id between them.
fn of_account(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::Account | ObjectKind::Password | ObjectKind::Session
    )
}
