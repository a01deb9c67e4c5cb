//! One rule, compiled.

use super::condition::Condition;
use super::fields::Service;
use super::value::{Modifiers, Pattern};
use super::yaml::{self, Yaml};
use super::{Refusal, Refused, refuse};
use crate::answer::Severity;
use crate::detections::{Column, Seen};
use crate::event::{Source, fold_operation};

/// A rule that can be run whole.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id, empty where it has none.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Who wrote it.
    pub author: String,
    /// How bad, from its level.
    pub severity: Severity,
    /// Its tags.
    pub tags: Vec<String>,
    source: Source,
    selections: Vec<Selection>,
    condition: Condition,
}

#[derive(Clone, Debug)]
enum Selection {
    /// One of these maps, each of which must hold whole.
    Fields(Vec<Vec<FieldTest>>),
    /// Texts anywhere in the record: one of them, or all.
    Keywords(Vec<Vec<Pattern>>, bool),
    /// One of several of the two kinds.
    Any(Vec<Selection>),
}

#[derive(Clone, Debug)]
struct FieldTest {
    columns: Vec<Column>,
    /// Of each value its variants.
    values: Vec<Vec<Pattern>>,
    all: bool,
}

impl Rule {
    /// Reads a rule; an error says why it is not run.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let documents = yaml::documents(text)
            .map_err(|why| refuse(Refusal::NotARule, format!("YAML: {why}")))?;
        let [rule] = documents.as_slice() else {
            return Err(refuse(
                Refusal::NotARule,
                format!(
                    "{} documents in one file; one rule is read",
                    documents.len()
                ),
            ));
        };
        if rule.get("correlation").is_some() {
            return Err(refuse(
                Refusal::Aggregation,
                "a correlation of rules; only rules on one event are run",
            ));
        }
        let text_of = |name: &str| rule.get(name).and_then(Yaml::text).unwrap_or_default();
        let (Some(logsource), Some(Yaml::Map(detection))) =
            (rule.get("logsource"), rule.get("detection"))
        else {
            return Err(refuse(
                Refusal::NotARule,
                "`logsource` or `detection` is missing",
            ));
        };
        let service = service(logsource)?;
        if detection.iter().any(|(name, _)| name == "timeframe") {
            return Err(refuse(
                Refusal::Aggregation,
                "a time frame; only rules on one event are run",
            ));
        }
        let mut names = Vec::new();
        let mut selections = Vec::new();
        for (name, value) in detection.iter().filter(|(name, _)| name != "condition") {
            names.push(name.as_str());
            selections.push(selection(value, service)?);
        }
        let condition = match rule.get("detection").and_then(|all| all.get("condition")) {
            Some(Yaml::Text(text)) => Condition::parse(text, &names)?,
            Some(Yaml::List(texts)) if !texts.is_empty() => Condition::Or(
                texts
                    .iter()
                    .map(|text| Condition::parse(text.text().unwrap_or_default(), &names))
                    .collect::<Result<_, _>>()?,
            ),
            _ => return Err(refuse(Refusal::Condition, "there is no condition")),
        };
        Ok(Self {
            id: text_of("id").to_owned(),
            title: text_of("title").to_owned(),
            author: text_of("author").to_owned(),
            severity: match text_of("level") {
                "critical" | "high" => Severity::High,
                "medium" => Severity::Medium,
                "low" => Severity::Low,
                _ => Severity::Info,
            },
            tags: match rule.get("tags") {
                Some(Yaml::List(tags)) => tags
                    .iter()
                    .filter_map(|tag| tag.text().map(str::to_owned))
                    .collect(),
                _ => Vec::new(),
            },
            source: service.source,
            selections,
            condition,
        })
    }

    /// True if the event passes.
    pub(crate) fn matches(&self, seen: &Seen<'_>) -> bool {
        seen.event.source == self.source
            && self.condition.holds(&mut |number| {
                self.selections
                    .get(number)
                    .is_some_and(|selection| selection.passes(seen))
            })
    }
}

fn service(logsource: &Yaml) -> Result<&'static Service, Refused> {
    let text = |name: &str| logsource.get(name).and_then(Yaml::text).unwrap_or_default();
    let (product, service) = (text("product"), text("service"));
    if let Some(category) = logsource.get("category") {
        return Err(refuse(
            Refusal::Log,
            format!(
                "logs of the category `{}` are not read",
                category.text().unwrap_or_default()
            ),
        ));
    }
    Service::find(product, service).ok_or_else(|| {
        refuse(
            Refusal::Log,
            format!("logs of `{product}`, service `{service}`, are not read"),
        )
    })
}

