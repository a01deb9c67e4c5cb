//! What the token service's refusals mean (reference §1.3, AADSTS codes).

use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;

use super::{Kind, TenantError};
use crate::call::CallSpec;

/// From this difference on a clock is called wrong. Token services forgive
/// some minutes; nobody documents how many.
const WRONG_CLOCK: Duration = Duration::from_mins(2);

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident [$($code:literal)*] $words:literal, $hint:literal;)*) => {
        /// Why nobody could be signed in (reference §1.3, AADSTS codes).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum SignInProblem {
            $($(#[$doc])* $name,)*
        }

        impl SignInProblem {
            /// Every problem.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The AADSTS codes that mean it.
            pub const fn codes(self) -> &'static [u64] {
                match self { $(Self::$name => &[$($code),*],)* }
            }

            /// What happened.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }

            /// What to do next.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }
        }
    };
}

problems! {
    /// The client secret is wrong.
    BadSecret [7_000_215 70_002 7_000_216]
        "the client secret is wrong",
        "Take the secret's value, not its id, and check that it belongs to this app.";
    /// The client secret has expired.
    ExpiredSecret [7_000_222]
        "the client secret has expired",
        "Make a new secret on the app registration, or sign in with a certificate.";
    /// The assertion's signature is not that of a certificate of the app.
    BadSignature [700_027]
        "the certificate is not one of the app's, or no longer valid",
        "Upload this certificate to the app registration, or name the file of the one that is there; an expired one needs a successor.";
    /// The assertion or federated token is not taken.
    BadAssertion [50_012 50_013 50_027 500_133 700_024 700_021 700_211 700_212 700_213]
        "the assertion is not taken: it is out of its time, or not for this app",
        "Check this machine's clock; for a workload identity also the issuer, subject and audience of the federated credential on the app registration.";
    /// This machine's clock is wrong.
    ClockSkew []
        "this machine's clock is wrong",
        "Set the clock (time synchronisation), then run the same command again. A wrong clock would also put wrong times into the record of the case.";
    /// There is no such tenant.
    TenantNotFound [90_002 900_023]
        "there is no such tenant in this cloud",
        "Check the tenant id and the cloud of the profile.";
    /// The app is not in the tenant.
    AppNotFound [700_016 700_011]
        "the app is not in this tenant",
        "Check the client id, or have an administrator of the tenant consent to the app.";
    /// The app is disabled.
    AppDisabled [7_000_112 70_001 1_000_031]
        "the app is disabled in this tenant",
        "An administrator must enable the app again. If nobody of yours disabled it, ask who did.";
    /// A single-tenant app asked at a common address.
    SingleTenantApp [50_194]
        "the app is of a single tenant, and another was asked",
        "Put the tenant id into the profile; for partner access the app registration must allow accounts of other organisations.";
    /// Nobody consented to what the app asks for.
    ConsentMissing [65_001 65_004 90_094]
        "nobody consented to the app's permissions",
        "An administrator must grant admin consent.";
    /// The service that the token is for is not in the tenant.
    ResourceNotFound [500_011 50_001 650_057 650_052]
        "the service is not in this tenant, or the app asks for none of its permissions",
        "Without an Exchange licence there is no Exchange. Else add a permission of the service to the app registration.";
    /// Multi-factor proof is missing or too old.
    MfaNeeded [50_072 50_074 50_076 50_078 50_079]
        "multi-factor proof is missing or too old",
        "A person must sign in again and prove it; without a registered method, register one first.";
    /// A conditional access policy stands in the way.
    ConditionalAccess [53_000 53_001 53_002 53_003 530_032 530_035 50_131 50_158]
        "a conditional access policy or the security defaults stand in the way",
        "Sign in from an allowed device or address, or have the responder's app or account excluded from the policy.";
    /// The device is not known, or disabled.
    DeviceRefused [50_097 135_011 130_007]
        "the device is not registered, or is disabled",
        "Use a device that the tenant knows and allows, or device code from one.";
    /// Blocked for risk.
    RiskBlocked [53_011 530_034]
        "the person is blocked for risk in their home tenant",
        "Do not respond with an account that is itself suspected: take another responder, and look into this one.";
    /// The responder's account is disabled.
    AccountDisabled [50_057]
        "the account that signs in is disabled",
        "Take another responder's account, or have this one enabled again.";
    /// The responder's account is locked, or the address is blocked.
    Locked [50_053]
        "the account is locked, or the address is blocked as malicious",
        "The sign-in log's failure reason tells which of the two. Wait, or sign in from another network.";
    /// The password must be changed first.
    PasswordChange [50_055 50_144 50_135]
        "the password has expired or must be changed",
        "Change the password in a browser, then sign in again.";
    /// Wrong name or password.
    WrongPassword [50_126 50_034 51_004]
        "the user name or password is wrong, or the user is not in this directory",
        "Check the account and its tenant, then sign in again.";
    /// The account is a foreign one that may not enter.
    ForeignAccount [50_020 90_072 50_105]
        "the account is not of this tenant, or not assigned to the app",
        "Sign in with an account of the tenant; for partner access set `partner_of`, and check the delegated administration relationship and its group.";
    /// The session was ended.
    SessionEnded [50_173 50_132 50_133 70_000 70_008 700_082 70_043 700_084 50_089]
        "the session has ended: revoked, expired, or the password changed",
        "A person must sign in again. If nobody of yours ended the session, ask who did.";
    /// The person said no.
    Declined [70_020]
        "the person declined",
        "Start again if that was a mistake.";
    /// The code was not entered in time.
    CodeExpired [70_016 70_018 70_019]
        "the sign-in was not finished in time, or the code was wrong",
        "Start again for a new one.";
    /// The code of the browser cannot be exchanged.
    CodeSpoiled [50_147 501_481 54_005]
        "the code of the browser does not fit, or was used already",
        "Start again. If it happens twice, another program on this machine takes the codes: look into that first.";
    /// The way back to this machine is not registered.
    RedirectNotRegistered [50_011 500_113]
        "the app registration does not know the way back to this machine",
        "Add `http://localhost` as a redirect address of the platform `Mobile and desktop applications`.";
    /// The app must be allowed to be a public client.
    NotAPublicClient [7_000_218]
        "the app registration wants a secret of a person's sign-in",
        "Set `Allow public client flows` on the app registration.";
    /// A public client sent a secret.
    PublicClient [700_025]
        "the app registration is a public client and was sent a secret or certificate",
        "Leave the secret or certificate out of the profile, or use another app registration.";
    /// Too many equal requests.
    Loop [50_196]
        "too many equal requests",
        "Wait some minutes. If it happens again, report it: the program must keep its tokens.";
    /// There is no managed identity here.
    NoManagedIdentity []
        "this machine has no managed identity to give",
        "Run it on a machine in Azure that has one, name a user-assigned identity with `identity`, or sign in another way.";
    /// The token file of a workload identity is not there.
    NoTokenFile []
        "the token file of the workload identity cannot be used",
        "Correct `token_file` in the profile, or AZURE_FEDERATED_TOKEN_FILE; the platform writes the file and renews it.";
    /// The Azure command line is not there.
    NoAzureCli []
        "the Azure command line is not installed",
        "Install it, or sign in another way.";
    /// Nobody is signed in to the Azure command line, or not to this tenant.
    AzureCliSignedOut []
        "the Azure command line has no usable session for this tenant",
        "Run `az login --tenant TENANT` as the responder, then the same command again.";
    /// There is no browser to sign in with.
    NoBrowser []
        "no browser of this machine can be used",
        "Sign in with `device-code` instead.";
    /// Something else; the code says what.
    Other []
        "the code says why",
        "Look the code up in Microsoft's list of AADSTS codes.";
}

