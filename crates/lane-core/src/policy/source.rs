//! The text of a policy and places in it.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize, Serializer};

use super::parts::Parts;

/// A place in the policy text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Length in bytes; 0 where only a position is known.
    pub len: usize,
}

impl Span {
    /// The bytes that the span covers.
    pub fn range(self) -> Range<usize> {
        self.start..self.start + self.len
    }
}

/// A value together with the place that it was read from. A value that was not written but is a
/// default has the place of the section that it belongs to, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value itself.
    pub value: T,
    /// Where the policy says so; `None` for a default.
    pub span: Option<Span>,
}

impl<T> Spanned<T> {
    /// A value that stands in the policy.
    pub fn at(value: T, span: Span) -> Self {
        Self { value, span: Some(span) }
    }

    /// A value that nobody wrote.
    pub fn default_of(value: T) -> Self {
        Self { value, span: None }
    }
}

impl<T: Serialize> Serialize for Spanned<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Spanned<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
    fn inline_schema() -> bool {
        T::inline_schema()
    }
}

/// A policy's text under the name that messages give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What a reader can open: `policy.yaml`, `refs/remotes/origin/main:policy.yaml`.
    pub name: String,
    /// The whole text; that of the other files of the policy stands behind its own.
    pub text: String,
    /// Its other files; `None` where it asks for none.
    pub parts: Option<Box<Parts>>,
}

/// A place as people look it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<'s> {
    /// The file, as [`Source::name`] names files.
    pub file: &'s str,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One line of a policy, as a finding quotes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct PolicyLine {
    /// The file, where it is another one than the policy's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line number, from 1.
    pub line: usize,
    /// The line without its indentation.
    pub text: String,
    /// Where the deciding words start in `text`, in bytes.
    #[serde(skip)]
    #[schemars(skip)]
    pub offset: usize,
    /// How long the deciding words are, in bytes.
    #[serde(skip)]
    #[schemars(skip)]
    pub len: usize,
    /// How many bytes of indentation were left off.
    #[serde(skip)]
    #[schemars(skip)]
    pub indent: usize,
}

impl PolicyLine {
    /// The file that it is in. `source`: the name of the policy's own.
    pub fn file_or<'a>(&'a self, source: &'a str) -> &'a str {
        self.file.as_deref().unwrap_or(source)
    }
}

impl Source {
    /// A text of one file.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), parts: None }
    }

    /// Where a byte offset is.
    pub fn place(&self, offset: usize) -> Place<'_> {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let (file, range) = self.file_at(offset);
        let before = &self.text[range.start..offset];
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Place { file, line, column: before[start..].chars().count() + 1 }
    }

    /// The line in which a span begins, with the span's words marked.
    pub fn line_of(&self, span: Span) -> PolicyLine {
        let line = self.place(span.start).line;
        let at = span.start.min(self.text.len());
        let (file, range) = self.file_at(at);
        let start = self.text[range.start..at].rfind('\n').map_or(range.start, |nl| range.start + nl + 1);
        let end = self.text[start..range.end].find('\n').map_or(range.end, |nl| start + nl);
        let whole = self.text[start..end].trim_end();
        let text = whole.trim_start();
        let indent = whole.len() - text.len();
        let offset = at.saturating_sub(start + indent).min(text.len());
        let len = span.len.min(text.len() - offset);
        let file = (range.start > 0).then(|| file.to_owned());
        PolicyLine { file, line, text: text.to_owned(), offset, len, indent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source::new("p", "a: 1\n  bé: [x, yy]\n")
    }

    #[test]
    fn columns_count_characters() {
        let source = source();
        let places = [0, 12, 999].map(|offset| source.place(offset).to_string());
        assert_eq!(places, ["p:1:1", "p:2:7", "p:3:1"]);
    }

    #[test]
    fn a_line_is_quoted_without_its_indentation() {
        let line = source().line_of(Span { start: 16, len: 2 });
        assert_eq!((line.line, line.text.as_str()), (2, "bé: [x, yy]"));
        assert_eq!(&line.text[line.offset..line.offset + line.len], "yy");
    }
}
