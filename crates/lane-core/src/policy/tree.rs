//! A policy's text taken apart, and its form as bytes: parsing is most of what reading a policy costs a hook, and the
//! same text need not be parsed for each of them.
//!
//! The bytes are postcard's. Whatever does not read back exactly is no tree, and the text is parsed.

use super::PolicyError;
use super::merge;
use super::node::{Node, Value};
use super::source::{Source, Span};

/// The tree of a policy's text.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree(pub(super) Node);

impl Tree {
    /// Parses a policy's text, and joins its files.
    ///
    /// # Errors
    /// It is no YAML, or one of its files cannot be used.
    pub fn parse(source: &Source) -> Result<Self, PolicyError> {
        let node = match &source.parts {
            Some(parts) => merge::parse(source, parts),
            None => Node::parse(&source.text).map_err(|error| vec![*error]).and_then(|node| {
                match merge::check_alone(&node) {
                    Some(mistake) => Err(vec![mistake]),
                    None => Ok(node),
                }
            }),
        };
        node.map(Tree).map_err(|diagnostics| PolicyError::of(source.clone(), diagnostics))
    }

    /// The tree as bytes; none where that fails, which is no tree either.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.0).unwrap_or_default()
    }

    /// The most bytes that the tree of a text has, by far: a value takes two of its text and eight of these.
    pub fn most_bytes(text: &str) -> usize {
        text.len().saturating_mul(16).saturating_add(64)
    }

    /// The tree that the bytes hold. `text`: what it is the tree of.
    pub fn from_bytes(bytes: &[u8], text: &str) -> Option<Self> {
        if bytes.len() > Self::most_bytes(text) {
            return None;
        }
        let (node, rest) = postcard::take_from_bytes::<Node>(bytes).ok()?;
        (rest.is_empty() && is_within(&node, text)).then_some(Tree(node))
    }
}

/// Whether all places are places of the text.
fn is_within(node: &Node, text: &str) -> bool {
    let fits = |span: Span| text.get(span.start..span.start.saturating_add(span.len)).is_some();
    fits(node.span)
        && match &node.value {
            Value::List(items) => items.iter().all(|item| is_within(item, text)),
            Value::Map(entries) => {
                entries.iter().all(|(key, value)| fits(key.span) && is_within(value, text))
            }
            _ => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("policy.yaml", text)
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

    /// A list with a list in it, and so on.
    fn lists(depth: usize) -> Vec<u8> {
        // Where it begins, how long it is, that it is a list, how many are in it; the innermost holds nothing.
        let tag = postcard::to_stdvec(&Value::List(Vec::new())).expect("bytes")[0];
        [[0, 0, tag, 1].repeat(depth), vec![0, 0, tag, 0]].concat()
    }

    #[test]
    fn bytes_that_nest_without_end_are_no_tree() {
        let text = " ".repeat(1 << 20);
        assert!(Tree::from_bytes(&lists(10), &text).is_some());
        for depth in [64, 1_000, 4 << 20] {
            assert_eq!(Tree::from_bytes(&lists(depth), &text), None, "{depth}");
        }
        assert!(Tree::from_bytes(&lists(10), &text).is_some(), "the next one is read as before");
        // A length that there is nothing for, and more values than the text can have.
        let tag = lists(0)[2];
        assert_eq!(Tree::from_bytes(&[&[0, 0, tag][..], &[0xff; 9], &[1]].concat(), &text), None);
        let many = [&[0, 0, tag][..], &[0xff, 0xff, 0x03], &[0; 3].repeat(0xffff)].concat();
        assert!(Tree::from_bytes(&many, &text).is_some());
        assert_eq!(Tree::from_bytes(&many, "a: b"), None);
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
