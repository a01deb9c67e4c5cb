//! Claims: what a service wants the next token to satisfy, and what this
//! client declares (reference §1.4).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use http::{HeaderMap, header};
use serde_json::{Map, Value, json};

/// The claims that a 401 asks for, decoded. Only a challenge of the scheme
/// `Bearer` counts: others stand beside it in the same header.
pub(crate) fn asked_for(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(challenges)
        .filter(|challenge| challenge.scheme.eq_ignore_ascii_case("Bearer"))
        .find_map(|challenge| decode(challenge.parameter("claims")?))
}

/// The `claims` of a token request of a person: what was asked for, together
/// with the declaration that this client understands such challenges (cp1).
pub(super) fn of_a_person(asked: Option<&str>) -> String {
    let mut claims = asked
        .and_then(|asked| serde_json::from_str::<Map<String, Value>>(asked).ok())
        .unwrap_or_default();
    let token = claims.entry("access_token").or_insert_with(|| json!({}));
    if !token.is_object() {
        *token = json!({});
    }
    token["xms_cc"] = json!({"values": ["cp1"]});
    Value::Object(claims).to_string()
}

/// One challenge of a header.
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    fn parameter(&self, name: &str) -> Option<&str> {
        let mut found = self.parameters.iter();
        found
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A header's challenges. Where services leave the grammar (addresses without
/// quotes, no comma), what can be meant is taken.
fn challenges(header: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return found;
        }
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let Some(value) = after.trim_start_matches([' ', '\t']).strip_prefix('=') else {
            found.push(Challenge {
                scheme: word.to_owned(),
                parameters: Vec::new(),
            });
            rest = after;
            continue;
        };
        let value = value.trim_start_matches([' ', '\t']);
        let (value, next) = if let Some(quoted) = value.strip_prefix('"') {
            quoted_text(quoted)
        } else {
            let end = value.find([' ', '\t', ',']).unwrap_or(value.len());
            (value[..end].to_owned(), &value[end..])
        };
        rest = next;
        if let Some(challenge) = found.last_mut() {
            challenge.parameters.push((word.to_owned(), value));
        }
    }
}

/// A quoted text up to its closing quote, and what follows.
fn quoted_text(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            letter => value.push(letter),
        }
    }
    (value, "")
}

/// Base64 of a JSON object, in whichever of its spellings.
fn decode(encoded: &str) -> Option<String> {
    let bytes = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|spelling| spelling.decode(encoded).ok())?;
    let text = String::from_utf8(bytes).ok()?;
    serde_json::from_str::<Map<String, Value>>(&text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn asked(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_str(line).unwrap(),
            );
        }
        asked_for(&headers)
    }

    #[test]
    fn claims_are_found_however_the_challenge_is_written() {
        // {"a":1}
        for lines in [
            // As captured: an address without quotes, an empty realm (reference §1.4).
            &[
                r#"Bearer realm="", authorization_uri=https://login.example/common/oauth2/authorize, client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", claims="eyJhIjoxfQ==", errorDescription="Continuous access evaluation resulted in claims challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp""#,
            ][..],
            &[r#"Bearer claims="eyJhIjoxfQ==", error="insufficient_claims", realm="""#],
            &[
                r#"PoP realm="x", nonce="abc=", Bearer claims=eyJhIjoxfQ, error="insufficient_claims""#,
            ],
            &[
                r#"bearer error=insufficient_claims,claims=eyJhIjoxfQ==,authorization_uri="https://login.example/""#,
            ],
            &[
                r#"PoP nonce="q", error="invalid_token", claims="eyJiIjoyfQ==""#,
                r#"Bearer error="insufficient_claims", claims="eyJhIjoxfQ==""#,
            ],
            &[
                r#"Bearer error_description="she said \"claims=x\", and left", claims = "eyJhIjoxfQ==""#,
            ],
            &[
                r#"Basic realm="a", Negotiate, Bearer error="insufficient_claims" claims="eyJhIjoxfQ==""#,
            ],
        ] {
            assert_eq!(asked(lines).as_deref(), Some(r#"{"a":1}"#), "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_bearer_challenge_or_no_claims_is_not_taken() {
        for line in [
            r#"Bearer realm="", error="invalid_token", error_description="The token has expired.""#,
            r#"PoP nonce="q", claims="eyJhIjoxfQ==""#,
            r#"Bearer claims="not base64!""#,
            r#"Bearer claims="MTI=""#,
            r#"Bearer error_description="claims=eyJhIjoxfQ==""#,
            r#"claims="eyJhIjoxfQ==""#,
            "",
            "Bearer",
            "Bearer =",
            "Bearer claims=\"eyJhIjoxfQ",
            "=,=,\"",
        ] {
            // An unclosed quote at the end is the one thing that is forgiven.
            let expected = line
                .ends_with("eyJhIjoxfQ")
                .then(|| r#"{"a":1}"#.to_owned());
            assert_eq!(asked(&[line]), expected, "{line}");
        }
    }

    #[test]
    fn the_declaration_joins_what_was_asked_for() {
        assert_eq!(
            of_a_person(None),
            r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#
        );
        let both: Value = serde_json::from_str(&of_a_person(Some(
            r#"{"access_token":{"nbf":{"essential":true,"value":"17"}},"id_token":{"x":null}}"#,
        )))
        .unwrap();
        assert_eq!(
            both,
            json!({"access_token": {"nbf": {"essential": true, "value": "17"},
                "xms_cc": {"values": ["cp1"]}}, "id_token": {"x": null}})
        );
    }
}
