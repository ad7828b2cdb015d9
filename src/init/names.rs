//! Names of a repository in YAML, comments and messages: whatever they are made of, they stay on their line.

use serde_json::json;

/// How many names a message lists.
const LISTED: usize = 3;
/// How long a name may be in a message.
const LONGEST: usize = 100;

/// A YAML scalar: plain where that is safe, else in double quotes.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(plain)
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
        );
    let is_sentence = text.contains(" may ") && text.chars().all(|c| plain(c) || c == ' ');
    if is_plain || is_sentence { text.to_owned() } else { json(text) }
}

/// A text in double quotes in which nothing moves a cursor or turns a line about.
fn json(text: &str) -> String {
    let mut out = String::new();
    for c in json!(text).to_string().chars() {
        if c.is_ascii() && c != '\u{7f}' || c.is_alphanumeric() {
            out.push(c);
        } else {
            out.push_str(&match u32::from(c) {
                code @ ..=0xffff => format!("\\u{code:04x}"),
                code => format!("\\U{code:08x}"),
            });
        }
    }
    out
}

/// A name or a reason in a message or a comment.
pub fn sanitize_name(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST).flat_map(escape_char).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// A text of any length in a comment.
pub fn one_line(text: &str) -> String {
    text.chars().flat_map(escape_char).collect()
}

fn escape_char(c: char) -> Vec<char> {
    if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() {
        vec![c]
    } else {
        c.escape_unicode().collect()
    }
}

/// `a`, `b`, `c` and 4 more.
pub fn list(names: &[&str]) -> String {
    let first: Vec<String> =
        names.iter().take(LISTED).map(|name| format!("`{}`", sanitize_name(name))).collect();
    let more = names.len() - first.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

/// `1 file`, `2 files`.
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars() {
        assert_eq!(
            (quoted("a/b-c.d"), quoted("no"), quoted("1a")),
            ("a/b-c.d".into(), "\"no\"".into(), "\"1a\"".into())
        );
        for text in ["a: b", "x#y", "\u{1b}[31m", "\u{202e}x", "é ü", "a\nb", "\u{1f600}", "\u{7f}", "\u{85}"]
        {
            let yaml = quoted(text);
            assert!(!yaml.chars().any(char::is_control) && !yaml.contains('\u{202e}'), "{yaml}");
            assert_eq!(serde_yaml::from_str::<String>(&yaml).expect("a text"), text);
        }
    }

    #[test]
    fn messages() {
        assert_eq!(sanitize_name("a\u{1b}\u{202e}b"), "a\\u{1b}\\u{202e}b");
        assert_eq!(list(&["a", "b", "c", "d", "e"]), "`a`, `b`, `c` and 2 more");
        assert!(sanitize_name(&"x".repeat(1000)).chars().count() <= LONGEST + 1);
    }
}
