//! YAML as a tree in which every key and every value knows its place.
//!
//! serde stops at the first mistake; a tree that is read by hand lets us report them all.

use std::cell::Cell;
use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_yaml::Spanned as CiRange;
use serde_yaml::options::{DuplicateKeyPolicy, MergeKeyPolicy};

use super::diagnostic::Diagnostic;
use super::events;
use super::source::Span;

/// A YAML value and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub span: Span,
    pub value: Value,
}

/// The shapes that YAML knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Null,
    /// A boolean, a fraction or any other scalar that is no text, as it is spelled.
    Word(String),
    /// A whole number and how it is spelled.
    Integer(i64, String),
    String(String),
    #[serde(deserialize_with = "nested")]
    List(Vec<Node>),
    /// Entries in order, duplicates included.
    #[serde(deserialize_with = "nested")]
    Map(Vec<(Key, Node)>),
}

/// Values inside of values, in bytes that are read back: no policy goes a tenth as deep.
const DEEPEST: usize = 64;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Reads values that hold others, and refuses what would go on for ever.
fn nested<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    let depth = DEPTH.get();
    if depth >= DEEPEST {
        return Err(D::Error::custom("nested too deep"));
    }
    DEPTH.set(depth + 1);
    let read = T::deserialize(deserializer);
    DEPTH.set(depth);
    read
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    pub span: Span,
    pub name: String,
}

impl Node {
    /// Parses one YAML document.
    ///
    /// # Errors
    /// The first syntax error, with its place; an alias bomb, a merge key, or a second document.
    pub fn parse(text: &str) -> Result<Self, Box<Diagnostic>> {
        match events::parse(text, &kind_of) {
            Some(node) => Ok(node),
            None => Self::parse_any(text),
        }
    }

    /// The same by way of serde, whatever stands in it.
    fn parse_any(text: &str) -> Result<Self, Box<Diagnostic>> {
        let options = serde_yaml::options! {
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            merge_keys: MergeKeyPolicy::Error,
            with_snippet: false,
        };
        serde_yaml::from_str_with_options::<Tree>(text, options)
            .map(|tree| tree.into_node(text))
            .map_err(|error| Box::new(syntax_error(text, &error)))
    }

    /// The shape in words, for "expected a list, found …".
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Word(_) => "a plain word",
            Value::Integer(..) => "a whole number",
            Value::String(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// What a word that may be a number is by itself; `None`: that takes more than this.
fn kind_of(word: &str) -> Option<Value> {
    if !word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-~".contains(&byte)) {
        return None;
    }
    // As nearly all are. More digits may be too many, and a zero in front makes another number in some YAML.
    if word.len() <= 18 && word.bytes().all(|byte| byte.is_ascii_digit()) && !word.starts_with('0') {
        return Some(Value::Integer(word.parse().ok()?, word.to_owned()));
    }
    // In brackets: at the start of a line some words are marks between documents.
    let Ok([one]) = <[Shape; 1]>::try_from(serde_yaml::from_str::<Vec<Shape>>(&format!("[{word}]")).ok()?)
    else {
        return None;
    };
    match one {
        Shape::Null => Some(Value::Null),
        Shape::Word => Some(Value::Word(word.to_owned())),
        Shape::Integer(number) => Some(Value::Integer(number, word.to_owned())),
        Shape::String(text) => Some(Value::String(text)),
        Shape::List(_) | Shape::Map(_) => None,
    }
}

fn syntax_error(text: &str, error: &serde_yaml::Error) -> Diagnostic {
    let start = error.location().map_or(0, |at| {
        at.span().byte_offset().map_or_else(
            || offset_of(text, at.line() as usize, at.column() as usize),
            |offset| offset as usize,
        )
    });
    let message = error.without_snippet().to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let message = if message.starts_with("multiple YAML documents") {
        "a policy is one YAML document, but a second one starts here"
    } else {
        message
    };
    let len =
        text[start.min(text.len())..].chars().next().map_or(0, |c| if c == '\n' { 0 } else { c.len_utf8() });
    Diagnostic::error(Span { start, len }, format!("not valid YAML: {message}"), "here")
}

/// The byte offset of a line and a column, both from 1, the column in characters.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    text[start.min(text.len())..]
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(text.len(), |(at, _)| start + at)
}

struct Tree(CiRange<Shape>);

enum Shape {
    Null,
    Word,
    Integer(i64),
    String(String),
    List(Vec<Tree>),
    Map(Vec<(CiRange<String>, Tree)>),
}

impl Tree {
    fn into_node(self, text: &str) -> Node {
        let span = span_of(text, &self.0);
        let value = match self.0.value {
            Shape::Null => Value::Null,
            // YAML 1.1 reads `off` as false and `0x10` as 16: what was spelled is what was meant.
            Shape::Word => Value::Word(spelled(text, &self.0)),
            Shape::Integer(number) => Value::Integer(number, spelled(text, &self.0)),
            Shape::String(text) => Value::String(text),
            Shape::List(items) => Value::List(items.into_iter().map(|item| item.into_node(text)).collect()),
            Shape::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let span = span_of(text, &key);
                        let name = key.value;
                        (Key { span, name }, value.into_node(text))
                    })
                    .collect(),
            ),
        };
        Node { span, value }
    }
}

fn span_of<T>(text: &str, located: &CiRange<T>) -> Span {
    span_at(text, located.referenced)
}

fn spelled<T>(text: &str, located: &CiRange<T>) -> String {
    text[span_at(text, located.defined).range()].to_owned()
}

