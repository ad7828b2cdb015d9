//! Configuration files as git writes them, read with the place of every line, so that they can be
//! edited without touching a byte of what others wrote.

use std::ops::Range;

/// A header or a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// `section.key`, the section's name and the key in lower case; a header's has no key: `section.`.
    pub key: String,
    /// The value; `None` for a header, and for a key alone, which means true.
    pub value: Option<Vec<u8>>,
    /// The bytes of its lines, with their ends.
    pub range: Range<usize>,
    /// No other item is on these lines.
    pub alone: bool,
}

impl Item {
    /// Whether this is a `[section]` line.
    pub fn is_header(&self) -> bool {
        self.key.ends_with('.')
    }
}

/// Everything in a configuration text, in order. What is malformed is passed over: git refuses the
/// file before it comes here.
pub(super) fn items(text: &[u8]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut section = String::new();
    let mut at = 0;
    while at < text.len() {
        let line = at;
        let before = items.len();
        while let Some(byte) = text.get(at) {
            match byte {
                b'\n' => break,
                b' ' | b'\t' | b'\r' => at += 1,
                b'#' | b';' => at = end_of_line(text, at),
                b'[' => {
                    (section, at) = header(text, at);
                    items.push(Item { key: section.clone(), value: None, range: line..line, alone: true });
                }
                _ => {
                    let (key, value, end) = setting(text, at);
                    at = end.max(at + 1);
                    items.push(Item {
                        key: format!("{section}{key}"),
                        value,
                        range: line..line,
                        alone: true,
                    });
                }
            }
        }
        at = (at + 1).min(text.len());
        let alone = items.len() == before + 1;
        for item in &mut items[before..] {
            item.range.end = at;
            item.alone = alone;
        }
    }
    items
}

/// All values of a key; a key alone gives `true`.
pub(super) fn values(text: &[u8], key: &str) -> Vec<Vec<u8>> {
    let name = key.rsplit('.').next().unwrap_or(key);
    if count(text, name) == 0 {
        return Vec::new(); // as mostly, and told at a hundredth of the cost
    }
    let found = items(text).into_iter().filter(|item| item.key == key);
    found.map(|item| item.value.unwrap_or_else(|| b"true".to_vec())).collect()
}

/// How often a word stands in a text, in whatever case.
pub(super) fn count(text: &[u8], word: &str) -> usize {
    memchr::memmem::find_iter(&text.to_ascii_lowercase(), word).count()
}

/// Whether the last value of a key is true.
pub(super) fn is_true(text: &[u8], key: &str) -> bool {
    values(text, key).pop().is_some_and(|value| {
        let value = value.to_ascii_lowercase();
        matches!(value.as_slice(), b"true" | b"yes" | b"on") || matches!(number(&value), Some(n) if n != 0)
    })
}

fn number(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// A value in the quotes that git wants around it.
pub(super) fn quoted(value: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for byte in value {
        match byte {
            b'\n' => quoted.extend(b"\\n"),
            b'\t' => quoted.extend(b"\\t"),
            b'"' | b'\\' => quoted.extend([b'\\', *byte]),
            _ => quoted.push(*byte),
        }
    }
    quoted.push(b'"');
    quoted
}

fn end_of_line(text: &[u8], at: usize) -> usize {
    text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |length| at + length)
}

/// `[core]` gives `core.`, `[branch "X"]` gives `branch.X.`.
fn header(text: &[u8], start: usize) -> (String, usize) {
    let mut name = Vec::new();
    let (mut at, mut in_quotes) = (start + 1, false);
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'\n' => return (to_key(&name), at - 1),
            b']' if !in_quotes => break,
            b'"' if !in_quotes => {
                in_quotes = true;
                name.push(b'.');
            }
            b'"' => in_quotes = false,
            b'\\' if in_quotes => {
                name.extend(text.get(at));
                at += 1;
            }
            b' ' | b'\t' if !in_quotes => {}
            _ if in_quotes => name.push(*byte),
            _ => name.push(byte.to_ascii_lowercase()),
        }
    }
    (to_key(&name), at)
}

fn to_key(name: &[u8]) -> String {
    format!("{}.", String::from_utf8_lossy(name))
}

