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
        let is_numbered = last == b'~' && byte.is_ascii_digit();
        if ends_part
            || is_numbered
            || !byte.is_ascii()
            || byte.is_ascii_uppercase()
            || matches!(byte, b':' | b'\\')
        {
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

/// Whether a folded name is the short one, `policy~1.yam`, that Windows gives to a file with a long name beside it.
pub fn is_short_of(name: &[u8], long: &[u8]) -> bool {
    let Some(tilde) = name.iter().position(|byte| *byte == b'~') else {
        return false;
    };
    let (stem, number) = (&name[..tilde], &name[tilde + 1..]);
    let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let extension = match number[digits..].split_first() {
        None => &[][..],
        Some((b'.', extension)) => extension,
        Some(_) => return false,
    };
    let undotted = &long[long.iter().position(|byte| *byte != b'.').unwrap_or(0)..];
    let dot = undotted.iter().rposition(|byte| *byte == b'.');
    let (base, kind) = dot.map_or((undotted, &[][..]), |dot| (&undotted[..dot], &undotted[dot + 1..]));
    let spelled = base.len() + (long.len() - undotted.len());
    let base: Vec<u8> = base.iter().copied().filter(|byte| !matches!(byte, b'.' | b' ')).collect();
    // A name that is short already has no other.
    let is_long = base.len() > 8 || kind.len() > 3 || base.len() < spelled;
    let of_name = base.starts_with(stem) && stem.len() >= base.len().min(2);
    // From the fifth of a kind on, four digits of a hash stand in the middle.
    let of_hash =
        stem.len() == 6 && base.starts_with(&stem[..2]) && stem[2..].iter().all(u8::is_ascii_hexdigit);
    is_long && digits > 0 && (of_name || of_hash) && extension == &kind[..kind.len().min(3)]
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
    fn short_names_of_windows() {
        let is = |name: &str, long: &str| is_short_of(name.as_bytes(), long.as_bytes());
        assert!(is("policy~1.yam", "policy.yaml") && is("polic~12.yam", "policy.yaml"));
        assert!(
            is("poab12~1.yam", "policy.yaml") && is("github~1", ".github") && is("orches~1", "orchestrator")
        );
        assert!(is("agent~1.env", ".agent.env") && is("agent_~1.md", "agent_focus.md"));
        for (name, long) in [
            ("policy~1.yml", "policy.yaml"),
            ("policy~1", "policy.yaml"),
            ("policy~x.yam", "policy.yaml"),
            ("policy.yaml~1", "policy.yaml"),
            ("main.py.~1~", "main.py"),
            ("web~1", "web"),
            ("servic~1", "services"),
            ("api~1.py", "api.py"),
            ("other~1.yam", "policy.yaml"),
        ] {
            assert!(!is(name, long), "{name}");
        }
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
