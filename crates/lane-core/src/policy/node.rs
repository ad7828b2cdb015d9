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

    /// Moves all places by so many bytes.
    pub fn shift(&mut self, by: usize) {
        self.span.start += by;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.shift(by)),
            Value::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
                key.span.start += by;
                value.shift(by);
            }),
            _ => {}
        }
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
    let error = error.without_snippet();
    let message = error.to_string();
    let message = match error {
        serde_yaml::Error::MultipleDocuments { .. } => {
            "a policy is one YAML document, but a second one starts here"
        }
        _ => message.split(" at line ").next().unwrap_or(&message),
    };
    let len =
        text[start.min(text.len())..].chars().next().map_or(0, |c| if c == '\n' { 0 } else { c.len_utf8() });
    let found = Diagnostic::error(Span { start, len }, format!("not valid YAML: {message}"), "here");
    // Between brackets a brace begins a mapping, also in the middle of a word.
    match text[start.min(text.len())..].starts_with('{') {
        true => found.help("between brackets, put a text with `{` in quotes: ['/jobs/{n}/']"),
        false => found,
    }
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
mod tests;
