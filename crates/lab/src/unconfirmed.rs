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
    ALTERNATE_MOBILE_TEXT,
    APP_SERVICE,
    ASSERTION_TIME,
    AUDIT_SEARCH_V1,
    BIND_LIMIT,
    BLOCK_PERMISSION,
    CHALLENGE_BODY,
    CHALLENGE_HEADER,
    CODE_LIFE,
    CONFIRM_ROLE,
    DEFAULT_METHOD_TEXT,
    DELETED_METHOD,
    DEVICE_AFTER_REVOKE,
    EXCHANGE_FRONT_DOOR,
    EXCHANGE_LIMIT,
    EXCHANGE_MISSING,
    EXCHANGE_PAGES,
    EXCHANGE_PAGE_SIZE,
    EXCHANGE_RATE_HEADERS,
    EXCHANGE_THROTTLE_BODY,
    INTERACTION_DETAILS,
    LOST_CONSENT,
    MAIL_DENIED_TEXT,
    MODIFIED_PROPERTIES,
    OUTLOOK_CONCURRENCY,
    READ_METHODS_ROLE,
    RESET_ROW,
    RESTRICTED_TEXT,
    RETRY_AFTER,
    REVOKE_ROLE,
    ROLE_REMOVAL,
    RS256_WITH_SHA256,
];

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

