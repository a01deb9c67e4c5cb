//! What the token service's refusals mean (reference §1.3, AADSTS codes).

use serde::Deserialize;

use super::{Kind, SignInProblem, TenantError};
use crate::call::CallSpec;

/// A refusal of the token service. Branch on the codes: its description changes.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Refusal {
    #[serde(default)]
    pub(crate) error: String,
    #[serde(default)]
    pub(crate) error_codes: Vec<u64>,
    #[serde(default)]
    pub(crate) error_description: String,
}

impl Refusal {
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(body)
            .ok()
            .filter(|refusal| !refusal.error.is_empty())
    }

    /// The AADSTS number, from the list or, failing that, from the description.
    fn code(&self) -> Option<u64> {
        self.error_codes.first().copied().or_else(|| {
            let (_, after) = self.error_description.split_once("AADSTS")?;
            let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
    }

    pub(crate) fn into_error(
        self,
        call: &'static CallSpec,
        target: &str,
        status: u16,
    ) -> TenantError {
        let code = self.code();
        let kind = match status {
            429 => Kind::Throttled,
            500.. => Kind::Server {
                effect_unknown: false,
            },
            _ => Kind::SignIn(problem(&self.error, code)),
        };
        // Trace ids and times follow the first line; they help nobody here.
        let description = self
            .error_description
            .split(" Trace ID:")
            .next()
            .and_then(|text| text.lines().next())
            .unwrap_or_default();
        let code = code.map_or(self.error.clone(), |code| format!("AADSTS{code}"));
        TenantError::new(kind, call, target, description).with_code(Some(&code))
    }
}

fn problem(error: &str, code: Option<u64>) -> SignInProblem {
    use SignInProblem as P;
    match code {
        Some(7_000_215 | 70_002 | 7_000_216 | 50_012) => P::BadSecret,
        Some(7_000_222) => P::ExpiredSecret,
        Some(90_002 | 900_023) => P::TenantNotFound,
        Some(700_016 | 700_011) => P::AppNotFound,
        Some(7_000_112 | 70_001 | 1_000_031) => P::AppDisabled,
        Some(65_001 | 65_004 | 90_094) => P::ConsentMissing,
        Some(500_011 | 50_001 | 650_057 | 650_052) => P::ResourceNotFound,
        Some(
            53_000..=53_003
            | 530_032
            | 530_034
            | 530_035
            | 53_011
            | 50_072
            | 50_074
            | 50_076
            | 50_078
            | 50_079
            | 50_097
            | 50_131
            | 50_158,
        ) => P::ConditionalAccess,
        Some(
            50_057 | 50_173 | 50_132 | 50_133 | 50_055 | 50_144 | 70_000 | 70_008 | 700_082
            | 70_043 | 700_084 | 50_089,
        ) => P::SessionEnded,
        Some(7_000_218) => P::NotAPublicClient,
        Some(70_016 | 70_018 | 70_019) => P::CodeExpired,
        _ => match error {
            "authorization_declined" | "access_denied" => P::Declined,
            // Pending is only seen here after we gave up waiting.
            "expired_token" | "bad_verification_code" | "authorization_pending" | "slow_down" => {
                P::CodeExpired
            }
            "unauthorized_client" => P::AppNotFound,
            _ => P::Other,
        },
    }
}
