//! Which words are the protocol's, which keys hold secrets, which hold what people wrote.

use std::collections::HashSet;
use std::sync::LazyLock;

const PUBLIC: [&str; 12] = [
    "00000000-0000-0000-0000-000000000000",
    "62e90394-69f5-4237-9190-012177145e10",
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "c4e39bd9-1100-46d3-8c65-fb160da0071f",
    "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "31392ffb-586c-42d1-9346-e59415a2cc4e",
    "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "158c047a-c907-4556-b7ef-446551a6b5f7",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f",
    "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
];

const WHOLE: [&str; 16] = [
    "code",
    "pin",
    "otp",
    "cookie",
    "setcookie",
    "authorization",
    "claims",
    "assertion",
    "privatekey",
    "recoverykey",
    "keymaterial",
    "usercode",
    "devicecode",
    "codeverifier",
    "codechallenge",
    "passcode",
];

const PARTS: [&str; 6] = [
    "password",
    "secret",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "clientassertion",
];

const ENDS: [&str; 25] = [
    "contains",
    "containswords",
    "searchquery",
    "name",
    "subject",
    "preview",
    "nickname",
    "agent",
    "city",
    "street",
    "department",
    "title",
    "office",
    "officelocation",
    "alias",
    "phone",
    "phones",
    "phonenumber",
    "content",
    "comment",
    "notes",
    "displayname",
    "givenname",
    "folderpath",
    "label",
];

/// The words of which names of properties, values of enumerations, paths and messages of the
/// services are made. A word is here because a service says it, and not if it is also somebody's
/// name, but for a handful that the services cannot do without (a test holds that and names them).
static WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("words.txt").lines().collect());

/// Ids that Microsoft publishes: its own apps and the templates of directory roles.
pub(super) fn is_public_id(guid: &str) -> bool {
    PUBLIC.contains(&guid) || guid.ends_with("-0000-0000-c000-000000000000")
}

/// Whether a text is made of protocol words, short numbers and punctuation alone.
pub(super) fn are_protocol_words(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let groups = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .count();
    // `v1.0` and `OAuth2`, but neither an address nor a day, alone or in a sentence.
    let number = !text.bytes().any(|b| b.is_ascii_alphabetic()) && text.len() > 4;
    text.is_ascii()
        && text.len() <= 400
        && digits <= 4
        && groups <= 2
        && !number
        && text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|token| !token.is_empty())
            .all(is_protocol_word)
}

/// Whether an identifier is made of protocol words: `riskLevelAggregated`, `v1`, `MailItemsAccessed`.
pub(super) fn is_protocol_word(token: &str) -> bool {
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    if digits == token.len() {
        return digits <= 4;
    }
    digits <= 4
        && segments(token).all(|segment| segment.len() < 2 || WORDS.contains(segment.as_str()))
}

/// The words of an identifier, in lower case: at digits, at capitals, `OAuth2` being `oauth`.
fn segments(token: &str) -> impl Iterator<Item = String> {
    let whole = token.to_ascii_lowercase();
    let letters: String = whole.chars().filter(char::is_ascii_alphabetic).collect();
    if WORDS.contains(letters.as_str()) {
        return vec![letters].into_iter();
    }
    let mut all = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = token.chars().collect();
    for (index, c) in chars.iter().enumerate() {
        let next_small = chars.get(index + 1).is_some_and(char::is_ascii_lowercase);
        let before_small = index > 0 && chars[index - 1].is_ascii_lowercase();
        if c.is_ascii_digit() || (c.is_ascii_uppercase() && (before_small || next_small)) {
            all.push(std::mem::take(&mut word));
        }
        if c.is_ascii_alphabetic() {
            word.push(c.to_ascii_lowercase());
        }
    }
    all.push(word);
    all.retain(|word| !word.is_empty());
    // Single letters in a row would spell anything.
    if all.iter().filter(|word| word.len() == 1).count() > 2 {
        return vec![whole].into_iter();
    }
    all.into_iter()
}

/// Whether a key holds a secret, in whatever spelling.
pub(super) fn is_secret(key: &str) -> bool {
    let key: String = key
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    // The codes of errors and types of assertions are no secrets, nor is what is said about a password.
    if key == "code"
        || key.ends_with("type")
        || key.ends_with("datetime")
        || key.ends_with("policies")
        || key.ends_with("lifetime")
    {
        return false;
    }
    WHOLE.contains(&key.as_str())
        || PARTS.iter().any(|part| key.contains(part))
        || (key.ends_with("token") && !key.ends_with("skiptoken"))
}