/// Whether a cmdlet's record says what was there before.
pub(crate) const MODIFIED_PROPERTIES: Switch = Switch {
    name: "modified_properties",
    reference: "§7.3 ExchangeAdmin",
    asks: "whether the record of a changed setting holds the old values",
    variants: &[
        ("written", "ModifiedProperties with old and new value"),
        ("absent", "the parameters alone"),
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

/// Whether App Service has an identity endpoint as described.
pub(crate) const APP_SERVICE: Switch = Switch {
    name: "app_service",
    reference: "§1.3 managed identity",
    asks: "whether App Service answers at IDENTITY_ENDPOINT as the virtual machine does",
    variants: &[
        ("answers", "200 for the right X-IDENTITY-HEADER"),
        ("absent", "404"),
    ],
};

/// The number for an assertion outside its time.
pub(crate) const ASSERTION_TIME: Switch = Switch {
    name: "assertion_time",
    reference: "§1.3 AADSTS 50012, 50013, 500133, 50027",
    asks: "the number for a client assertion that is expired or not yet valid",
    variants: &[("700024", "AADSTS700024"), ("500133", "AADSTS500133")],
};

/// What blocking sign-in needs.
pub(crate) const BLOCK_PERMISSION: Switch = Switch {
    name: "block_permission",
    reference: "§2.1 block sign-in",
    asks: "whether User.EnableDisableAccount.All suffices alone",
    variants: &[
        ("alone", "it does"),
        ("paired", "User.Read.All must be there too"),
    ],
};

/// The message in the body of a claims challenge.
pub(crate) const CHALLENGE_BODY: Switch = Switch {
    name: "challenge_body",
    reference: "§1.4 body of that 401",
    asks: "the message beside a claims challenge",
    variants: &[
        (
            "continuous",
            "Continuous access evaluation resulted in challenge …",
        ),
        (
            "exception",
            "Exception of type … ClaimsChallengeRequiredException … was thrown.",
        ),
    ],
};

/// The spelling of the header of a claims challenge.
pub(crate) const CHALLENGE_HEADER: Switch = Switch {
    name: "challenge_header",
    reference: "§1.4 Graph's 401",
    asks: "how WWW-Authenticate spells a claims challenge",
    variants: &[
        (
            "later",
            "quoted authorization_uri, error_description, without the word claims",
        ),
        ("captured_2022", "bare authorization_uri, errorDescription"),
        (
            "after_pop",
            "a PoP challenge with a nonce stands before Bearer in the same header",
        ),
        (
            "two_headers",
            "PoP and Bearer in two headers, parameters in another order",
        ),
    ],
};

/// How long an authorization code lives.
pub(crate) const CODE_LIFE: Switch = Switch {
    name: "code_life",
    reference: "§1.3 auth code + PKCE",
    asks: "how long an authorization code can be redeemed",
    variants: &[("10m", "ten minutes"), ("1m", "one minute")],
};

/// The role for marking a user compromised.
pub(crate) const CONFIRM_ROLE: Switch = Switch {
    name: "confirm_role",
    reference: "§7.1 confirm compromised",
    asks: "whether a signed-in person needs Security Operator or Administrator to confirm a compromise",
    variants: &[
        ("needed", "403 without"),
        ("not_needed", "the permission suffices"),
    ],
};

/// What the front door of Exchange does.
pub(crate) const EXCHANGE_FRONT_DOOR: Switch = Switch {
    name: "exchange_front_door",
    reference: "§6.3 redirect",
    asks: "whether the front door answers or sends to a regional host",
    variants: &[
        ("answers", "it answers"),
        ("redirects", "307 to the regional host"),
        ("redirects_446", "307 to the regional host at port 446"),
    ],
};

/// How many cmdlets Exchange takes.
pub(crate) const EXCHANGE_LIMIT: Switch = Switch {
    name: "exchange_limit",
    reference: "§6.3 throttling",
    asks: "how many cmdlets are allowed",
    variants: &[
        ("none", "no limit is met"),
        (
            "400_per_5m",
            "400 in five minutes, as remote PowerShell in 2015",
        ),
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

/// The page size of Exchange without a preference.
pub(crate) const EXCHANGE_PAGE_SIZE: Switch = Switch {
    name: "exchange_page_size",
    reference: "§6.3 paging",
    asks: "rows on a page when Prefer names no number",
    variants: &[("1000", "a thousand"), ("100", "a hundred")],
};

/// Whether a page of Exchange can be followed.
pub(crate) const EXCHANGE_PAGES: Switch = Switch {
    name: "exchange_pages",
    reference: "§6.3 paging, §0.15",
    asks: "whether posting the same body to nextLink gives the next page",
    variants: &[
        ("followable", "it does, for half an hour"),
        ("refused", "400 Expired or Invalid pagination request"),
    ],
};

/// Whether Exchange tells how much is left.
pub(crate) const EXCHANGE_RATE_HEADERS: Switch = Switch {
    name: "exchange_rate_headers",
    reference: "§6.3 throttling",
    asks: "whether answers carry Rate-Limit headers",
    variants: &[
        ("absent", "none, as in 2026"),
        ("present", "Limit, Remaining and Reset, as in May 2024"),
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

/// What comes with `interaction_required`.
pub(crate) const INTERACTION_DETAILS: Switch = Switch {
    name: "interaction_details",
    reference: "§1.3 token error body",
    asks: "whether interaction_required brings suberror and claims",
    variants: &[
        ("suberror_and_claims", "both are in the body"),
        ("bare", "the body is as for any other error"),
    ],
};

/// The number for a refresh token whose consent is gone.
pub(crate) const LOST_CONSENT: Switch = Switch {
    name: "lost_consent",
    reference: "§5 delete a grant",
    asks: "the number when a refresh token is redeemed after its consent was deleted",
    variants: &[("consent", "AADSTS65001"), ("invalid_grant", "AADSTS70000")],
};

/// The text of the mail store's 403.
pub(crate) const MAIL_DENIED_TEXT: Switch = Switch {
    name: "mail_denied_text",
    reference: "§10.1 ErrorAccessDenied",
    asks: "the text beside ErrorAccessDenied",
    variants: &[
        (
            "documented",
            "Access is denied. Check credentials and try again.",
        ),
        ("other", "another text"),
    ],
};

/// Whose four requests at once the mail store counts.
pub(crate) const OUTLOOK_CONCURRENCY: Switch = Switch {
    name: "outlook_concurrency",
    reference: "§10 Outlook, §13.7",
    asks: "whether four requests at once are allowed per mailbox or for the app over all mailboxes",
    variants: &[
        ("per_mailbox", "per app and mailbox"),
        ("per_app", "per app over all mailboxes"),
    ],
};

/// The role for reading methods.
pub(crate) const READ_METHODS_ROLE: Switch = Switch {
    name: "read_methods_role",
    reference: "§2.2 roles",
    asks: "whether a signed-in person needs a role to read another's methods",
    variants: &[
        (
            "needed",
            "Global Reader or an administrator of authentication; 403 without",
        ),
        ("not_needed", "the permission suffices"),
    ],
};

/// What a password set over Graph ends.
pub(crate) const RESET_ROW: Switch = Switch {
    name: "reset_row",
    reference: "§9.2, §13.1",
    asks: "which row of §9.2 a PATCH of passwordProfile follows",
    variants: &[
        ("azure_portal", "the weakest: password-based tokens only"),
        ("entra_admin_centre", "refresh tokens of every class"),
    ],
};

/// Whether limits without a documented header have one.
pub(crate) const RETRY_AFTER: Switch = Switch {
    name: "retry_after",
    reference: "§10 audit log queries, message trace",
    asks: "whether a 429 of audit searches and of message trace brings Retry-After",
    variants: &[("absent", "none"), ("present", "the length of the window")],
};

/// The role for revoking sessions.
pub(crate) const REVOKE_ROLE: Switch = Switch {
    name: "revoke_role",
    reference: "§2.1 revoke sessions",
    asks: "whether a signed-in person needs a role above the target to revoke its sessions",
    variants: &[
        (
            "needed",
            "User, Helpdesk, Authentication Administrator and above; 403 without",
        ),
        ("not_needed", "the permission suffices"),
    ],
};

/// When a removed role is gone.
pub(crate) const ROLE_REMOVAL: Switch = Switch {
    name: "role_removal",
    reference: "§9.3 remove role",
    asks: "whether a token that is out keeps a role that was removed",
    variants: &[
        ("at_once", "the role counts no more"),
        ("next_token", "the token keeps what it was issued with"),
    ],
};

/// The mixture of the old algorithm with the new thumbprint.
pub(crate) const RS256_WITH_SHA256: Switch = Switch {
    name: "rs256_with_sha256",
    reference: "§1.3 certificate",
    asks: "whether an assertion signed with RS256 may name its certificate by x5t#S256",
    variants: &[("accepted", "as any other"), ("refused", "AADSTS700027")],
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
