//! The name that other systems know a path by.
//!
//! git tells paths apart byte by byte. Windows and macOS do not: `Policy.yaml`, `policy.yaml.` and, on macOS, another
//! Unicode form of the same letters are one file there, and a checkout writes one over the other. So a path is
//! decided by what it stands for, too.

use std::borrow::Cow;

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// Whether a path is its own folded form: as nearly all are, so this is asked before anything is made.
pub fn is_folded(path: &[u8]) -> bool {
    let mut last = b'/';
    for &byte in path {
        let ends_part = byte == b'/' && matches!(last, b'.' | b' ');
        if ends_part || !byte.is_ascii() || byte.is_ascii_uppercase() || matches!(byte, b':' | b'\\') {
            return false;
        }
        last = byte;
    }
    !matches!(last, b'.' | b' ')
}

/// A path without what other systems do not tell apart: case, Unicode form, letters that HFS+ leaves out, dots and
/// spaces at the end of a name, and what NTFS takes for a stream of a file.
pub fn folded(path: &[u8]) -> Cow<'_, [u8]> {
    if is_folded(path) {
        return Cow::Borrowed(path);
    }
    let text = letters(path);
    let parts = text.split(|byte| matches!(byte, b'/' | b'\\')).map(part);
    Cow::Owned(parts.collect::<Vec<_>>().join(&b'/'))
}

/// Text without regard to case and Unicode form.
pub fn letters(text: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(text) {
        Ok(text) if !text.is_ascii() => {
            let seen = text.chars().filter(|c| !is_left_out(*c));
            seen.nfd().default_case_fold().nfd().collect::<String>().into_bytes()
        }
        _ => text.to_ascii_lowercase(),
    }
}

/// One name as NTFS has it; one that would be nothing stays as it is.
fn part(name: &[u8]) -> &[u8] {
    let stream = name.iter().position(|byte| *byte == b':').unwrap_or(name.len());
    let end = name[..stream].iter().rposition(|byte| !matches!(byte, b'.' | b' ')).map_or(0, |at| at + 1);
    if end == 0 { name } else { &name[..end] }
}

/// What HFS+ leaves out of names.
fn is_left_out(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn folds(path: &str, to: &str) {
        assert_eq!(String::from_utf8_lossy(&folded(path.as_bytes())), to, "{path}");
    }

    #[test]
    fn names_that_are_one_elsewhere() {
        for path in [
            "Policy.yaml",
            "policy.yaml.",
            "policy.yaml ",
            "POLICY.YAML. .",
            "policy.yaml::$DATA",
            "policy\u{200d}.yaml",
        ] {
            folds(path, "policy.yaml");
        }
        folds("SERVICES/common/Db.py", "services/common/db.py");
        folds("services./common /db.py", "services/common/db.py");
        folds("services\\common\\db.py", "services/common/db.py");
        // Composed and decomposed, and a letter that folds to two.
        assert_eq!(folded("caf\u{e9}/x".as_bytes()), folded("cafe\u{301}/x".as_bytes()));
        assert_eq!(folded("CAF\u{c9}/x".as_bytes()), folded("cafe\u{301}/x".as_bytes()));
        assert_eq!(folded("stra\u{df}e".as_bytes()), folded(b"STRASSE"));
    }

    #[test]
    fn most_paths_are_left_alone() {
        for path in ["services/billing/api.py", ".github/workflows/ci.yml", "a.b/.env", "a b/c", "..x/y"] {
            assert!(matches!(folded(path.as_bytes()), Cow::Borrowed(_)), "{path}");
        }
        folds("...", "...");
        assert_eq!(folded(b"A\xff/B"), b"a\xff/b".as_slice());
    }
}
