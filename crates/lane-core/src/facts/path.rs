//! Paths as git stores them.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::text::is_hidden;

/// A path in the repository as git stores it: bytes, `/` between folders, not necessarily UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(pub Vec<u8>);

impl RepoPath {
    /// The path as text, where it is UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Display for RepoPath {
    /// As git prints a path with `core.quotePath=false`: plain where it can be, else in quotes with
    /// escapes as C has them. What nobody would see is escaped, too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let special = |c: char| is_hidden(c) || c == '"' || c == '\\';
        if let Ok(text) = std::str::from_utf8(&self.0)
            && !text.contains(special)
        {
            return f.write_str(text);
        }
        f.write_char('"')?;
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\n' => f.write_str("\\n")?,
                    '\x07' => f.write_str("\\a")?,
                    '\x08' => f.write_str("\\b")?,
                    '\x0b' => f.write_str("\\v")?,
                    '\x0c' => f.write_str("\\f")?,
                    '\t' => f.write_str("\\t")?,
                    '\r' => f.write_str("\\r")?,
                    '"' | '\\' => write!(f, "\\{c}")?,
                    c if is_hidden(c) => {
                        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                            write!(f, "\\{byte:03o}")?;
                        }
                    }
                    c => f.write_char(c)?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\{byte:03o}")?;
            }
        }
        f.write_char('"')
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_like_gits() {
        let quoted = |bytes: &[u8]| RepoPath(bytes.to_vec()).to_string();
        assert_eq!(quoted(b"a b/\xc3\xa9"), "a b/é");
        assert_eq!(quoted(b"a\"b"), r#""a\"b""#);
        assert_eq!(quoted(b"a\nb\xff"), r#""a\nb\377""#);
        assert_eq!(quoted(b"\x01\x07\x7f"), r#""\001\a\177""#);
        assert_eq!(quoted("a\u{202e}\u{9b}".as_bytes()), r#""a\342\200\256\302\233""#);
    }
}
