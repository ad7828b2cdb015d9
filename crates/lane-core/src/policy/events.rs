//! The short way to a tree: YAML as most policies are written, read from the parser's events.
//!
//! Every hook reads the policy, and going through serde takes half of what that costs. What is not plain here (anchors,
//! tags, merge keys, directives, a second document, a mistake) goes the long way, which knows what to say about it; so
//! does the kind of a word that may be a number. The tests hold both ways equal.

use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, Span as Place};

use super::node::{Key, Node, Value};
use super::source::Span;

/// Deeper than any policy, and nowhere near the end of the stack.
const DEEPEST: usize = 32;
/// Larger ones are worth the long way's limits.
const LARGEST: usize = 4 << 20;

/// The tree of a text, if it is plain. `kind_of`: what a word is that may be a number, and its place.
pub(super) fn parse(text: &str, kind_of: &dyn Fn(&str) -> Option<Value>) -> Option<Node> {
    if text.len() > LARGEST || text.starts_with('\u{feff}') {
        return None;
    }
    let mut reader = Reader { parser: Parser::new_from_str(text), text, kind_of };
    let (start, document) = (reader.next()?.0, reader.next()?.0);
    let (Event::StreamStart, Event::DocumentStart(_, None)) = (start, document) else {
        return None;
    };
    let first = reader.next()?;
    let root = reader.node(first, 0)?;
    let (end, stream) = (reader.next()?.0, reader.next()?.0);
    matches!((end, stream), (Event::DocumentEnd, Event::StreamEnd)).then_some(root)
}

struct Reader<'a> {
    parser: Parser<'a, serde_yaml::granit_parser::StrInput<'a>>,
    text: &'a str,
    kind_of: &'a dyn Fn(&str) -> Option<Value>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<(Event<'a>, Place)> {
        self.parser.next_event()?.ok()
    }

    fn node(&mut self, (event, place): (Event<'a>, Place), depth: usize) -> Option<Node> {
        if depth > DEEPEST {
            return None;
        }
        let span = self.span(&place)?;
        let value = match event {
            Event::Scalar(word, ScalarStyle::Plain, 0, None) => self.plain(&word, span)?,
            Event::Scalar(text, _, 0, None) => Value::String(text.into_owned()),
            Event::SequenceStart(_, 0, None) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break Value::List(items),
                        other => items.push(self.node(other, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(_, 0, None) => {
                let mut entries = Vec::new();
                loop {
                    let (event, place) = self.next()?;
                    let (name, span) = match event {
                        Event::MappingEnd => break Value::Map(entries),
                        Event::Scalar(name, style, 0, None)
                            if name != "<<" && (style != ScalarStyle::Plain || is_text(&name)) =>
                        {
                            (name.into_owned(), self.span(&place)?)
                        }
                        _ => return None,
                    };
                    let first = self.next()?;
                    entries.push((Key { span, name }, self.node(first, depth + 1)?));
                }
            }
            _ => return None,
        };
        Some(Node { span, value })
    }

    fn span(&self, place: &Place) -> Option<Span> {
        let start = place.start.byte_offset()?;
        let len = place.end.byte_offset()?.checked_sub(start)?;
        self.text.get(start..start + len)?;
        Some(Span { start, len })
    }

    fn plain(&self, word: &str, span: Span) -> Option<Value> {
        if is_text(word) {
            return Some(Value::String(word.to_owned()));
        }
        // Words of several lines are folded, and are text.
        (self.kind_of)(self.text.get(span.range()).filter(|spelled| *spelled == word)?)
    }
}

/// Whether a plain word is text for certain: no number, no date, and none of the words that YAML has kept for itself.
fn is_text(word: &str) -> bool {
    let own = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "infinity", "nan"];
    match word.bytes().next() {
        Some(first) if first.is_ascii_alphabetic() => !own.iter().any(|own| word.eq_ignore_ascii_case(own)),
        Some(b'0'..=b'9' | b'.' | b'/') => {
            word.bytes().any(|byte| !byte.is_ascii_hexdigit() && !b"xXoO+-._: infINFyY".contains(&byte))
        }
        _ => false,
    }
}
