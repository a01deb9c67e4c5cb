//! Authorization code with PKCE: the person signs in in a browser on this
//! machine, which comes back to a listener on its loopback address (reference §1.3).

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::basic::BasicTokenResponse;
use oauth2::{
    AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use zeroize::Zeroizing;

use super::claims;
use super::person::{Asking, Granted, Http, client, granted, scopes};
use super::token::cut;
use super::wire::Wire;
use crate::call::SIGN_IN;
use crate::edge::{Browser, Entropy, Loopback};
use crate::error::sign_in::Refusal;
use crate::error::{Kind, SignInProblem, TenantError};
use crate::profile::Profile;
use crate::send::within;

/// How long the person may take: as long as for a device code.
const LIFE: Duration = Duration::from_mins(15);

/// What the browser shows at the end.
const DONE: &str = "Signed in. You can close this window and go back to the terminal.";
const REFUSED: &str = "Not signed in. You can close this window; the terminal says why.";
const STRANGER: &str = "This is not the sign-in that was waited for.";

/// Lets the person sign in and waits for them.
pub(super) async fn sign_in(
    profile: &Profile,
    scope: &str,
    asked: Option<&str>,
    browser: &dyn Browser,
    entropy: &dyn Entropy,
    wire: Arc<Wire>,
) -> Result<Granted, TenantError> {
    let tenant = profile.sign_in_tenant();
    let broken = |error: io::Error| {
        TenantError::new(
            Kind::SignIn(SignInProblem::NoBrowser),
            &SIGN_IN,
            tenant,
            format!("this machine cannot wait for its browser: {error}"),
        )
    };
    let mut listener = browser.listen().await.map_err(broken)?;
    // Registered is `http://localhost`; the port is not compared (reference §1.3).
    let redirect =
        RedirectUrl::new(format!("http://localhost:{}", listener.port())).map_err(|_| {
            TenantError::new(
                Kind::BadInput,
                &SIGN_IN,
                tenant,
                "no address to come back to",
            )
        })?;
    let client = client(profile, tenant)?.set_redirect_uri(redirect);
    let verifier = PkceCodeVerifier::new(random(entropy));
    let state = random(entropy);
    let expected = state.clone();
    let (url, _) = client
        .authorize_url(|| CsrfToken::new(state))
        .add_scopes(scopes(scope))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .add_extra_param("response_mode", "query")
        .add_extra_param("prompt", "select_account")
        .add_extra_param("claims", claims::of_a_person(asked))
        .url();
    browser.open(url.as_str());
    let waiting = come_back(listener.as_mut(), &expected);
    let code = match within(&*wire.clock, LIFE, waiting).await {
        Some(Ok(Returned::Code(code))) => code,
        Some(Ok(Returned::Refused(refusal))) => {
            return Err(refusal.into_error(&SIGN_IN, tenant, 400, None));
        }
        Some(Err(error)) => return Err(broken(error)),
        None => {
            return Err(TenantError::new(
                Kind::SignIn(SignInProblem::CodeExpired),
                &SIGN_IN,
                tenant,
                "nobody signed in in the browser",
            ));
        }
    };
    let secrets = [expected, verifier.secret().clone()].map(Zeroizing::new);
    let redeemed = code.clone();
    let asker = Arc::clone(&wire);
    // The token request names the same claims, or the token would not have them.
    let claims = claims::of_a_person(asked);
    let scopes: Vec<Scope> = scopes(scope).into();
    let asking: Asking<BasicTokenResponse> = Box::pin(async move {
        let http = Http(Arc::clone(&asker));
        let scope = scopes
            .iter()
            .map(|scope| scope.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        client
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .set_pkce_verifier(verifier)
            .add_extra_param("scope", scope)
            .add_extra_param("claims", claims)
            .request_async(&http)
            .await
            .ok()
    });
    let token = asking.await;
    let hide = |text: &str| {
        let text = cut(text, redeemed.expose_secret(), "<code>");
        secrets
            .iter()
            .fold(text, |text, secret| cut(&text, secret, "<secret>"))
    };
    granted(tenant, &wire, token).map_err(|error| error.scrubbed(hide))
}

/// What the browser came back with.
enum Returned {
    Code(SecretString),
    Refused(Refusal),
}

/// Waits for the request that carries our state. Whatever else knocks (an icon
/// that the browser wants, another program) is sent away.
async fn come_back(listener: &mut dyn Loopback, expected: &str) -> io::Result<Returned> {
    loop {
        let target = listener.request().await?;
        match read(&target, expected) {
            Some(returned) => {
                let text = match returned {
                    Returned::Code(_) => DONE,
                    Returned::Refused(_) => REFUSED,
                };
                listener.answer(200, text).await;
                return Ok(returned);
            }
            None => listener.answer(400, STRANGER).await,
        }
    }
}

fn read(target: &SecretString, expected: &str) -> Option<Returned> {
    let url = Url::parse("http://localhost")
        .and_then(|base| base.join(target.expose_secret()))
        .ok()?;
    let field = |name: &str| -> Option<Cow<'_, str>> {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    };
    if url.path() != "/" || field("state")? != expected {
        return None;
    }
    if let Some(code) = field("code") {
        return Some(Returned::Code(code.into_owned().into()));
    }
    let said = |name: &str| field(name).map(Cow::into_owned).unwrap_or_default();
    Some(Returned::Refused(Refusal {
        error: field("error")?.into_owned(),
        error_codes: Vec::new(),
        error_description: said("error_description"),
        claims: None,
    }))
}

/// 32 unpredictable bytes as text: 43 letters, which PKCE asks for at least.
fn random(entropy: &dyn Entropy) -> String {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    entropy.fill(&mut *bytes);
    URL_SAFE_NO_PAD.encode(*bytes)
}