fn selection(value: &Yaml, service: &Service) -> Result<Selection, Refused> {
    match value {
        Yaml::Map(pairs) => match pairs.as_slice() {
            [(name, value)] if name.starts_with('|') => {
                let modifiers = Modifiers::parse(name.split('|').skip(1))?;
                keywords(value, &modifiers)
            }
            _ => Ok(Selection::Fields(vec![map(pairs, service)?])),
        },
        Yaml::List(items) if items.is_empty() => {
            Err(refuse(Refusal::Value, "a selection with nothing in it"))
        }
        Yaml::List(items) if items.iter().all(|item| matches!(item, Yaml::Text(_))) => {
            keywords(value, &Modifiers::default())
        }
        Yaml::List(items) => items
            .iter()
            .map(|item| selection(item, service))
            .collect::<Result<_, _>>()
            .map(Selection::Any),
        Yaml::Text(_) => keywords(value, &Modifiers::default()),
        Yaml::Null => Err(refuse(Refusal::Value, "a selection with nothing in it")),
    }
}

fn keywords(value: &Yaml, modifiers: &Modifiers) -> Result<Selection, Refused> {
    let contains = Modifiers::parse(["contains"].into_iter())?;
    let patterns = list(value)
        .iter()
        .map(|item| contains.compile(item))
        .collect::<Result<_, _>>()?;
    Ok(Selection::Keywords(patterns, modifiers.all))
}

fn list(value: &Yaml) -> &[Yaml] {
    match value {
        Yaml::List(items) => items,
        one => std::slice::from_ref(one),
    }
}

fn map(pairs: &[(String, Yaml)], service: &Service) -> Result<Vec<FieldTest>, Refused> {
    if pairs.is_empty() {
        return Err(refuse(Refusal::Value, "a selection with nothing in it"));
    }
    let mut tests = Vec::new();
    for (key, value) in pairs {
        let mut names = key.split('|');
        let field = names.next().unwrap_or_default();
        let mut plain = true;
        let modifiers = Modifiers::parse(names.inspect(|_| plain = false))?;
        let columns = service.columns(field).ok_or_else(|| {
            refuse(
                Refusal::Field,
                format!(
                    "the field `{field}` is not one of {}/{}",
                    service.product, service.service
                ),
            )
        })?;
        let values = list(value);
        if values.is_empty() {
            return Err(refuse(Refusal::Value, format!("`{field}` has no value")));
        }
        let action = columns.contains(&Column::Action);
        tests.push(FieldTest {
            columns,
            values: values
                .iter()
                .map(|value| match value {
                    Yaml::Text(text) if action => {
                        modifiers.compile(&Yaml::Text(operation(text, plain)))
                    }
                    other => modifiers.compile(other),
                })
                .collect::<Result<_, _>>()?,
            all: modifiers.all,
        });
    }
    // What stands in a column is cheaper than what is in the original.
    tests.sort_by_key(|test| {
        test.columns
            .iter()
            .any(|column| matches!(column, Column::Record(_)))
    });
    Ok(tests)
}

/// Operations are folded in the table, so in the rule too: dashes, and the
/// stop at the end of a whole name.
fn operation(text: &str, whole: bool) -> String {
    if whole {
        fold_operation(text)
    } else {
        text.replace(
            ['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}'],
            "-",
        )
    }
}

impl Selection {
    fn passes(&self, seen: &Seen<'_>) -> bool {
        match self {
            Self::Fields(maps) => maps
                .iter()
                .any(|tests| tests.iter().all(|test| test.passes(seen))),
            Self::Any(parts) => parts.iter().any(|part| part.passes(seen)),
            Self::Keywords(words, all) => {
                let mut found = |variants: &Vec<Pattern>| {
                    seen.record()
                        .any_text(&mut |text| variants.iter().any(|pattern| pattern.passes(text)))
                };
                if *all {
                    words.iter().all(&mut found)
                } else {
                    words.iter().any(&mut found)
                }
            }
        }
    }
}

impl FieldTest {
    fn passes(&self, seen: &Seen<'_>) -> bool {
        let column = self
            .columns
            .iter()
            .find(|column| column.any(seen, &mut |_| true));
        let passes = |variants: &Vec<Pattern>| match column {
            None => variants.iter().any(Pattern::passes_absent),
            Some(column) => column.any(seen, &mut |value| {
                variants.iter().any(|pattern| pattern.passes(value))
            }),
        };
        if self.all {
            self.values.iter().all(passes)
        } else {
            self.values.iter().any(passes)
        }
    }
}