fn span_at(text: &str, at: serde_yaml::Location) -> Span {
    let span = at.span();
    let start = span
        .byte_offset()
        .map_or_else(|| offset_of(text, at.line() as usize, at.column() as usize), |offset| offset as usize);
    let start = start.min(text.len());
    let len = (span.byte_len().unwrap_or(0) as usize).min(text.len() - start);
    Span { start, len }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CiRange::deserialize(deserializer).map(Tree)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = Shape;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a YAML value")
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<Shape, E> {
                Ok(Shape::String(v.to_owned()))
            }
            fn visit_i64<E: Error>(self, v: i64) -> Result<Shape, E> {
                Ok(Shape::Integer(v))
            }
            fn visit_u64<E: Error>(self, v: u64) -> Result<Shape, E> {
                Ok(i64::try_from(v).map_or(Shape::Word, Shape::Integer))
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Shape, E> {
                Ok(Shape::Word)
            }
            fn visit_bool<E: Error>(self, _: bool) -> Result<Shape, E> {
                Ok(Shape::Word)
            }
            fn visit_unit<E: Error>(self) -> Result<Shape, E> {
                Ok(Shape::Null)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Shape::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Shape::Map(entries))
            }
        }
        deserializer.deserialize_any(Shapes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways give one tree, or the short way leaves it to the long one. Whether it was taken.
    fn same(text: &str) -> bool {
        let short = events::parse(text, &kind_of);
        let is_taken = short.is_some();
        if let Some(short) = short {
            let long = Node::parse_any(text).unwrap_or_else(|error| panic!("{text:?}: {}", error.message));
            assert_eq!(short, long, "{text:?}");
        }
        is_taken
    }

    #[test]
    fn the_short_way_is_the_same() {
        assert!(same(include_str!("../../../../policy.yaml")), "the policy of this project is plain");
        let words = [
            "a",
            "a1",
            "on",
            "OFF",
            "yes",
            "y",
            "null",
            "~",
            "true",
            "1",
            "-1",
            "+1",
            "0x1F",
            "0o7",
            "010",
            "1_000",
            "1.5",
            "1e3",
            ".5",
            ".inf",
            "-.INF",
            ".nan",
            "inf",
            "nan",
            "Infinity",
            "1:30",
            "2024-01-02",
            "3h",
            "2GB",
            "20101-20110",
            ".agent.env",
            "/x",
            "a b",
            "1 2",
            "- 1",
            "é",
            "a: b",
            "'1'",
            "\"1\"",
            "@x",
            "a#b",
            "a #b",
            "99999999999999999999",
            "0b1",
            "-",
            "--",
            "1-2",
            ".",
            "..",
            "0",
            "00",
            "1.",
            "e",
            "E1",
            "x",
            "<<",
            "=",
            "&x a",
            "*x",
            "!t a",
            "!!str 1",
            "|\n  a\n  b",
            ">-\n  a\n  b",
            "",
        ];
        for word in words {
            for text in [
                word.to_owned(),
                format!("a: {word}\n"),
                format!("{word}: b\n"),
                format!("- {word}\n- b\n"),
                format!("a: [{word}, b]\n"),
                format!("a: {{b: {word}, {word}: c}}\n"),
                format!("# x\n---\na:\n  - b: {word} # c\n    d: e\n...\n"),
            ] {
                same(&text);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_is_the_same_on_anything(text in "([ab1<:\\-#'\"\\[\\]{},&*!|>.~éon]|: |\n|\n  |- ){0,24}") {
            same(&text);
        }

        #[test]
        fn the_short_way_knows_every_word(word in "[0-9a-fxonyisNT.:_+~-]{1,6}") {
            same(&format!("a: {word}\nb: [{word}]\n"));
        }
    }

    fn error(text: &str) -> (usize, String) {
        let error = Node::parse(text).expect_err("must not parse");
        (error.span.start, error.message)
    }

    #[test]
    fn every_key_and_value_has_its_place() {
        let text = "é: {a: b, \"q\": 'x y'}\n";
        let node = Node::parse(text).expect("parses");
        let Value::Map(entries) = node.value else { panic!("a map") };
        assert_eq!(&text[entries[0].0.span.range()], "é");
        let Value::Map(inner) = &entries[0].1.value else { panic!("a map") };
        assert_eq!(&text[inner[0].1.span.range()], "b");
        assert_eq!(&text[inner[1].1.span.range()], "'x y'");
    }

    #[test]
    fn plain_words_stay_as_they_are_spelled() {
        let node = Node::parse("[off, 0x10, 1.50]").expect("parses");
        let Value::List(items) = node.value else { panic!("a list") };
        assert!(matches!(&items[0].value, Value::Word(word) if word == "off"));
        assert!(matches!(&items[1].value, Value::Integer(_, word) if word == "0x10"));
        assert!(matches!(&items[2].value, Value::Word(word) if word == "1.50"));
    }

    #[test]
    fn duplicates_are_kept_for_the_reader_to_report() {
        let node = Node::parse("a: 1\na: 2\n").expect("parses");
        assert!(matches!(node.value, Value::Map(entries) if entries.len() == 2));
    }

    #[test]
    fn syntax_errors_have_a_place() {
        assert_eq!(error("a: *nope\n").0, 3);
        assert_eq!(error("a:\n\tb: 1\n").0, 4);
        assert!(error("a: 1\n---\nb: 2\n").1.contains("one YAML document"));
        assert!(error("a: &x {b: 1}\nc: {<<: *x}\n").1.contains("merge"));
    }

    #[test]
    fn alias_bombs_are_refused() {
        let mut text = String::from("l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n");
        for n in 1..9 {
            let last = n - 1;
            let refs = vec![format!("*l{last}"); 10].join(", ");
            text.push_str(&format!("l{n}: &l{n} [{refs}]\n"));
        }
        assert!(Node::parse(&text).is_err());
    }
}
