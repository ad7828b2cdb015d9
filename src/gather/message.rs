//! The message of a commit that is being made.

use std::path::Path;

use super::environment::Environment;
use super::repository::{Read, Repository};
use crate::facts::{Message, Unavailable};

/// The line below which `git commit -v` writes the diff, after the comment character.
const SCISSORS: &str = " ------------------------ >8 ------------------------";

/// A message file: as it is, and as it will be committed.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The bytes of the file as text; each byte is one character if the file is not UTF-8.
    pub raw: String,
    /// Whether the file is UTF-8.
    pub is_utf8: bool,
    /// Without comments.
    pub message: Message,
}

impl Draft {
    /// The bytes of a new text, in the encoding of the file.
    pub fn encoded(&self, text: &str) -> Vec<u8> {
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
            "git gives it to the hook as its first argument: git lane hook commit-msg <file>",
        )
    })?;
    if bytes.contains(&0) {
        return Err(Unavailable::new(
            "the commit message is binary: it has a NUL byte",
            "write the message as text",
        ));
    }
    let (raw, is_utf8) = match String::from_utf8(bytes) {
        Ok(raw) => (raw, true),
        // The tags are ASCII, and every encoding that git commits with has ASCII in it.
        Err(error) if !repo.config("i18n.commitEncoding")?.is_empty() => {
            (error.as_bytes().iter().copied().map(char::from).collect(), false)
        }
        Err(_) => {
            return Err(Unavailable::new(
                "the commit message is not UTF-8",
                "write it in UTF-8, or name its encoding: git config i18n.commitEncoding <name>",
            ));
        }
    };
    let message = parse(repo, environment, &raw)?;
    Ok(Draft { raw, is_utf8, message })
}

/// What git will make of the text of a message file.
///
/// # Errors
/// The configuration cannot be read.
pub fn parse(repo: &dyn Repository, environment: &Environment, raw: &str) -> Read<Message> {
    Ok(Message { text: cleaned(repo, environment, raw)? })
}

/// What git will leave of the text. Without an editor git keeps lines that begin with the comment
/// character, unless `commit.cleanup` says otherwise.
fn cleaned(repo: &dyn Repository, environment: &Environment, raw: &str) -> Read<String> {
    let mut comment = None;
    for key in ["core.commentChar", "core.commentString"] {
        let said = environment.config.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(key));
        let said = said.map(|(_, value)| value.clone());
        comment = said.or(repo.config(key)?.pop()).or(comment);
    }
    let comment = match comment.as_deref() {
        Some("auto") => chosen_comment(raw),
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => "#".to_owned(),
    };
    let scissors = format!("{comment}{SCISSORS}");
    let mode = repo.config("commit.cleanup")?.pop().unwrap_or_else(|| "default".to_owned());
    let keeps_comments = match mode.as_str() {
        "strip" => false,
        // A squash in a rebase opens no editor, and git strips its own comments all the same.
        "default" => {
            environment.no_editor && !raw.starts_with(&format!("{comment} This is a combination of "))
        }
        _ => true,
    };
    let lines = raw.lines().take_while(|line| *line != scissors);
    let kept: Vec<&str> = lines.filter(|line| keeps_comments || !line.starts_with(&comment)).collect();
    Ok(kept.join("\n").trim().to_owned())
}

/// The comment character that git chose for `auto`: its own comments end the file.
fn chosen_comment(raw: &str) -> String {
    let last = raw.lines().rev().find(|line| !line.trim().is_empty());
    let first = last.and_then(|line| line.chars().next());
    first.filter(|c| "#;@!$%^&|:".contains(*c)).unwrap_or('#').to_string()
}
