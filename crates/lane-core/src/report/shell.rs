//! Words for a shell.

use std::fmt::Write;

use crate::text::is_hidden;

/// Quotes bytes so that a POSIX shell reads them as one word. Bytes that no terminal should be given
/// go through `printf`.
pub fn quote(bytes: &[u8]) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"._-/+@%=:,".contains(b);
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(is_hidden) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => {
            let mut quoted = String::from("\"$(printf '");
            for byte in bytes {
                if plain(byte) && *byte != b'%' {
                    quoted.push(char::from(*byte));
                } else {
                    let _ = write!(quoted, "\\{byte:03o}");
                }
            }
            quoted.push_str("')\"");
            quoted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words() {
        assert_eq!(quote(b"a/b.c"), "a/b.c");
        assert_eq!(quote(b"a b"), "'a b'");
        assert_eq!(quote(b"it's"), r"'it'\''s'");
        assert_eq!(quote(b"a\nb"), r#""$(printf 'a\012b')""#);
        assert_eq!(quote("a\u{202e}b".as_bytes()), r#""$(printf 'a\342\200\256b')""#);
    }
}
