//! The text of a policy and places in it.

use std::ops::Range;

use serde::{Deserialize, Serialize, Serializer};

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
    /// The whole text.
    pub text: String,
}

/// One line of a policy, as a finding quotes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct PolicyLine {
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

impl Source {
    /// The line and column (both from 1, columns in characters) of a byte offset.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (line, before[start..].chars().count() + 1)
    }

    /// The line in which a span begins, with the span's words marked.
    pub fn line_of(&self, span: Span) -> PolicyLine {
        let (line, _) = self.line_column(span.start);
        let at = span.start.min(self.text.len());
        let start = self.text[..at].rfind('\n').map_or(0, |nl| nl + 1);
        let end = self.text[start..].find('\n').map_or(self.text.len(), |nl| start + nl);
        let whole = self.text[start..end].trim_end();
        let text = whole.trim_start();
        let indent = whole.len() - text.len();
        let offset = at.saturating_sub(start + indent).min(text.len());
        PolicyLine { line, text: text.to_owned(), offset, len: span.len.min(text.len() - offset), indent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source { name: "p".into(), text: "a: 1\n  bé: [x, yy]\n".into() }
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(source().line_column(0), (1, 1));
        assert_eq!(source().line_column(12), (2, 7));
        assert_eq!(source().line_column(999), (3, 1));
    }

    #[test]
    fn a_line_is_quoted_without_its_indentation() {
        let line = source().line_of(Span { start: 16, len: 2 });
        assert_eq!((line.line, line.text.as_str()), (2, "bé: [x, yy]"));
        assert_eq!(&line.text[line.offset..line.offset + line.len], "yy");
    }
}
