//! Agents that are alike but for a number: `w{1..40}`, with `{n}` for the number wherever a text of the entry has it. The form
//! of the range is that of brace expansion in bash(1), zeros in front included.

use super::node::{Key, Node, Value};

/// What stands for the number in the texts of an entry.
const NUMBER: &str = "{n}";
/// The most agents of one series.
const MOST: u64 = 1_000;

/// A key that stands for many.
#[derive(Debug, PartialEq, Eq)]
pub struct Series<'a> {
    before: &'a str,
    after: &'a str,
    first: u64,
    last: u64,
    /// The least digits of a number.
    width: usize,
}

/// Whether a key is meant as a series.
pub fn is_series(key: &str) -> bool {
    key.contains(['{', '}'])
}

impl<'a> Series<'a> {
    /// Reads a key such as `w{01..40}`.
    ///
    /// # Errors
    /// What is wrong with it, as the rest of a sentence.
    pub fn parse(key: &'a str) -> Result<Self, String> {
        let form = "expected one `{FIRST..LAST}` in it";
        let (before, rest) = key.split_once('{').ok_or(form)?;
        let (range, after) = rest.split_once('}').ok_or("`{` is never closed")?;
        let (low, high) = range.split_once("..").ok_or(form)?;
        if is_series(before) || is_series(after) {
            return Err(form.to_owned());
        }
        let number = |word: &str| -> Result<u64, String> {
            let is_number =
                !word.is_empty() && word.len() <= 9 && word.bytes().all(|byte| byte.is_ascii_digit());
            let number = word.parse().ok().filter(|_| is_number);
            number.ok_or_else(|| format!("`{word}` is not a number"))
        };
        let (first, last) = (number(low)?, number(high)?);
        if first > last {
            return Err(format!("{first} is more than {last}"));
        }
        let count = last - first + 1;
        if count > MOST {
            return Err(format!("{count} agents, and the limit is {MOST}"));
        }
        let is_padded = [low, high].iter().any(|word| word.len() > 1 && word.starts_with('0'));
        let width = if is_padded { low.len().max(high.len()) } else { 1 };
        Ok(Self { before, after, first, last, width })
    }

    /// The numbers, as they are written.
    pub fn numbers(&self) -> impl Iterator<Item = String> + use<> {
        let width = self.width;
        (self.first..=self.last).map(move |number| format!("{number:0width$}"))
    }

    /// The id of an agent.
    pub fn name(&self, number: &str) -> String {
        format!("{}{number}{}", self.before, self.after)
    }

    /// What the entry says of one agent.
    pub fn member(&self, node: &Node, number: &str) -> Node {
        let value = match &node.value {
            Value::String(text) => Value::String(text.replace(NUMBER, number)),
            Value::List(items) => Value::List(items.iter().map(|item| self.member(item, number)).collect()),
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| {
                        (
                            Key { name: key.name.replace(NUMBER, number), ..key.clone() },
                            self.member(value, number),
                        )
                    })
                    .collect(),
            ),
            other => other.clone(),
        };
        Node { span: node.span, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(key: &str) -> Result<Vec<String>, String> {
        Series::parse(key).map(|series| series.numbers().map(|number| series.name(&number)).collect())
    }

    /// What `bash -c 'echo KEY'` printed for each.
    #[test]
    fn ranges_as_bash_expands_them() {
        for (key, bash) in [
            ("w{1..3}", "w1 w2 w3"),
            ("w{01..3}", "w01 w02 w03"),
            ("w{8..11}", "w8 w9 w10 w11"),
            ("w{08..11}", "w08 w09 w10 w11"),
            ("w{0..2}", "w0 w1 w2"),
            ("{1..2}x", "1x 2x"),
            ("a-{099..101}-b", "a-099-b a-100-b a-101-b"),
            ("w{7..7}", "w7"),
        ] {
            assert_eq!(names(key).unwrap().join(" "), bash, "{key}");
        }
    }

    #[test]
    fn what_is_none() {
        for (key, why) in [
            ("w{1..", "`{` is never closed"),
            ("w}", "expected one"),
            ("w{1}", "expected one"),
            ("w{a..b}", "`a` is not a number"),
            ("w{1..-3}", "`-3` is not a number"),
            ("w{..3}", "`` is not a number"),
            ("w{3..1}", "3 is more than 1"),
            ("w{1..3}{1..3}", "expected one"),
            ("w{1..1001}", "1001 agents, and the limit is 1000"),
            ("w{1..99999999999999999999}", "is not a number"),
        ] {
            let said = names(key).unwrap_err();
            assert!(said.contains(why), "{key}: {said}");
        }
    }
}