impl SignInProblem {
    /// Whether only a person can get on: by signing in again, with a proof, a
    /// new password or another account.
    pub const fn needs_a_person(self) -> bool {
        matches!(
            self,
            Self::MfaNeeded
                | Self::SessionEnded
                | Self::PasswordChange
                | Self::CodeExpired
                | Self::CodeSpoiled
                | Self::AzureCliSignedOut
        )
    }

    /// What an AADSTS code means; [`SignInProblem::Other`] for one that is not known.
    pub fn of_code(code: u64) -> Self {
        Self::ALL
            .iter()
            .copied()
            .find(|problem| problem.codes().contains(&code))
            .unwrap_or(Self::Other)
    }
}

/// A refusal of the token service. Branch on the codes: its description changes.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Refusal {
    #[serde(default)]
    pub(crate) error: String,
    #[serde(default)]
    pub(crate) error_codes: Vec<u64>,
    #[serde(default)]
    pub(crate) error_description: String,
    /// What the next sign-in must satisfy (UNCONFIRMED that it comes).
    #[serde(default)]
    pub(crate) claims: Option<String>,
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

    /// The error that it amounts to. `skew` is the service's clock less ours.
    pub(crate) fn into_error(
        self,
        call: &'static CallSpec,
        target: &str,
        status: u16,
        skew: Option<SignedDuration>,
    ) -> TenantError {
        let code = self.code();
        let mut problem = problem(&self.error, code);
        // Trace ids and times follow the first line; they help nobody here.
        let description = self
            .error_description
            .split(" Trace ID:")
            .next()
            .and_then(|text| text.lines().next())
            .unwrap_or_default();
        let code = code.map_or(self.error.clone(), |code| format!("AADSTS{code}"));
        let description = description
            .strip_prefix(code.as_str())
            .map_or(description, |rest| rest.trim_start_matches([':', ' ']));
        let timed = matches!(
            problem,
            SignInProblem::BadAssertion | SignInProblem::BadSignature
        );
        let clock = skew.filter(|_| timed).and_then(wrong_clock);
        if clock.is_some() {
            problem = SignInProblem::ClockSkew;
        }
        let kind = match status {
            429 => Kind::Throttled,
            500.. => Kind::Server {
                effect_unknown: false,
            },
            _ => Kind::SignIn(problem),
        };
        let words = clock.unwrap_or_else(|| problem.words().to_owned());
        let message = match (&kind, description.is_empty()) {
            (Kind::SignIn(_), false) => format!("{words}: {description}"),
            (Kind::SignIn(_), true) => words,
            _ => description.to_owned(),
        };
        TenantError::new(kind, call, target, message).with_code(Some(&code))
    }
}

