//! The message of a commit that is being made.

use std::path::Path;

use super::cleanup::{Cleanup, value};
use super::environment::Environment;
use lane_core::facts::{Message, Unavailable};
use lane_git::{Read, Repository};

/// A message file: as it is, and as it will be committed.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The bytes of the file as text; each byte is one character if the file is not UTF-8.
    pub raw: String,
    /// Whether the file is UTF-8.
    pub is_utf8: bool,
    /// Without comments.
    pub message: Message,
    /// How git makes that of the text.
    pub cleanup: Cleanup,
}

impl Draft {
    /// The same file with another text.
    #[must_use]
    pub fn with(&self, raw: String) -> Self {
        let message = Message { text: self.cleanup.clean(&raw) };
        Self { raw, message, ..self.clone() }
    }

    /// The bytes of a new text, in the encoding of the file.
    pub fn encode(&self, text: &str) -> Vec<u8> {
        if self.is_utf8 {
            return text.as_bytes().to_vec();
        }
        text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
    }
}

/// Reads the message file that git gave to the hook.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn read(repo: &dyn Repository, environment: &Environment, path: &Path) -> Read<Draft> {
    let bytes = std::fs::read(path).map_err(|error| {
        Unavailable::new(
            format!("the message file {} cannot be read: {error}", path.display()),
            "name the file that has it: git lane hook commit-msg FILE",
        )
    })?;
    if bytes.contains(&0) {
        return Err(Unavailable::new(
            "the commit message is binary: it has a NUL byte",
            "write the message as plain text",
        ));
    }
    let (raw, is_utf8) = match String::from_utf8(bytes) {
        Ok(raw) => (raw, true),
        // The tags are ASCII, and every encoding that git commits with has ASCII in it.
        Err(error) if value(repo, environment, "i18n.commitEncoding")?.is_some() => {
            (error.as_bytes().iter().copied().map(char::from).collect(), false)
        }
        Err(_) => {
            return Err(Unavailable::new(
                "the commit message is not UTF-8",
                "write it in UTF-8, or name its encoding: git config i18n.commitEncoding NAME",
            ));
        }
    };
    let cleanup = Cleanup::of(repo, environment, &raw)?;
    let message = Message { text: cleanup.clean(&raw) };
    Ok(Draft { raw, is_utf8, message, cleanup })
}
