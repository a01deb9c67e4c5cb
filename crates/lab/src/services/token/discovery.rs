//! The documents by which libraries find the endpoints (reference §1.1).

use serde_json::json;

use super::{Ask, base_of, is_tenant, refused};
use crate::services::answer::Answer;

/// `/common/discovery/instance`: the clouds' aliases.
pub(super) fn instance(ask: &Ask<'_>) -> Answer {
    let base = base_of(ask);
    let host = base.trim_start_matches("https://").to_owned();
    let mut aliases = vec![
        String::from("login.microsoftonline.com"),
        String::from("login.windows.net"),
        String::from("login.microsoft.com"),
        String::from("sts.windows.net"),
    ];
    if !aliases.contains(&host) {
        aliases.push(host);
    }
    Answer::json(
        200,
        json!({
            "tenant_discovery_endpoint": format!("{base}/{}/v2.0/.well-known/openid-configuration", ask.world.tenant.id),
            "api-version": "1.1",
            "metadata": [{
                "preferred_network": "login.microsoftonline.com",
                "preferred_cache": "login.windows.net",
                "aliases": aliases,
            }],
        }),
    )
}

/// `/{tenant}/v2.0/.well-known/openid-configuration`.
pub(super) fn openid(ask: &mut Ask<'_>, tenant: &str) -> Answer {
    let now = ask.now;
    if !is_tenant(ask.world, tenant) {
        return refused(90002).answer(ask.world, now);
    }
    let base = base_of(ask);
    // Of the shared endpoints, nobody can say whose tokens they will give.
    let shared = ["common", "organizations"].contains(&tenant);
    let id = if shared {
        "{tenantid}"
    } else {
        &ask.world.tenant.id
    };
    Answer::json(
        200,
        json!({
            "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": format!("{base}/{id}/v2.0"),
            "request_uri_parameter_supported": false,
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
            "device_authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/devicecode"),
            "http_logout_supported": true,
            "frontchannel_logout_supported": true,
            "end_session_endpoint": format!("{base}/{tenant}/oauth2/v2.0/logout"),
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "oid", "tid", "ver", "preferred_username", "name", "nonce"],
            "tenant_region_scope": if shared { None } else { Some("EU") },
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
            "rbac_url": "https://pas.windows.net",
        }),
    )
}
