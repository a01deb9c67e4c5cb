//! Where the documentation is silent, or two sources disagree, the lab can
//! answer either way: one switch for each such statement that touches what it
//! serves. The first variant is the likelier one and the default.
//!
//! A scenario sets switches in `[unconfirmed]`; a campaign sets them with
//! [`crate::Lab::set_unconfirmed`] and finds them all in [`SWITCHES`].

use std::collections::BTreeMap;

/// One statement that nobody confirmed, and the ways it may turn out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its name in scenarios and campaigns.
    pub name: &'static str,
    /// Where the statement stands in the reference.
    pub reference: &'static str,
    /// The question.
    pub asks: &'static str,
    /// The ways: name and what the lab then does; the default first.
    pub variants: &'static [(&'static str, &'static str)],
}

/// Every switch, by name.
pub const SWITCHES: &[Switch] = &[EXCHANGE_MISSING, EXCHANGE_THROTTLE_BODY];

/// The status and code under which Exchange says that an object is not there.
pub(crate) const EXCHANGE_MISSING: Switch = Switch {
    name: "exchange_missing",
    reference: "§6.5 object not found",
    asks: "status and code of InvokeCommand for an object that is not there",
    variants: &[
        ("not_found", "404 with code NotFound"),
        (
            "internal_error",
            "500 with code InternalServerError, as an older copy has it",
        ),
        ("bad_request", "400 with code NotFound"),
    ],
};

/// What Exchange says when it throttles.
pub(crate) const EXCHANGE_THROTTLE_BODY: Switch = Switch {
    name: "exchange_throttle_body",
    reference: "§6.3 throttling, §6.5 throttled",
    asks: "the body of InvokeCommand's 429",
    variants: &[
        ("json", "the error document of §6.5"),
        ("empty", "no body"),
        ("text", "a line of plain text"),
    ],
};

/// Which way each switch stands.
#[derive(Clone, Debug, Default)]
pub struct Unconfirmed {
    chosen: BTreeMap<&'static str, &'static str>,
}

impl Unconfirmed {
    /// Sets a switch by name; the error says what there is instead.
    pub fn set(&mut self, name: &str, variant: &str) -> Result<(), NoSuchSwitch> {
        let Some(switch) = SWITCHES.iter().find(|switch| switch.name == name) else {
            return Err(NoSuchSwitch {
                asked: name.to_owned(),
                known: list(SWITCHES.iter().map(|switch| switch.name)),
            });
        };
        let Some((variant, _)) = switch.variants.iter().find(|(name, _)| *name == variant) else {
            return Err(NoSuchSwitch {
                asked: format!("{name} = {variant}"),
                known: list(switch.variants.iter().map(|(name, _)| *name)),
            });
        };
        self.chosen.insert(switch.name, *variant);
        Ok(())
    }

    /// The name of the variant that holds.
    pub(crate) fn variant(&self, switch: &Switch) -> &'static str {
        let default = switch.variants.first().map_or("", |(name, _)| *name);
        self.chosen.get(switch.name).copied().unwrap_or(default)
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// There is no such switch, or no such variant of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{asked}` is no unconfirmed behaviour of the lab; there are {known}")]
pub struct NoSuchSwitch {
    /// What was asked for.
    pub asked: String,
    /// The names that exist there.
    pub known: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_switch_has_a_name_of_its_own_and_at_least_two_ways() {
        for (index, switch) in SWITCHES.iter().enumerate() {
            assert!(switch.variants.len() >= 2, "{}", switch.name);
            assert!(switch.reference.starts_with('§'), "{}", switch.name);
            for other in &SWITCHES[..index] {
                assert_ne!(switch.name, other.name);
            }
            let mut held = Unconfirmed::default();
            assert_eq!(held.variant(switch), switch.variants[0].0);
            for (variant, _) in switch.variants {
                held.set(switch.name, variant).unwrap();
                assert_eq!(held.variant(switch), *variant);
            }
        }
        let error = Unconfirmed::default().set("nothing", "at_all").unwrap_err();
        assert!(error.known.contains("exchange_missing"), "{error}");
    }
}
