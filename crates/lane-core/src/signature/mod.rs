//! Signatures of commits made with SSH keys, verified here and without asking anybody.
//!
//! A commit's signature stands in its `gpgsig` header and signs the rest of the object. With
//! `gpg.format=ssh` it is an armoured SSHSIG (`PROTOCOL.sshsig` of OpenSSH) in the namespace `git`. What is
//! taken: ed25519, ECDSA on the three NIST curves, RSA of 2048 to 4096 bits with SHA-2, and the `sk-` kinds of
//! security keys. Certificates are not: they would need an authority, with dates and names, to hold them
//! against. Nor are OpenPGP and X.509, which are told apart and left alone.

mod key;

use ssh_key::{PublicKey, SshSig};

pub use key::Key;

/// The namespace that git signs in.
const NAMESPACE: &str = "git";
/// The longest armour that is looked at, in bytes; that of an RSA key of 4096 bits has some 1,500.
const LONGEST: usize = 16 << 10;

/// What a commit's signature comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// There is none.
    None,
    /// There is one that only other tools can verify.
    OtherKind(Kind),
    /// There is one, and it is not to be believed.
    Invalid {
        /// Why, as words that go on from "its signature".
        reason: String,
        /// The key that it says it is by, if it can be read that far. Anybody can write any key there.
        key: Option<Key>,
    },
    /// This key signed just this commit.
    Valid {
        /// The key. Whether it is anybody's is for the policy to say.
        key: Key,
    },
}

/// Kinds of signatures that are not verified here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// OpenPGP, git's default.
    OpenPgp,
    /// X.509.
    X509,
}

impl Kind {
    /// The name people use.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenPgp => "GPG",
            Self::X509 => "X.509",
        }
    }
}

/// A commit taken apart: what was signed, and the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedObject {
    /// The object without its signatures: the bytes that were signed.
    pub payload: Vec<u8>,
    /// The armoured signature, without the indentation that it has in the header.
    pub signature: Option<Vec<u8>>,
    /// How many headers there were for it; git writes one.
    pub headers: usize,
}

/// Takes a raw commit object apart, as git does: all headers whose names begin with `gpgsig` are left out of
/// what was signed, and one of them has the signature, `gpgsig` in a repository of SHA-1 objects and
/// `gpgsig-sha256` in one of SHA-256 objects. A tag that a merge holds (`mergetag`) is signed text like any other.
pub fn split(raw: &[u8], is_sha256: bool) -> SignedObject {
    let wanted: &[u8] = if is_sha256 { b"gpgsig-sha256 " } else { b"gpgsig " };
    let mut signed = SignedObject { payload: Vec::with_capacity(raw.len()), signature: None, headers: 0 };
    let mut rest = raw;
    // Whether the line before was of a signature, and whether of the wanted one.
    let (mut in_any, mut in_wanted) = (false, false);
    while !rest.is_empty() && rest[0] != b'\n' {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        let goes_on = line.starts_with(b" ");
        if !goes_on {
            in_wanted = line.starts_with(wanted);
            in_any = line.starts_with(b"gpgsig");
            signed.headers += usize::from(in_wanted);
        }
        if in_wanted {
            let text = if goes_on { &line[1..] } else { &line[wanted.len()..] };
            signed.signature.get_or_insert_default().extend_from_slice(text);
        } else if !in_any {
            signed.payload.extend_from_slice(line);
        }
        rest = after;
    }
    signed.payload.extend_from_slice(rest);
    signed
}

/// Verifies the signature of a raw commit object. Whether a valid one is by somebody in particular is left to
/// whoever compares the key.
pub fn of_commit(raw: &[u8], is_sha256: bool) -> Signature {
    let signed = split(raw, is_sha256);
    let Some(armour) = &signed.signature else {
        return Signature::None;
    };
    if signed.headers > 1 {
        return invalid("is listed twice", None);
    }
    if let Some(kind) = other_kind(armour) {
        return Signature::OtherKind(kind);
    }
    verify(&signed.payload, armour)
}

/// Verifies the signature of a raw tag object: it is what the tag's message ends with, from the last line on that begins one.
pub fn of_tag(raw: &[u8]) -> Signature {
    const BEGINNINGS: [&str; 4] = [
        "-----BEGIN SSH SIGNATURE-----",
        "-----BEGIN PGP SIGNATURE-----",
        "-----BEGIN PGP MESSAGE-----",
        "-----BEGIN SIGNED MESSAGE-----",
    ];
    let (mut at, mut start) = (0, None);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if BEGINNINGS.iter().any(|beginning| line.starts_with(beginning.as_bytes())) {
            start = Some(at);
        }
        at += line.len();
    }
    let Some(start) = start else { return Signature::None };
    let (payload, armour) = raw.split_at(start);
    match other_kind(armour) {
        Some(kind) => Signature::OtherKind(kind),
        None => verify(payload, armour),
    }
}