/// The words for a difference that matters; `skew` is the service's clock less ours.
pub(crate) fn wrong_clock(skew: SignedDuration) -> Option<String> {
    (skew.unsigned_abs() >= WRONG_CLOCK).then(|| clock_words(skew))
}

/// By how much this machine's clock is wrong; `skew` is the service's less ours.
fn clock_words(skew: SignedDuration) -> String {
    let seconds = skew.unsigned_abs().as_secs();
    let (minutes, rest) = (seconds / 60, seconds % 60);
    let way = if skew.is_negative() {
        "ahead of"
    } else {
        "behind"
    };
    let amount = match (minutes, rest) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    };
    format!("this machine's clock is {amount} {way} the token service's")
}

fn problem(error: &str, code: Option<u64>) -> SignInProblem {
    use SignInProblem as P;
    match code.map(P::of_code) {
        Some(known) if known != P::Other => known,
        _ => match error {
            "authorization_declined" | "access_denied" => P::Declined,
            // Pending is only seen here after we gave up waiting.
            "expired_token" | "bad_verification_code" | "authorization_pending" | "slow_down" => {
                P::CodeExpired
            }
            "unauthorized_client" => P::AppNotFound,
            "consent_required" => P::ConsentMissing,
            "interaction_required" | "login_required" => P::MfaNeeded,
            "invalid_grant" => P::SessionEnded,
            _ => P::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference §1.3, all rows of its table.
    const TABLE: &[u64] = &[
        50_057, 50_173, 50_132, 50_133, 50_055, 50_144, 50_126, 50_034, 51_004, 50_053, 50_072,
        50_074, 50_076, 50_078, 50_079, 50_135, 53_000, 53_001, 53_002, 53_003, 530_035, 53_011,
        530_034, 65_001, 65_004, 70_000, 70_001, 700_011, 70_002, 50_012, 50_013, 500_133, 50_027,
        500_011, 50_001, 650_057, 50_194, 50_196, 700_016, 700_082, 70_043, 7_000_215, 7_000_222,
        90_002, 90_094, 70_008, 700_084, 50_089, 700_027, 700_025, 7_000_218, 7_000_112, 1_000_031,
        50_097, 135_011, 130_007, 50_158, 530_032, 50_131, 50_020, 90_072, 50_105, 70_016, 70_018,
        70_019, 50_147, 501_481, 54_005,
    ];

    #[test]
    fn every_code_of_the_reference_has_a_meaning_and_stands_once() {
        for code in TABLE {
            assert_ne!(
                SignInProblem::of_code(*code),
                SignInProblem::Other,
                "{code}"
            );
        }
        let all: Vec<u64> = SignInProblem::ALL
            .iter()
            .flat_map(|problem| problem.codes())
            .copied()
            .collect();
        for (index, code) in all.iter().enumerate() {
            assert!(!all[index + 1..].contains(code), "{code} stands twice");
        }
    }

    #[test]
    fn words_say_what_happened_and_hints_what_to_do() {
        for problem in SignInProblem::ALL {
            let (words, hint) = (problem.words(), problem.hint());
            assert!(words.starts_with(char::is_lowercase), "{words}");
            assert!(!words.ends_with('.'), "{words}");
            assert!(hint.starts_with(char::is_uppercase), "{hint}");
            assert!(hint.ends_with('.'), "{hint}");
        }
    }

    #[test]
    fn a_wrong_clock_is_named_with_its_amount() {
        let minutes = SignedDuration::from_mins;
        assert_eq!(
            clock_words(minutes(10)),
            "this machine's clock is 10 min behind the token service's"
        );
        assert_eq!(
            clock_words(-minutes(10) - SignedDuration::from_secs(3)),
            "this machine's clock is 10 min 3 s ahead of the token service's"
        );
        let refusal = |code: u64| Refusal {
            error: "invalid_client".into(),
            error_codes: vec![code],
            error_description: format!("AADSTS{code}: Out of time."),
            claims: None,
        };
        let kind = |code, skew| refusal(code).into_error(&crate::call::SIGN_IN, "t", 401, skew);
        for code in [700_024, 50_013, 500_133, 50_027, 700_027] {
            let error = kind(code, Some(minutes(10)));
            assert_eq!(error.kind, Kind::SignIn(SignInProblem::ClockSkew));
            assert!(error.message.contains("10 min behind"), "{error}");
        }
        // A wrong secret stays a wrong secret, whatever the clock says.
        let error = kind(7_000_215, Some(minutes(10)));
        assert_eq!(error.kind, Kind::SignIn(SignInProblem::BadSecret));
        // Without a difference it is the assertion.
        for skew in [None, Some(SignedDuration::from_secs(30))] {
            let error = kind(700_024, skew);
            assert_eq!(error.kind, Kind::SignIn(SignInProblem::BadAssertion));
        }
    }
}
