//! A policy of several files: those that it extends, and those of folders.
//!
//! Their texts stand one behind the other, a line end between them, so that a span says by itself which file it is in.

use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::source::{Source, Span};

/// The files of a policy beside its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// In the order of the text.
    pub files: Vec<Part>,
    /// The same by what they have to say, by their numbers: what a later one says counts, and what the policy's own file
    /// says before all.
    pub order: Vec<usize>,
    /// The words that asked for them.
    pub asked: Vec<Span>,
    /// Why there are not more.
    pub mistakes: Vec<Diagnostic>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What a reader can open, as [`Source::name`].
    pub name: String,
    /// Its path in the repository.
    pub path: String,
    /// Where its text begins.
    pub start: usize,
    /// The words that asked for it first.
    pub by: Span,
    /// The folder that it speaks of; `None` where it is extended, and speaks of all.
    pub folder: Option<String>,
}

impl Source {
    /// The files beside its own.
    pub fn files(&self) -> &[Part] {
        self.parts.as_ref().map_or(&[], |parts| &parts.files)
    }

    /// How long the text of its own file is, which comes first.
    pub fn own_len(&self) -> usize {
        self.files().first().map_or(self.text.len(), |part| part.start - 1)
    }

    /// The text of its own file.
    pub fn own_text(&self) -> &str {
        &self.text[..self.own_len()]
    }

    /// Where the text of one of the others is.
    pub fn range_of(&self, part: usize) -> Range<usize> {
        let files = self.files();
        let end = files.get(part + 1).map_or(self.text.len(), |next| next.start - 1);
        files.get(part).map_or(end..end, |part| part.start..end)
    }

    /// The file that an offset is in: its name, and where its text is.
    pub fn file_at(&self, offset: usize) -> (&str, Range<usize>) {
        match self.files().partition_point(|part| part.start <= offset) {
            0 => (&self.name, 0..self.own_len()),
            behind => (&self.files()[behind - 1].name, self.range_of(behind - 1)),
        }
    }

    /// Each file: its name and its text.
    pub fn each_file(&self) -> impl Iterator<Item = (&str, &str)> {
        let others = self.files().iter().enumerate();
        std::iter::once((self.name.as_str(), self.own_text()))
            .chain(others.map(|(at, part)| (part.name.as_str(), &self.text[self.range_of(at)])))
    }

    /// What it is called together with the others.
    pub fn title(&self) -> String {
        match self.files().len() {
            0 => self.name.clone(),
            1 => format!("{} and 1 other file", self.name),
            count => format!("{} and {count} other files", self.name),
        }
    }
}
