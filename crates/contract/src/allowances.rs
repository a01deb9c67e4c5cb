//! What Graph is known to have although the subsets do not list it.
//!
//! The v1.0 subset is built from the public cloud's metadata, the beta subset from the
//! smaller schema of the US government cloud. A property that neither lists is refused,
//! unless it stands here with the place it is known from. Nothing may be added because a
//! test fails; only because a source says so.

use crate::Version;

/// Something Graph has beyond the subsets.
#[derive(Debug)]
pub struct Allowance {
    /// The surfaces it belongs to.
    pub versions: &'static [Version],
    /// The type, as named under `components.schemas`.
    pub schema: &'static str,
    /// Where inside the type, as JSON pointer; empty for the type itself.
    pub within: &'static str,
    /// What is added.
    pub addition: Addition,
    /// Where that is known from.
    pub source: &'static str,
}

/// The kinds of addition.
#[derive(Debug)]
pub enum Addition {
    /// A property, with its schema as OpenAPI 3.0 JSON.
    Property {
        /// Name of the property.
        name: &'static str,
        /// Its schema.
        schema: &'static str,
    },
    /// A type derived from this one, whose properties are not known: any are taken.
    Derived {
        /// Full name of the derived type, without `#`.
        name: &'static str,
    },
}

const BOTH: &[Version] = &Version::ALL;
const BETA: &[Version] = &[Version::Beta];
const V1: &[Version] = &[Version::V1];
const STRING: &str = r#"{"type":"string","nullable":true}"#;

const fn property(
    versions: &'static [Version],
    schema: &'static str,
    name: &'static str,
    shape: &'static str,
    source: &'static str,
) -> Allowance {
    Allowance {
        versions,
        schema,
        within: "",
        addition: Addition::Property {
            name,
            schema: shape,
        },
        source,
    }
}

/// The whole table. The sign-in properties of beta that reference §7.1 lists are all in
/// the beta subset (some of them from the published typings), so none stands here.
pub const ALLOWED: &[Allowance] = &[
    property(
        BOTH,
        "microsoft.graph.user",
        "perUserMfaState",
        r#"{"type":"string","enum":["disabled","enabled","enforced"]}"#,
        "reference §2.2: CIPP's Get-CIPPMFAState selects it on the user",
    ),
    property(
        V1,
        "microsoft.graph.security.auditLogQuery",
        "isRecordCountLimitExceeded",
        r#"{"type":"boolean","nullable":true}"#,
        "reference §0.11: the resource's own page, 18 Sep 2026, newer than the metadata of the subset",
    ),
    Allowance {
        versions: BOTH,
        schema: "microsoft.graph.ODataErrors.ODataError",
        within: "/properties/error/properties/innerError",
        addition: Addition::Property {
            name: "message",
            schema: STRING,
        },
        source: "reference §2.3 and §10.1: innerError may repeat the message",
    },
    Allowance {
        versions: BOTH,
        schema: "microsoft.graph.ODataErrors.ODataError",
        within: "/properties/error/properties/innerError",
        addition: Addition::Property {
            name: "code",
            schema: STRING,
        },
        source: "reference §10.1: innerError may repeat the code",
    },
    Allowance {
        versions: BETA,
        schema: "microsoft.graph.authenticationMethod",
        within: "",
        addition: Addition::Derived {
            name: "microsoft.graph.hardwareOathAuthenticationMethod",
        },
        source: "reference §2.2: beta only, absent from the government cloud",
    },
    Allowance {
        versions: BETA,
        schema: "microsoft.graph.authenticationMethod",
        within: "",
        addition: Addition::Derived {
            name: "microsoft.graph.qrCodePinAuthenticationMethod",
        },
        source: "reference §2.2: beta path, absent from the government cloud",
    },
    property(
        BETA,
        "microsoft.graph.fido2AuthenticationMethod",
        "passkeyType",
        STRING,
        "reference §2.2; in the v1.0 subset of the public cloud",
    ),
    property(
        BETA,
        "microsoft.graph.temporaryAccessPassAuthenticationMethod",
        "isUsable",
        r#"{"type":"boolean","nullable":true}"#,
        "reference §2.4; in the v1.0 subset of the public cloud",
    ),
    property(
        BETA,
        "microsoft.graph.temporaryAccessPassAuthenticationMethod",
        "methodUsabilityReason",
        STRING,
        "reference §2.4; in the v1.0 subset of the public cloud",
    ),
    Allowance {
        versions: V1,
        schema: "microsoft.graph.security.auditData",
        within: "",
        addition: Addition::Derived {
            name: "microsoft.graph.security.defaultAuditData",
        },
        source: "reference §7.2: the type that real records carry",
    },
];
