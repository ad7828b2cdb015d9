//! Object ids.

use std::fmt;

use serde::{Serialize, Serializer};

/// An object id, SHA-1 or SHA-256, as its raw bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    bytes: [u8; 32],
    len: u8,
}

impl Oid {
    /// git's way to say "no object", with the length of SHA-1.
    pub const ZERO: Self = Self { bytes: [0; 32], len: 20 };

    /// An id from its raw bytes; `None` unless there are 20 or 32.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        if raw.len() != 20 && raw.len() != 32 {
            return None;
        }
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        let len = u8::try_from(raw.len()).ok()?;
        Some(Self { bytes, len })
    }

    /// An id from its hexadecimal form, whole.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digit = |b: u8| (b as char).to_digit(16);
        let pair = |pair: &[u8]| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok();
        let hex = hex.as_bytes();
        if hex.len() % 2 == 1 {
            return None;
        }
        let raw: Option<Vec<u8>> = hex.chunks(2).map(pair).collect();
        Self::from_bytes(&raw?)
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether this is git's way to say "no object".
    pub fn is_zero(&self) -> bool {
        self.as_bytes().iter().all(|b| *b == 0)
    }

    /// The first ten digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..10].to_owned()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Oid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oids() {
        let hex = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(Oid::from_hex(hex).map(|oid| oid.to_string()).as_deref(), Some(hex));
        assert!(Oid::from_hex("abc").is_none() && Oid::from_hex("zz").is_none());
        assert!(Oid::from_hex(&"0".repeat(40)).is_some_and(|oid| oid.is_zero()));
    }
}