fn other_kind(armour: &[u8]) -> Option<Kind> {
    let begins = |text: &str| armour.starts_with(text.as_bytes());
    if begins("-----BEGIN PGP SIGNATURE-----") || begins("-----BEGIN PGP MESSAGE-----") {
        return Some(Kind::OpenPgp);
    }
    begins("-----BEGIN SIGNED MESSAGE-----").then_some(Kind::X509)
}

/// Verifies an armoured SSHSIG over a payload, with the key that it names.
fn verify(payload: &[u8], armour: &[u8]) -> Signature {
    if armour.len() > LONGEST {
        return invalid("is too long for a signature", None);
    }
    let Ok(signature) = SshSig::from_pem(armour) else {
        return invalid("is not a signature by a plain SSH key (certificates are not supported)", None);
    };
    let data = signature.public_key();
    let key = match Key::of_data(data) {
        Ok(key) => key,
        Err(reason) => return invalid(&format!("names a key that {reason}"), None),
    };
    if signature.namespace() != NAMESPACE {
        return invalid("was made for another purpose than git", Some(key));
    }
    if !key::fits(&data.algorithm(), &signature.algorithm()) {
        let algorithm = signature.algorithm();
        return invalid(
            &format!("uses an algorithm that is not supported for its key: {algorithm}"),
            Some(key),
        );
    }
    match PublicKey::from(data.clone()).verify(NAMESPACE, payload, &signature) {
        Ok(()) => Signature::Valid { key },
        Err(_) => invalid("does not fit what it signs", Some(key)),
    }
}

fn invalid(reason: &str, key: Option<Key>) -> Signature {
    Signature::Invalid { reason: reason.to_owned(), key }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_commit_is_taken_apart() {
        let raw = b"tree 1\nparent 2\nmergetag object 3\n type commit\n gpgsig inside\nauthor a\n\
                    gpgsig -----BEGIN\n one\n \n two\ngpgsig-sha256 other\n more\nencoding x\n\ngpgsig subject\n body\n";
        let payload =
            b"tree 1\nparent 2\nmergetag object 3\n type commit\n gpgsig inside\nauthor a\nencoding x\n\n\
                        gpgsig subject\n body\n";
        let sha1 = split(raw, false);
        assert_eq!(sha1.signature.as_deref(), Some(&b"-----BEGIN\none\n\ntwo\n"[..]));
        assert_eq!(sha1.payload, payload);
        let sha256 = split(raw, true);
        assert_eq!(sha256.signature.as_deref(), Some(&b"other\nmore\n"[..]));
        assert_eq!(sha256.payload, payload);
    }

    #[test]
    fn kinds() {
        let commit = |armour: &str| format!("tree 1\ngpgsig {armour}\n\nx\n").into_bytes();
        let of = |armour: &str| of_commit(&commit(armour), false);
        assert_eq!(of_commit(b"tree 1\n\nx\n", false), Signature::None);
        assert_eq!(of_commit(&commit("x"), true), Signature::None);
        assert_eq!(of("-----BEGIN PGP SIGNATURE-----\n \n x"), Signature::OtherKind(Kind::OpenPgp));
        assert_eq!(of("-----BEGIN SIGNED MESSAGE-----\n x"), Signature::OtherKind(Kind::X509));
        assert!(matches!(of("-----BEGIN SSH SIGNATURE-----\n AAAA"), Signature::Invalid { key: None, .. }));
        assert!(matches!(of("hello"), Signature::Invalid { key: None, .. }));
        let tag = |armour: &str| of_tag(format!("object 1\ntype commit\ntag v1\n\nx\n{armour}\n").as_bytes());
        assert_eq!(tag("y"), Signature::None);
        assert_eq!(tag("-----BEGIN PGP SIGNATURE-----\n\nx"), Signature::OtherKind(Kind::OpenPgp));
        assert!(matches!(tag("-----BEGIN SSH SIGNATURE-----\nAAAA"), Signature::Invalid { .. }));
        let twice = b"tree 1\ngpgsig a\ngpgsig b\n\nx\n";
        assert_eq!(of_commit(twice, false), invalid("is listed twice", None));
    }

    proptest! {
        #[test]
        fn nothing_panics(raw in prop::collection::vec(any::<u8>(), 0..300), is_sha256: bool) {
            let mut commit = b"tree 1\ngpgsig -----BEGIN SSH SIGNATURE-----\n ".to_vec();
            commit.extend(&raw);
            of_commit(&commit, is_sha256);
            of_commit(&raw, is_sha256);
        }

        #[test]
        fn a_commit_without_a_signature_is_its_own_payload(raw in "(?s)(tree [a-f]{3}\n|author x\n| y\n){0,5}\n.{0,40}") {
            let signed = split(raw.as_bytes(), false);
            prop_assert_eq!((signed.payload.as_slice(), signed.signature), (raw.as_bytes(), None));
        }
    }
}