fn setting(text: &[u8], start: usize) -> (String, Option<Vec<u8>>, usize) {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let length = text[start..].iter().position(|byte| !is_name(byte)).unwrap_or(text.len() - start);
    let key = String::from_utf8_lossy(&text[start..start + length]).to_ascii_lowercase();
    let mut at = start + length;
    while matches!(text.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    if text.get(at) != Some(&b'=') {
        return (key, None, end_of_line(text, at));
    }
    let (value, end) = value(text, at + 1);
    (key, Some(value), end)
}

fn value(text: &[u8], mut at: usize) -> (Vec<u8>, usize) {
    let (mut value, mut keep, mut in_quotes) = (Vec::new(), 0, false);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\n' => break,
            b'#' | b';' if !in_quotes => {
                at = end_of_line(text, at);
                break;
            }
            b'"' => {
                in_quotes = !in_quotes;
                keep = value.len();
            }
            b'\\' => {
                at += 1;
                match text.get(at) {
                    Some(b'n') => value.push(b'\n'),
                    Some(b't') => value.push(b'\t'),
                    Some(b'b') => value.push(8),
                    Some(b'\n') | None => {}
                    Some(b'\r') if text.get(at + 1) == Some(&b'\n') => at += 1,
                    Some(other) => value.push(*other),
                }
                keep = value.len();
            }
            b' ' | b'\t' | b'\r' if !in_quotes => {
                if !value.is_empty() {
                    value.push(*byte);
                }
            }
            _ => {
                value.push(*byte);
                keep = value.len();
            }
        }
        at += 1;
    }
    value.truncate(keep);
    (value, at.min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::{is_true, items, quoted, values};
    use proptest::prelude::*;

    fn last(text: &str, key: &str) -> Option<String> {
        values(text.as_bytes(), key).pop().map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    #[test]
    fn settings() {
        let text =
            "[Core] bare = true ; no\n\thooksPath = \"a b#c\" # x\n[branch \"X.y\"]\nmerge=a\\\n  b\n[a]k";
        assert_eq!(last(text, "core.bare").as_deref(), Some("true"));
        assert_eq!(last(text, "core.hookspath").as_deref(), Some("a b#c"));
        assert_eq!(last(text, "branch.X.y.merge").as_deref(), Some("a  b"));
        assert!(is_true(text.as_bytes(), "a.k"));
        let alone: Vec<bool> = items(text.as_bytes()).iter().map(|item| item.alone).collect();
        assert_eq!(alone, [false, false, true, true, true, false, false]);
    }

    #[test]
    fn quotes_are_read_back() {
        for value in ["/a b/c", "q\"\\x", "t\tn\nx", "~x;#"] {
            let text = [b"[a]\nb = ".as_slice(), &quoted(value.as_bytes())].concat();
            assert_eq!(values(&text, "a.b"), [value.as_bytes()]);
        }
    }

    /// What git lists of a text; nothing where it refuses the text.
    fn as_git_reads(text: &str) -> Option<Vec<Vec<u8>>> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, text).unwrap();
        let mut git = std::process::Command::new("git");
        git.args(["config", "--list", "-z", "--no-includes", "--file"]).arg(file);
        let said = git.stderr(std::process::Stdio::null()).output().unwrap();
        let settings =
            said.stdout.split_inclusive(|byte| *byte == 0).map(|item| item[..item.len() - 1].to_vec());
        said.status.success().then(|| settings.collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn git_reads_the_same(
            lines in prop::collection::vec(
                "(\\[(s|S|s\\.T|s \"T\"|s \"a\\\\\"\\]\")\\][ \r]?)?([kK]-?1? ?(=[ \t]?[v\"# \t;]{0,5}(\\\\[nt\"\\\\]|\\\\\r?\n)?[v\" ]{0,3})?)?\r?", 1..5,
            )
        ) {
            let text = format!("[s]\n{}", lines.join("\n"));
            let Some(wanted) = as_git_reads(&text) else { return Ok(()) };
            let settings = items(text.as_bytes()).into_iter().filter(|item| !item.is_header());
            let found = settings.map(|item| {
                let value = item.value.map(|value| [b"\n", value.as_slice()].concat());
                [item.key.into_bytes(), value.unwrap_or_default()].concat()
            });
            prop_assert_eq!(found.collect::<Vec<_>>(), wanted, "{:?}", text);
        }
    }

    #[test]
    fn nothing_panics() {
        for text in ["[", "[a \"", "=", "[a]\nb=\\", "[a]\n\"", "]\n\\", "[a \"\\"] {
            items(text.as_bytes());
        }
    }
}
