//! The join between sign-ins and audit records.
//!
//! `uniqueTokenIdentifier` is the sign-in's `id` written as unpadded base64url
//! of its sixteen bytes in the order .NET gives them: the first three groups
//! little-endian (reference §7.1). So v1.0 sign-ins, which carry no token id,
//! can be joined to `AppAccessContext.UniqueTokenId` too.

/// The token id of a sign-in id; none if the text is not a GUID.
///
/// ```
/// assert_eq!(
///     retake_hunt::token::token_id("00112233-4455-6677-8899-aabbccddeeff").as_deref(),
///     Some("MyIRAFVEd2aImaq7zN3u_w")
/// );
/// ```
pub fn token_id(sign_in_id: &str) -> Option<String> {
    let groups: Vec<&str> = sign_in_id.trim().split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let digits_only = groups
        .iter()
        .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if !digits_only || lengths != [8, 4, 4, 4, 12] {
        return None;
    }
    let mut bytes = Vec::with_capacity(16);
    for (position, group) in groups.iter().enumerate() {
        let start = bytes.len();
        for pair in group.as_bytes().chunks(2) {
            let text = std::str::from_utf8(pair).ok()?;
            bytes.push(u8::from_str_radix(text, 16).ok()?);
        }
        // .NET writes the first three groups little-endian.
        if position < 3
            && let Some(tail) = bytes.get_mut(start..)
        {
            tail.reverse();
        }
    }
    Some(base64url(&bytes))
}

/// Unpadded base64url; the crate's only use of it, so no dependency.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0u32, |word, byte| (word << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for position in 0..=chunk.len() {
            let index = (word >> (18 - 6 * position)) & 0x3f;
            text.push(char::from(
                ALPHABET.get(index as usize).copied().unwrap_or(b'A'),
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_id_gives_the_token_id_of_its_audit_records() {
        // By hand: 00112233-4455-6677-8899-aabbccddeeff in .NET order is
        // 33 22 11 00 55 44 77 66 88 99 aa bb cc dd ee ff.
        assert_eq!(
            token_id("00112233-4455-6677-8899-aabbccddeeff").as_deref(),
            Some("MyIRAFVEd2aImaq7zN3u_w")
        );
        for text in [
            "",
            "x",
            "00112233-4455-6677-8899-aabbccddeef",
            "0011223g-4455-6677-8899-aabbccddeeff",
            "Directory_1-2-3-4-5",
        ] {
            assert_eq!(token_id(text), None, "{text}");
        }
    }
}