/// Whether a key holds what people chose or wrote, which is replaced even if it is made of
/// protocol words.
pub(super) fn is_free_text(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    // A cmdlet's and a type's name are the protocol's.
    !matches!(
        key.as_str(),
        "cmdletname" | "@odata.type" | "loggedbyservice" | "servicename"
    ) && ENDS.iter().any(|end| key.ends_with(end))
        && !key.ends_with("principalname")
        && !key.ends_with("username")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_words_stay_and_peoples_do_not() {
        for text in [
            "v1.0",
            "riskLevelAggregated",
            "Authorization_RequestDenied",
            "#microsoft.graph.phoneAuthenticationMethod",
            "Insufficient privileges to complete the operation.",
            "MailItemsAccessed",
            "oauth2PermissionGrants",
            "New-InboxRule",
        ] {
            assert!(are_protocol_words(text), "{text}");
        }
        for text in [
            "Kim Park",
            "Zanzibar",
            "kim.park",
            "s3cr3tv4lue",
            "MöwenWeg",
            "203.0.113.77",
            "sign in from 203.0.113.77",
            "2031-03-07",
        ] {
            assert!(!are_protocol_words(text), "{text}");
        }
    }

    /// Names that are words of the services, too: `OAuth2PermissionGrant`, `markAsRead`,
    /// `$skip`, `sid`. docs/tape-format.md says that such a name stays.
    const BOTH: [&str; 8] = ["grant", "mark", "max", "may", "page", "case", "skip", "sid"];

    /// Given names that are common somewhere, and surnames that are words elsewhere.
    const COMMON: &str = "aaron abdul adam agnes ahmed aisha alan albert alex alice ali amanda amy ana anders \
        andrea andrew angela anna anne anthony antonio art arthur ashley barbara ben bernd beth bill bob brenda \
        brian camila carl carlos carol case charles chen chiara chloe chris christian claire clara claudia cliff \
        dale dan daniel david dawn dean deepak diana diego dirk dmitri don donald dorothy drew edward elena elias \
        elif elizabeth ella emily emma eric erik eva eve faith fatima fernando francesco frank fred gabriel george \
        giulia gloria grace grant gregor guy hank hanna hans harry hassan heather heidi helen henry hiroshi hope \
        ian ibrahim ida ines ingrid irina iris isabel ivan jack jacob james jan jane jean jennifer jesus jim joan \
        joe john jordan jose joy juan julia karen karim katharina keith ken kevin kim klaus kumar lance lars laura \
        lee leila leon lily linda lisa louise lucas lucy luis mai marco margaret maria mariam mario mark martin \
        mary mateusz matthew max may mehmet melissa mia michael miguel mike miles ming mohamed monika nancy nasser \
        nick nicole nina noah noor olivia omar oscar pablo page pat patricia paul pearl pedro peter petra phil \
        pierre priya rachel rahul ralf ray raymond rebecca rich richard rita rob robert robin roger ronald rosa \
        rose roy ruth ryan sally sam samir samuel sandra sara scott sergei sharon sid sven skip sofia sophie stefan \
        stephen steve sue summer susan tariq ted teresa thomas tim tom tony uwe vanessa victor virginia wade walter \
        ward wayne wei wendy wilhelm will william xavier yan yasmin yuki yusuf zhang zoe zofia";

    #[test]
    fn no_word_of_the_protocol_is_somebodys_name_but_for_those_that_are_both() {
        let names = COMMON
            .split_whitespace()
            .map(str::to_owned)
            .chain(retake_lab::names_of_people().map(str::to_lowercase));
        let mut found: Vec<String> = names.filter(|name| WORDS.contains(name.as_str())).collect();
        found.sort();
        found.dedup();
        let mut both = BOTH.map(str::to_owned);
        both.sort();
        assert_eq!(found, both, "a name stays on a tape that is in words.txt");
    }

    #[test]
    fn a_key_that_holds_a_secret_is_known_in_every_spelling() {
        for key in [
            "access_token",
            "accessToken",
            "client_secret",
            "newPassword",
            "temporaryAccessPassword",
            "Set-Cookie",
            "client_assertion",
            "secretText",
            "user_code",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in [
            "code",
            "token_type",
            "client_assertion_type",
            "lastPasswordChangeDateTime",
            "passwordPolicies",
        ] {
            assert!(!is_secret(key), "{key}");
        }
    }
}
