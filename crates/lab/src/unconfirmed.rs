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
pub const SWITCHES: &[Switch] = &[
    ACTIVITY_DENIED,
    ALTERNATE_MOBILE_TEXT,
    AUDIT_SEARCH_V1,
    BIND_LIMIT,
    DEFAULT_METHOD_TEXT,
    DELETED_METHOD,
    DEVICE_AFTER_REVOKE,
    RESTRICTED_TEXT,
    EXCHANGE_MISSING,
    EXCHANGE_THROTTLE_BODY,
];

/// The status beside the feed's AF10001.
pub(crate) const ACTIVITY_DENIED: Switch = Switch {
    name: "activity_denied",
    reference: "§7.2 Management API errors",
    asks: "the status beside AF10001",
    variants: &[("403", "403"), ("401", "401")],
};

/// What the refusal to delete a mobile number before the alternate one says.
pub(crate) const ALTERNATE_MOBILE_TEXT: Switch = Switch {
    name: "alternate_mobile_text",
    reference: "§2.3 mobile phone, §13.8",
    asks: "the text around \"without first deleting alternate mobile number\"",
    variants: &[
        ("sentence", "a sentence about the mobile number"),
        ("bare", "the captured words alone, in capitals"),
    ],
};

/// Whether v1.0 knows audit searches.
pub(crate) const AUDIT_SEARCH_V1: Switch = Switch {
    name: "audit_search_v1",
    reference: "§0.16, §13.5",
    asks: "whether v1.0 answers audit log queries in this tenant",
    variants: &[
        ("answers", "v1.0 and beta answer"),
        ("absent", "v1.0 says 404 UnknownError, beta answers"),
    ],
};

/// After how many records reading is no longer audited.
pub(crate) const BIND_LIMIT: Switch = Switch {
    name: "bind_limit",
    reference: "§7.3 MailItemsAccessed, §13.6",
    asks: "bind records in a day past which their audit stops",
    variants: &[
        ("1000", "a thousand, as in about 2021"),
        ("none", "it never stops"),
    ],
};

/// What the refusal to delete the default method says.
pub(crate) const DEFAULT_METHOD_TEXT: Switch = Switch {
    name: "default_method_text",
    reference: "§2.3 default method",
    asks: "which of the two texts the refusal has",
    variants: &[
        ("newer", "names the method's id"),
        ("older", "says to change the default first"),
    ],
};

/// How long a deleted method stays in the list.
pub(crate) const DELETED_METHOD: Switch = Switch {
    name: "deleted_method",
    reference: "§2.3 plan for the tool, §13.8",
    asks: "whether the list of methods lags behind a deletion",
    variants: &[
        ("gone", "as other directory reads do in the scenario"),
        ("lags", "it shows for up to a minute"),
    ],
};

/// What a revocation does to the token of a device.
pub(crate) const DEVICE_AFTER_REVOKE: Switch = Switch {
    name: "device_after_revoke",
    reference: "§9.1 PRT, §9.3 revoke, §13.1",
    asks: "whether a revocation ends a primary refresh token",
    variants: &[
        ("refused", "it is refused once the revocation takes effect"),
        ("lives", "it lives until device, account or password end it"),
    ],
};

/// What the refusal for a member of a restricted management unit says.
pub(crate) const RESTRICTED_TEXT: Switch = Switch {
    name: "restricted_text",
    reference: "§3 restricted unit, §10.1",
    asks: "whether the refusal names the unit as its reason",
    variants: &[
        ("named", "a longer text that does"),
        ("plain", "the same words as for any missing right"),
    ],
};

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
