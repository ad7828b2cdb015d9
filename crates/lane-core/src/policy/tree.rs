//! A policy's text taken apart, and its form as bytes: parsing is most of what reading a policy costs a hook, and the
//! same text need not be parsed for each of them.
//!
//! The bytes: a node is its place (offset and length), a tag, and what the tag says; numbers are LEB128, texts stand
//! behind their length. Whatever does not read back exactly is no tree, and the text is parsed.

use super::PolicyError;
use super::node::{Key, Node, Value};
use super::source::{Source, Span};

/// The tree of a policy's text.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree(pub(super) Node);

/// Deeper than the parser goes, and nowhere near the end of the stack.
const DEEPEST: usize = 64;

const NULL: u8 = 0;
const WORD: u8 = 1;
const INTEGER: u8 = 2;
const STRING: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;

impl Tree {
    /// Parses a policy's text.
    ///
    /// # Errors
    /// It is no YAML.
    pub fn parse(source: &Source) -> Result<Self, PolicyError> {
        Node::parse(&source.text)
            .map(Tree)
            .map_err(|error| PolicyError { text: Box::new(source.clone()), diagnostics: vec![*error] })
    }

    /// The tree as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4096);
        write_node(&mut bytes, &self.0);
        bytes
    }

    /// The tree that the bytes hold. `text`: what it is the tree of.
    pub fn from_bytes(bytes: &[u8], text: &str) -> Option<Self> {
        let mut reader = Reader { rest: bytes, text };
        let node = reader.node(0)?;
        reader.rest.is_empty().then_some(Tree(node))
    }
}

fn write_node(bytes: &mut Vec<u8>, node: &Node) {
    write_span(bytes, node.span);
    match &node.value {
        Value::Null => bytes.push(NULL),
        Value::Word(word) => write_text(bytes, WORD, word),
        Value::Integer(number, word) => {
            write_text(bytes, INTEGER, word);
            bytes.extend(number.to_be_bytes());
        }
        Value::String(text) => write_text(bytes, STRING, text),
        Value::List(items) => {
            bytes.push(LIST);
            write_number(bytes, items.len());
            items.iter().for_each(|item| write_node(bytes, item));
        }
        Value::Map(entries) => {
            bytes.push(MAP);
            write_number(bytes, entries.len());
            for (key, value) in entries {
                write_span(bytes, key.span);
                write_text(bytes, STRING, &key.name);
                write_node(bytes, value);
            }
        }
    }
}

fn write_span(bytes: &mut Vec<u8>, span: Span) {
    write_number(bytes, span.start);
    write_number(bytes, span.len);
}

fn write_text(bytes: &mut Vec<u8>, tag: u8, text: &str) {
    bytes.push(tag);
    write_number(bytes, text.len());
    bytes.extend(text.as_bytes());
}

fn write_number(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

struct Reader<'a> {
    rest: &'a [u8],
    text: &'a str,
}

impl<'a> Reader<'a> {
    fn node(&mut self, depth: usize) -> Option<Node> {
        if depth > DEEPEST {
            return None;
        }
        let span = self.span()?;
        let value = match self.byte()? {
            NULL => Value::Null,
            WORD => Value::Word(self.text()?.to_owned()),
            INTEGER => {
                let word = self.text()?.to_owned();
                Value::Integer(i64::from_be_bytes(self.take(8)?.try_into().ok()?), word)
            }
            STRING => Value::String(self.text()?.to_owned()),
            LIST => {
                let count = self.count()?;
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    items.push(self.node(depth + 1)?);
                }
                Value::List(items)
            }
            MAP => {
                let count = self.count()?;
                let mut entries = Vec::with_capacity(count);
                for _ in 0..count {
                    let span = self.span()?;
                    let name = (self.byte()? == STRING).then(|| self.text())??.to_owned();
                    entries.push((Key { span, name }, self.node(depth + 1)?));
                }
                Value::Map(entries)
            }
            _ => return None,
        };
        Some(Node { span, value })
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..28).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None // longer than any policy
    }

    /// How many nodes follow, each of which takes more than two bytes.
    fn count(&mut self) -> Option<usize> {
        self.number().filter(|count| *count <= self.rest.len() / 2)
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = self.number()?;
        std::str::from_utf8(self.take(len)?).ok()
    }

    fn span(&mut self) -> Option<Span> {
        let span = Span { start: self.number()?, len: self.number()? };
        self.text.get(span.range()).map(|_| span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { name: "policy.yaml".to_owned(), text: text.to_owned() }
    }

    fn reads_back(text: &str) {
        let Ok(tree) = Tree::parse(&source(text)) else { return };
        let bytes = tree.to_bytes();
        assert_eq!(Tree::from_bytes(&bytes, text).as_ref(), Some(&tree), "{text:?}");
        for len in 0..bytes.len() {
            assert_eq!(Tree::from_bytes(&bytes[..len], text), None, "{text:?} cut off at {len}");
        }
    }

    #[test]
    fn trees_read_back() {
        reads_back("a: [b, 1, 0x10, off, ~, 'é', {c: -9223372036854775808}]\né: |\n  x\n  y\n");
        let text = include_str!("../../../../policy.yaml");
        let tree = Tree::parse(&source(text)).expect("parses");
        assert_eq!(Tree::from_bytes(&tree.to_bytes(), text), Some(tree));
    }

    #[test]
    fn a_tree_of_another_text_is_none() {
        let bytes = Tree::parse(&source("a: some words")).expect("parses").to_bytes();
        assert_eq!(Tree::from_bytes(&bytes, "a: b"), None, "places beyond the end");
        assert_eq!(Tree::from_bytes(&[bytes.as_slice(), &[0]].concat(), "a: some words"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_tree_reads_back(text in "([ab1\\-'\\[\\]{},é]|: |\n|\n  |- ){0,24}") {
            reads_back(&text);
        }

        #[test]
        fn any_bytes_are_a_tree_or_none(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            if let Some(tree) = Tree::from_bytes(&bytes, "any text") {
                Tree::from_bytes(&tree.to_bytes(), "any text").expect("reads back");
            }
        }
    }
}
