//! Public keys as `agents.<id>.identity.signing_keys` lists them.

use std::fmt;

use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, PublicKey};

/// How many bits an RSA key has at least, to be worth something, and at most, to be verified here.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A public SSH key: its type and its base64, whoever's comment left off, so that one key is always equal to
/// itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    text: String,
    fingerprint: String,
}

impl Key {
    /// A key from a line of a `.pub` file or of `authorized_keys` without options: type, base64, and perhaps a
    /// comment.
    ///
    /// # Errors
    /// Why it is no key that a signature could be held against, as words that go on from "it". The text itself
    /// is not part of them: people do paste private keys.
    pub fn parse(line: &str) -> Result<Self, String> {
        if line.contains("PRIVATE KEY") {
            return Err("is a private key, which must stay secret".to_owned());
        }
        let mut words = line.split_whitespace();
        let (Some(kind), Some(data)) = (words.next(), words.next()) else {
            return Err("is not of the form `ssh-ed25519 AAAA…`".to_owned());
        };
        if kind.ends_with("-cert-v01@openssh.com") {
            return Err("is a certificate; list the key itself".to_owned());
        }
        let key = PublicKey::from_openssh(&format!("{kind} {data}"))
            .map_err(|_| "cannot be read as a public SSH key".to_owned())?;
        Self::of_data(key.key_data())
    }

    /// A key as a signature holds it.
    pub(super) fn of_data(data: &KeyData) -> Result<Self, String> {
        match data {
            KeyData::Ed25519(_)
            | KeyData::Ecdsa(_)
            | KeyData::SkEd25519(_)
            | KeyData::SkEcdsaSha2NistP256(_) => {}
            KeyData::Rsa(key) => {
                let bits = key.n.as_positive_bytes().map_or(0, |bytes| {
                    let first = bytes.first().map_or(0, |byte| byte.leading_zeros() as usize);
                    (bytes.len() * 8).saturating_sub(first)
                });
                if !RSA_BITS.contains(&bits) {
                    let (low, high) = (RSA_BITS.start(), RSA_BITS.end());
                    return Err(format!("is an RSA key of {bits} bits; {low} to {high} are supported"));
                }
            }
            other => return Err(format!("is of an unsupported type: {}", other.algorithm())),
        }
        let text = PublicKey::from(data.clone()).to_openssh().map_err(|_| "cannot be written".to_owned())?;
        Ok(Self {
            text: text.trim_end().to_owned(),
            fingerprint: data.fingerprint(HashAlg::Sha256).to_string(),
        })
    }

    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a signature of one algorithm can be a key's: the same, and for RSA never with SHA-1.
pub(super) fn fits(key: &Algorithm, signature: &Algorithm) -> bool {
    match (key, signature) {
        (Algorithm::Rsa { .. }, Algorithm::Rsa { hash }) => hash.is_some(),
        (key, signature) => key == signature,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    #[test]
    fn comments_do_not_count() {
        let key = Key::parse(ED25519).unwrap();
        assert_eq!(Key::parse(&format!("  {ED25519}   a b c@d \n")).unwrap(), key);
        assert_eq!(key.to_string(), ED25519);
        assert_eq!(key.fingerprint(), "SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ");
    }

    #[test]
    fn what_is_no_key() {
        let refused = |line: &str, why: &str| {
            let reason = Key::parse(line).unwrap_err();
            assert!(reason.contains(why), "{line}: {reason}");
        };
        refused("", "is not of the form");
        refused("ssh-ed25519", "is not of the form");
        refused("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "is a private key");
        refused("ssh-ed25519 AAAA", "cannot be read");
        refused(&ED25519[..60], "cannot be read");
        refused(&ED25519.replace("ssh-ed25519", "ssh-rsa"), "cannot be read");
        refused(&format!("restrict {ED25519}"), "cannot be read");
        refused("ssh-ed25519-cert-v01@openssh.com AAAA", "is a certificate");
    }
}
