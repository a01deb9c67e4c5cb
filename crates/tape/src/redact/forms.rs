//! Replacements that keep the form of what they replace.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};
use retake_tenant::edge::Entropy;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::words::{are_protocol_words, is_protocol_word, is_public_id};

/// From here on a text without a form of its own counts as an opaque identifier.
const OPAQUE: usize = 16;

/// How many IPv4 addresses there are for replacements: more than a tape can hold.
const ADDRESSES: u32 = 0x0f00_0000;

/// The key, the shift, and what has to be looked up.
pub(super) struct Forms {
    key: Zeroizing<[u8; 32]>,
    weeks: i64,
    /// IPv4 addresses that were given out: too few to be left to chance.
    v4: HashMap<Ipv4Addr, Ipv4Addr>,
}

impl Forms {
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(&mut *key);
        let mut shift = [0; 2];
        entropy.fill(&mut shift);
        // One to ten years back, in whole weeks: weekdays and hours stay what they were.
        let weeks = 52 + i64::from(u16::from_le_bytes(shift) % 469);
        Self {
            key,
            weeks,
            v4: HashMap::new(),
        }
    }

    /// Whatever form a text has.
    pub(super) fn text(&mut self, text: &str) -> String {
        if text.is_empty() || text == super::REDACTED {
            return text.to_owned();
        }
        if let Some(known) = self.known_form(text) {
            return known;
        }
        if are_protocol_words(text) {
            return text.to_owned();
        }
        // How Exchange writes recipients: `"Name" [SMTP:address]`.
        if let Some((name, address)) = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(|rest| rest.split_once("\" ["))
        {
            return format!("\"{}\" [{}]", self.free(name), self.text(address));
        }
        // `mailbox\rule`, `folder/item`, and prefixes such as `SMTP:`.
        for separator in ['\\', ';'] {
            if text.contains(separator) {
                let parts: Vec<String> =
                    text.split(separator).map(|part| self.text(part)).collect();
                return parts.join(&separator.to_string());
            }
        }
        if let Some((prefix, rest)) = text.split_once(':')
            && is_protocol_word(prefix)
            && !rest.starts_with("//")
            && !rest.contains(char::is_whitespace)
        {
            return format!("{prefix}:{}", self.text(rest));
        }
        // How Exchange names a folder: whose mailbox, and the folder's id or path in it.
        if let Some((mailbox, folder)) = text.split_once(':')
            && !folder.is_empty()
            && let Some(mailbox) = self.guid(mailbox).or_else(|| self.mail_address(mailbox))
        {
            return format!("{mailbox}:{}", self.text(folder));
        }
        let opaque = text.len() >= OPAQUE
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_=+/.!~".contains(&b));
        if opaque {
            self.opaque(text)
        } else {
            self.free(text)
        }
    }

    /// A text of several words, of which those of the protocol stay.
    pub(super) fn words(&mut self, text: &str) -> String {
        let mut out = String::new();
        for token in text.split_inclusive(char::is_whitespace) {
            let trimmed = token.trim_end();
            let core = trimmed.trim_matches(|c: char| "'\"`.,;:()<>[]".contains(c));
            let start = trimmed.find(core).unwrap_or(0);
            out.push_str(&trimmed[..start]);
            if !core.is_empty() {
                let core = if aadsts(core) {
                    core.to_owned()
                } else {
                    self.text(core)
                };
                out.push_str(&core);
            }
            out.push_str(&trimmed[start + core.len()..]);
            out.push_str(&token[trimmed.len()..]);
        }
        out
    }

    /// What people wrote: a form is kept, words are not.
    pub(super) fn free(&mut self, text: &str) -> String {
        if text.is_empty() || text == super::REDACTED {
            return text.to_owned();
        }
        if let Some(known) = self.known_form(text) {
            return known;
        }
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        if digits >= 4 && letters == 0 && text.is_ascii() {
            return self.digits(text);
        }
        self.word(text)
    }

    /// GUIDs, days, addresses, URLs, domains and numbers; `None` for everything else.
    fn known_form(&mut self, text: &str) -> Option<String> {
        if let Some(guid) = self.guid(text) {
            return Some(guid);
        }
        if let Some(shifted) = self.day_shifted(text) {
            return Some(shifted);
        }
        if let Some(address) = self.network(text) {
            return Some(address);
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return Some(if text.len() <= 4 {
                text.to_owned()
            } else {
                self.digits(text)
            });
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            return Some(self.absolute_url(text));
        }
        if let Some(address) = self.mail_address(text) {
            return Some(address);
        }
        if is_domain(text) && !are_protocol_words(text) {
            return Some(self.domain(text));
        }
        None
    }

    /// A key: the services' own stay, whatever they are; the tenant's are replaced.
    pub(super) fn key(&mut self, key: &str, private: bool) -> String {
        let plain = !key.is_empty()
            && key.len() <= 80
            && key.is_ascii()
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_@.#$-".contains(&b))
            && !key
                .split(|c: char| !c.is_ascii_hexdigit())
                .any(|run| run.len() >= 12)
            && key.bytes().filter(u8::is_ascii_digit).count() <= 4
            && !key.to_ascii_lowercase().starts_with("extension_")
            && self.known_form(key.trim_start_matches('@')).is_none();
        if are_protocol_words(key) || (plain && !private) {
            key.to_owned()
        } else {
            self.word(key)
        }
    }

    fn guid(&self, text: &str) -> Option<String> {
        let (open, inner, close) = match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
            Some(inner) => ("{", inner, "}"),
            None => ("", text, ""),
        };
        if !is_guid(inner) {
            return None;
        }
        let lower = inner.to_ascii_lowercase();
        if is_public_id(&lower) {
            return Some(text.to_owned());
        }
        let hash = self.hash("guid", &lower);
        let hex = hash.iter().take(16).fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let mut made = format!(
            "{}-{}-4{}-a{}-{}",
            &hex[0..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..32]
        );
        if inner.bytes().any(|b| b.is_ascii_uppercase()) {
            made.make_ascii_uppercase();
        }
        Some(format!("{open}{made}{close}"))
    }

    /// `2026-07-01`, alone or before a time of day: the day is shifted, the time stays.
    pub(super) fn day_shifted(&self, text: &str) -> Option<String> {
        let day = text.get(..10)?;
        let rest = text.get(10..)?;
        let dashes = day.bytes().enumerate().all(|(index, b)| match index {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
        if !dashes || !is_time_of_day(rest) {
            return None;
        }
        let Ok(date) = day.parse::<Date>() else {
            // No day of the calendar; what stands there is not a day but looks like one.
            return Some(format!("0001-01-01{rest}"));
        };
        // The beginning and end of time are not somebody's days.
        if date.year() < 1902 || date.year() > 9000 {
            return Some(text.to_owned());
        }
        let back: Span = (-self.weeks).weeks();
        let date = date.checked_add(back).unwrap_or(date);
        Some(format!("{date}{rest}"))
    }

    fn network(&mut self, text: &str) -> Option<String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(self.ip(address).to_string());
        }
        if let Ok(socket) = text.parse::<std::net::SocketAddr>() {
            let ip = self.ip(socket.ip());
            return Some(std::net::SocketAddr::new(ip, socket.port()).to_string());
        }
        let (network, bits) = text.split_once('/')?;
        let address = network.parse::<IpAddr>().ok()?;
        bits.parse::<u8>().ok()?;
        Some(format!("{}/{bits}", self.ip(address)))
    }

    fn ip(&mut self, address: IpAddr) -> IpAddr {
        if address.is_unspecified() || address.is_loopback() {
            return address;
        }
        match address {
            IpAddr::V4(address) => IpAddr::V4(self.v4(address)),
            IpAddr::V6(address) => {
                // The prefix for documentation, with what is left from the key.
                let hash = self.hash("ip", &address.to_string());
                let mut bytes = [0; 16];
                bytes.copy_from_slice(&hash[..16]);
                bytes[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
                IpAddr::V6(Ipv6Addr::from(bytes))
            }
        }
    }

    /// In 240.0.0.0/4, which no host has (RFC 1112), so that a replacement is nobody's address, not even one
    /// of a lab's; each address its own.
    fn v4(&mut self, address: Ipv4Addr) -> Ipv4Addr {
        if let Some(known) = self.v4.get(&address) {
            return *known;
        }
        let hash = self.hash("ip", &address.to_string());
        // The last sixteenth of it stays free, with the address that means everybody.
        let mut low = u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]) % ADDRESSES;
        let made = loop {
            let made = Ipv4Addr::from(0xf000_0000 + low);
            if !self.v4.values().any(|taken| *taken == made) {
                break made;
            }
            low = (low + 1) % ADDRESSES;
        };
        self.v4.insert(address, made);
        made
    }

    /// `local@domain`; the domain may also be a tenant's id, and a guest's name holds another address.
    fn mail_address(&mut self, text: &str) -> Option<String> {
        if let Some((prefix, address)) = text.split_once(':') {
            // `SMTP:`, `sip:`, `UPN:`.
            let known = is_protocol_word(prefix) && !prefix.is_empty();
            return known
                .then(|| self.mail_address(address))
                .flatten()
                .map(|address| format!("{prefix}:{address}"));
        }
        let (local, domain) = text.rsplit_once('@')?;
        if local.is_empty() || local.contains(char::is_whitespace) || local.contains('@') {
            return None;
        }
        let domain = if is_guid(domain) {
            self.guid(domain)?
        } else if is_domain(domain) {
            self.domain(domain)
        } else {
            return None;
        };
        let guest = local.to_ascii_lowercase().ends_with("#ext#");
        let name = if guest {
            &local[..local.len() - 5]
        } else {
            local
        };
        let ending = if guest { &local[local.len() - 5..] } else { "" };
        let name = self.word(&name.to_lowercase());
        Some(format!("{name}{ending}@{domain}"))
    }

    /// Documented hosts stay; of a tenant's own names the part that is the cloud's.
    pub(super) fn domain(&mut self, domain: &str) -> String {
        let lower = domain.to_lowercase();
        if super::url::is_public_host(&lower) {
            return domain.to_owned();
        }
        for suffix in [
            ".mail.onmicrosoft.com",
            ".onmicrosoft.com",
            ".onmicrosoft.us",
            ".partner.onmschina.cn",
        ] {
            if let Some(own) = lower.strip_suffix(suffix) {
                return format!("{}{suffix}", self.word(own));
            }
        }
        format!("{}.example", self.word(&lower))
    }

    /// Digits for digits; everything else, a plus sign for example, stays.
    pub(super) fn digits(&self, text: &str) -> String {
        let plain: String = text.chars().filter(char::is_ascii_digit).collect();
        let hash = self.hash("digits", &plain);
        let mut stream = self.stream(&hash);
        let mut first = true;
        text.chars()
            .map(|c| {
                if !c.is_ascii_digit() {
                    return c;
                }
                let byte = stream.next().unwrap_or_default();
                // No leading zero, and a number of twenty digits still fits where it was.
                let digit = if std::mem::take(&mut first) {
                    b'1'
                } else {
                    b'0' + byte % 10
                };
                char::from(digit)
            })
            .collect()
    }

    /// Letters for letters and digits for digits: a folder's or message's id stays one.
    fn opaque(&self, text: &str) -> String {
        let hash = self.hash("opaque", text);
        let mut stream = self.stream(&hash);
        text.chars()
            .map(|c| {
                let byte = stream.next().unwrap_or_default();
                match c {
                    'a'..='z' => char::from(b'a' + byte % 26),
                    'A'..='Z' => char::from(b'A' + byte % 26),
                    '0'..='9' => char::from(b'0' + byte % 10),
                    other => other,
                }
            })
            .collect()
    }

    /// A made-up word.
    fn word(&self, text: &str) -> String {
        let hash = self.hash("word", text);
        let letters: String = hash
            .iter()
            .take(11)
            .map(|byte| char::from(b"bcdfghjklmnpqrstvwxz"[usize::from(byte % 20)]))
            .collect();
        format!("x{letters}")
    }

    fn hash(&self, what: &str, text: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(*self.key);
        hash.update(what.as_bytes());
        hash.update([0]);
        hash.update(text.as_bytes());
        hash.finalize().into()
    }

    /// As many bytes as are wanted, from one hash.
    fn stream(&self, hash: &[u8; 32]) -> impl Iterator<Item = u8> + use<> {
        let (key, hash) = (self.key.clone(), *hash);
        (0u64..).flat_map(move |block| {
            let mut next = Sha256::new();
            next.update(*key);
            next.update(hash);
            next.update(block.to_le_bytes());
            let block: [u8; 32] = next.finalize().into();
            block
        })
    }
}

/// `AADSTS7000215`: the number says what is wrong, to whomever.
fn aadsts(text: &str) -> bool {
    text.strip_prefix("AADSTS")
        .is_some_and(|number| number.len() <= 9 && number.bytes().all(|b| b.is_ascii_digit()))
}

pub(super) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, b)| match index {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

pub(super) fn is_domain(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    labels.len() >= 2
        && text.len() <= 253
        && labels.iter().all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
        })
        && labels
            .last()
            .is_some_and(|top| top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// Nothing, or what follows a day: `T10:00:00.123Z`, ` 10:00`, `T10:00:00+02:00`.
fn is_time_of_day(text: &str) -> bool {
    text.is_empty()
        || (text.len() <= 30
            && text.starts_with(['T', ' '])
            && text[1..]
                .bytes()
                .all(|b| b.is_ascii_digit() || b":.+-Z".contains(&b))
            && text[1..].starts_with(|c: char| c.is_ascii_digit()))
}
