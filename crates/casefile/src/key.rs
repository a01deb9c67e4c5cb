//! The key that signs exports, and the fingerprint by which people know it.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::str::FromStr;

use ed25519_dalek::{Signer as _, SigningKey};
use secrecy::{ExposeSecret as _, SecretBox};
use zeroize::Zeroizing;

use crate::canonical::digest;
use crate::error::StoreError;

/// An Ed25519 secret key of 32 bytes that prints as nothing.
pub struct SigningKey32(SecretBox<[u8; 32]>);

impl Clone for SigningKey32 {
    fn clone(&self) -> Self {
        Self(SecretBox::init_with_mut(|secret: &mut [u8; 32]| {
            secret.copy_from_slice(self.0.expose_secret());
        }))
    }
}

impl SigningKey32 {
    /// The key made of these bytes.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(secret)))
    }

    /// The key made of what `entropy` fills in.
    pub fn generate(entropy: &mut dyn FnMut(&mut [u8])) -> Self {
        Self(SecretBox::init_with_mut(|secret: &mut [u8; 32]| {
            entropy(secret);
        }))
    }

    /// The fingerprint of its public half.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.public())
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.dalek().verifying_key().to_bytes()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.dalek().sign(message).to_bytes()
    }

    fn dalek(&self) -> SigningKey {
        SigningKey::from_bytes(self.0.expose_secret())
    }
}

impl fmt::Debug for SigningKey32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey32({})", self.fingerprint())
    }
}

/// The SHA-256 of a public key. Prints as sixteen groups of four digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// A text that is not a fingerprint.
#[derive(Debug, thiserror::Error)]
#[error(
    "A fingerprint has 64 hexadecimal digits, in groups or not; this text has {digits} digits{}",
    if *.other { " and other characters" } else { "" }
)]
pub struct NotAFingerprint {
    digits: usize,
    other: bool,
}

impl Fingerprint {
    pub(crate) fn of(public: &[u8; 32]) -> Self {
        Self(decode32(digest(public).as_str()).unwrap_or_default())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pair) in self.0.chunks(2).enumerate() {
            if index > 0 {
                f.write_str("-")?;
            }
            for byte in pair {
                write!(f, "{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads what people type: any case, groups of any length parted by blanks,
/// hyphens or colons.
impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut digits = String::new();
        let mut other = false;
        for letter in text.chars() {
            match letter.to_ascii_lowercase() {
                digit @ ('0'..='9' | 'a'..='f') => digits.push(digit),
                '-' | ':' => {}
                blank if blank.is_whitespace() => {}
                _ => other = true,
            }
        }
        decode32(&digits)
            .filter(|_| !other)
            .map(Self)
            .ok_or(NotAFingerprint {
                digits: digits.len(),
                other,
            })
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn encode(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// `N` bytes from exactly `2 * N` lower-case digits: one value has one text.
pub(crate) fn decode<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let digits = digits.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = nibble(*pair.first()?)? << 4 | nibble(*pair.get(1)?)?;
    }
    Some(bytes)
}

fn decode32(digits: &str) -> Option<[u8; 32]> {
    decode(digits)
}

/// The key of the file, made if there is none.
pub(crate) fn key_of_file(
    path: &Path,
    entropy: &mut dyn FnMut(&mut [u8]),
) -> Result<SigningKey32, StoreError> {
    if let Some(key) = read_key(path)? {
        return Ok(key);
    }
    // Written whole under another name first and linked afterwards: a crash leaves
    // no half key, and of two processes that make one at the same time the second
    // takes over the key of the first.
    let mut tag = [0; 8];
    entropy(&mut tag);
    let part = path.with_extension(format!("{}.part", encode(&tag)));
    let made =
        write_new(&part, SigningKey32::generate(entropy)).and_then(|()| {
            match fs::hard_link(&part, path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            }
        });
    let _ = fs::remove_file(&part);
    made.map_err(|error| StoreError::io(path, error))?;
    sync_parent(path).map_err(|error| StoreError::io(path, error))?;
    read_key(path)?.ok_or_else(|| StoreError::Foreign {
        path: path.to_owned(),
        why: "the key vanished while it was made".to_owned(),
    })
}

fn write_new(path: &Path, key: SigningKey32) -> io::Result<()> {
    let mut text = Zeroizing::new(encode(key.0.expose_secret()));
    text.push('\n');
    let mut file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read_key(path: &Path) -> Result<Option<SigningKey32>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io(path, error)),
    };
    let failed = |error| StoreError::io(path, error);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(StoreError::KeyExposed {
                path: path.to_owned(),
                mode,
            });
        }
    }
    let mut text = Zeroizing::new(String::new());
    file.take(66).read_to_string(&mut text).map_err(failed)?;
    decode(text.trim_end())
        .map(|secret| Some(SigningKey32::new(secret)))
        .ok_or_else(|| StoreError::Foreign {
            path: path.to_owned(),
            why: "it is not a signing key of 64 hexadecimal digits".to_owned(),
        })
}

/// Options that make a file which only its owner can read.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Makes a new name in a directory durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Only Unix lets a directory be opened and synced like a file.
    if cfg!(unix) {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_back_however_it_is_typed() {
        let print = SigningKey32::new([7; 32]).fingerprint();
        let text = print.to_string();
        assert_eq!(text.len(), 64 + 15);
        for typed in [
            text.clone(),
            text.replace('-', ""),
            text.replace('-', ":").to_uppercase(),
            format!("  {} ", text.replace('-', " ")),
        ] {
            assert_eq!(typed.parse::<Fingerprint>().unwrap(), print);
        }
        assert!(text[1..].parse::<Fingerprint>().is_err());
        assert!(format!("{text}x").parse::<Fingerprint>().is_err());
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let shown = format!("{:?}", SigningKey32::new([0xa5; 32]));
        assert!(!shown.contains("a5a5"), "{shown}");
    }
}
