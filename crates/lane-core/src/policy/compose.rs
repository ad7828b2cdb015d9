//! Which other files a policy consists of: those under `extends`, those that they extend, and those of folders under `include`.
//!
//! Whoever has the files reads them; nothing here touches any. What is wrong is kept with its place, and is told with the other
//! mistakes of the policy. Only the lines under the two keys are read here, so that a policy whose tree is kept need not be parsed.

use std::collections::BTreeSet;

use super::diagnostic::Diagnostic;
use super::merge::paths_under;
use super::node::{Node, Value};
use super::parts::{Part, Parts};
use super::pattern::{Pattern, wild_match};
use super::source::{Source, Span, Spanned};
use super::unknown::did_you_mean;
use crate::facts::Unavailable;
use crate::text::plain;

/// The key of what a policy builds on.
pub(super) const EXTENDS: &str = "extends";
/// The key of the files of folders.
pub(super) const INCLUDE: &str = "include";

/// The most files of one policy beside its own.
const MOST: usize = 1_000;
/// The most files that extend one another in a row.
const DEEPEST: usize = 8;
/// The most bytes of all of them.
pub const LARGEST: usize = 16 << 20;
/// The most mistakes that are told: somebody may write thousands of names for others to look for.
const MOST_MISTAKES: usize = 20;

/// The files of a tree, or of a folder.
pub trait Files {
    /// Reads one. `path`: from the root of the repository, without links on the way.
    ///
    /// # Errors
    /// It is there and cannot be read now.
    fn read(&self, path: &str) -> Result<Found, Unavailable>;

    /// The names in a folder, in any order; none where there is no such folder. `folder`: as in [`Self::read`], or nothing for
    /// the root.
    ///
    /// # Errors
    /// It cannot be read.
    fn names(&self, folder: &str) -> Result<Vec<String>, Unavailable>;

    /// What messages call a file.
    fn name(&self, path: &str) -> String;
}

/// What is under a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A file and its text.
    Text(String),
    /// Nothing.
    Missing,
    /// Something else, as the rest of a sentence: `is a symbolic link`.
    Other(String),
    /// Something else than a folder on the way, likewise: `is in the submodule x`.
    Behind(String),
}

/// The same policy with the files that it extends. `own`: the path of its own file.
///
/// # Errors
/// One of them is there and cannot be read now. That one is not there, and what is wrong with it, is a mistake of the policy.
pub fn compose(source: Source, own: &str, files: &dyn Files) -> Result<Source, Unavailable> {
    let first = asked(&source.text, 0);
    if first.is_nothing() {
        return Ok(source);
    }
    let mut composer = Composer {
        text: source.text,
        parts: Parts::default(),
        files,
        way: vec![own.to_owned()],
        include: Vec::new(),
        tried: BTreeSet::new(),
        is_over: false,
    };
    composer.follow(first)?;
    composer.include()?;
    Ok(Source { name: source.name, text: composer.text, parts: Some(Box::new(composer.parts)) })
}

struct Composer<'f> {
    text: String,
    parts: Parts,
    files: &'f dyn Files,
    /// The files that lead to the one that is being read.
    way: Vec<String>,
    /// Where files of folders are, as the nearest file says.
    include: Vec<Spanned<String>>,
    /// The paths that were looked for, found or not.
    tried: BTreeSet<String>,
    /// Nothing more is read: there is too much of it.
    is_over: bool,
}

impl Composer<'_> {
    fn follow(&mut self, asked: Asked) -> Result<(), Unavailable> {
        let include = asked.include.iter().flatten();
        self.parts.asked.extend(asked.extends.iter().chain(include).filter_map(|item| item.span));
        for item in asked.extends {
            self.extend(&item)?;
        }
        if let Some(include) = asked.include {
            self.include = include;
        }
        Ok(())
    }

    fn include(&mut self) -> Result<(), Unavailable> {
        let mut folders = Vec::new();
        for item in std::mem::take(&mut self.include) {
            let by = item.span.unwrap_or_default();
            let pattern = match pattern_of(&item.value) {
                Ok(pattern) => pattern,
                Err((message, help)) => {
                    self.mistake(Diagnostic::error(by, message, "cannot be used").help(help));
                    continue;
                }
            };
            let names: Vec<&str> = pattern.split('/').collect();
            let mut paths = Vec::new();
            self.expand(&names, "", &mut paths)?;
            for path in paths {
                if path.contains(char::is_control) {
                    let message = format!("`{}` has control characters in its path", plain(&path));
                    self.mistake(Diagnostic::error(by, message, "cannot be used").help("rename it"));
                    continue;
                }
                if self.parts.files.iter().any(|part| part.path == path) {
                    continue;
                }
                let Some(part) = self.add(&path, by, !is_wild(pattern))? else { continue };
                if path.contains('{') {
                    let message = format!("{} has a `{{` in its path", self.parts.files[part].name);
                    let help = "what is in `{}` stands for something in a policy: rename the folder";
                    self.mistake(Diagnostic::error(by, message, "cannot be used").help(help));
                }
                self.parts.files[part].folder = path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
                folders.push(part);
            }
        }
        // What is deeper says more.
        folders.sort_by_key(|part| self.parts.files[*part].path.clone());
        self.parts.order.splice(0..0, folders);
        Ok(())
    }

    /// The paths that a pattern has, whatever is there.
    fn expand(&self, names: &[&str], above: &str, paths: &mut Vec<String>) -> Result<(), Unavailable> {
        if paths.len() > MOST {
            return Ok(());
        }
        let Some((first, rest)) = names.split_first() else {
            paths.push(above.to_owned());
            return Ok(());
        };
        let below = |name: &str| if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
        if !is_wild(first) {
            return self.expand(rest, &below(first), paths);
        }
        for name in self.files.names(above)? {
            if wild_match(first.as_bytes(), name.as_bytes(), false) {
                self.expand(rest, &below(&name), paths)?;
            }
        }
        Ok(())
    }

    fn extend(&mut self, item: &Spanned<String>) -> Result<(), Unavailable> {
        let by = item.span.unwrap_or_default();
        let path = match path_of(&item.value) {
            Ok(path) => path,
            Err((message, help)) => {
                self.mistake(Diagnostic::error(by, message, "not a path").help(help));
                return Ok(());
            }
        };
        if self.way.iter().any(|above| above == path) {
            let way = self.way.iter().map(String::as_str).chain([path]).collect::<Vec<_>>().join(" -> ");
            let message = match self.way.last() {
                Some(last) if last == path => format!("{path} extends itself"),
                _ => format!("{path} extends itself: {way}"),
            };
            self.mistake(Diagnostic::error(by, message, "a circle").help("remove one of these"));
            return Ok(());
        }
        if self.is_over || self.tried.contains(path) {
            return Ok(());
        }
        if self.way.len() > DEEPEST {
            let message = format!("more than {DEEPEST} files extend one another in a row");
            self.mistake(Diagnostic::error(by, message, "too deep").help("extend it further up"));
            return Ok(());
        }
        let Some(part) = self.add(path, by, true)? else { return Ok(()) };
        self.way.push(path.to_owned());
        self.follow(asked(&self.text[self.parts.files[part].start..], self.parts.files[part].start))?;
        self.way.pop();
        self.parts.order.push(part);
        Ok(())
    }

    /// Reads a file behind the others. `must`: it has to be there.
    fn add(&mut self, path: &str, by: Span, must: bool) -> Result<Option<usize>, Unavailable> {
        if self.is_over {
            return Ok(None);
        }
        if self.tried.len() >= MOST {
            self.is_over = true;
            let message = format!("a policy of more than {MOST} files");
            self.mistake(Diagnostic::error(by, message, "too many").help("join some of them"));
            return Ok(None);
        }
        self.tried.insert(path.to_owned());
        let name = self.files.name(path);
        match self.files.read(path)? {
            Found::Text(text) if self.text.len() + text.len() > LARGEST => {
                self.is_over = true;
                let message = format!("with {name} the policy has more than {LARGEST} bytes");
                self.mistake(Diagnostic::error(by, message, "too large").help("is this the right file?"));
            }
            Found::Text(text) => {
                self.text.push('\n');
                let start = self.text.len();
                self.text.push_str(&text);
                self.parts.files.push(Part { name, path: path.to_owned(), start, by, folder: None });
                return Ok(Some(self.parts.files.len() - 1));
            }
            Found::Other(what) => {
                let help =
                    "a policy is made of regular files of one repository, in UTF-8: commit a copy there";
                self.mistake(Diagnostic::error(by, format!("{name} {what}"), "cannot be used").help(help));
            }
            Found::Missing if must => {
                let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
                let there = self.files.names(folder)?;
                let near = did_you_mean(file, there.iter().map(String::as_str));
                let help = near.unwrap_or_else(|| {
                    "write its path from the root of the repository, and commit it to the base".to_owned()
                });
                self.mistake(Diagnostic::error(by, format!("no file {name}"), "not there").help(help));
            }
            Found::Behind(what) if must => {
                let help = "a policy is made of regular files of one repository: commit a copy there";
                self.mistake(Diagnostic::error(by, format!("{name} {what}"), "cannot be used").help(help));
            }
            Found::Missing | Found::Behind(_) => {}
        }
        Ok(None)
    }

    fn mistake(&mut self, mistake: Diagnostic) {
        self.is_over |= self.parts.mistakes.len() + 1 >= MOST_MISTAKES;
        self.parts.mistakes.push(mistake);
    }
}

/// A path from the root of the repository, or what is wrong with it and what helps.
fn path_of(text: &str) -> Result<&str, (String, &'static str)> {
    if text.contains("://") || text.starts_with("git@") {
        return Err((
            format!("`{}` is not a file of this repository", plain(text)),
            "a verdict never depends on the network: commit a copy of the file, and extend that",
        ));
    }
    let path = text.strip_prefix('/').unwrap_or(text);
    let is_name = |name: &str| !matches!(name, "" | "." | "..") && !name.eq_ignore_ascii_case(".git");
    if path.split('/').all(is_name) && !path.contains(|c: char| c.is_control() || "\\*?".contains(c)) {
        return Ok(path);
    }
    Err((
        format!("`{}` is not the path of a file", plain(text)),
        "write the path from the root of the repository: policy/shared.yaml",
    ))
}

/// A pattern for files of folders, or what is wrong with it and what helps.
fn pattern_of(text: &str) -> Result<&str, (String, &'static str)> {
    const HELP: &str =
        "write it from the root of the repository, with the name of the file: services/*/lane.yaml";
    let pattern = text.strip_prefix('/').unwrap_or(text);
    if pattern.split('/').any(|name| name == "**") {
        let help = "each hook would search the whole tree: write one pattern for each depth, such as services/*/lane.yaml";
        return Err((format!("`{text}` has `**`, which `include` cannot have"), help));
    }
    if !pattern.contains('/') {
        return Err((format!("`{text}` is in no folder"), HELP));
    }
    match Pattern::new(&format!("/{pattern}")) {
        Ok(found) if !found.folder_only => Ok(pattern),
        Ok(_) => Err((format!("`{text}` is a folder"), HELP)),
        Err(error) => Err((format!("`{text}`: {}", error.reason), HELP)),
    }
}

fn is_wild(text: &str) -> bool {
    text.contains(['*', '?', '[', '\\'])
}

/// Whether a path is one that a pattern under `include` has.
pub(super) fn includes(pattern: &str, path: &[u8]) -> bool {
    let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
    let (mut wanted, mut have) = (pattern.split('/'), path.split(|byte| *byte == b'/'));
    loop {
        match (wanted.next(), have.next()) {
            (None, None) => return true,
            (Some(wanted), Some(name)) if wild_match(wanted.as_bytes(), name, false) => {}
            _ => return false,
        }
    }
}

/// What a file asks for.
#[derive(Debug, Default)]
struct Asked {
    extends: Vec<Spanned<String>>,
    /// `None` where it says nothing about folders.
    include: Option<Vec<Spanned<String>>>,
}

impl Asked {
    fn is_nothing(&self) -> bool {
        self.extends.is_empty() && self.include.as_ref().is_none_or(Vec::is_empty)
    }
}

/// Reads what a text asks for, which is `shift` bytes behind the start of the whole. A text that says it in another way than at the
/// start of a line is told so when it is parsed.
fn asked(text: &str, shift: usize) -> Asked {
    Asked {
        extends: under(text, shift, EXTENDS).unwrap_or_default(),
        include: under(text, shift, INCLUDE).filter(|items| !items.is_empty()),
    }
}

/// The texts under a key at the start of a line.
fn under(text: &str, shift: usize, key: &str) -> Option<Vec<Spanned<String>>> {
    let begins = |at: usize| text[at + key.len()..].trim_start_matches([' ', '\t']).starts_with(':');
    let line = format!("\n{key}");
    let lines = memchr::memmem::find_iter(text.as_bytes(), &line).map(|at| at + 1);
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let first = text[mark..].starts_with(key).then_some(mark);
    let start = first.into_iter().chain(lines).find(|at| begins(*at))?;
    let block = &text[start..start + block_len(&text[start..])];
    let mut node = Node::parse(block).ok()?;
    node.shift(shift + start);
    let Value::Map(entries) = &node.value else { return None };
    let (_, value) = entries.first()?;
    paths_under(value)
}

/// How long the block is that begins with the first line: all lines that are not at the margin, are a comment, or go on with a list.
fn block_len(text: &str) -> usize {
    let mut len = 0;
    for line in text.split_inclusive('\n') {
        let goes_on = matches!(line.bytes().next(), Some(b' ' | b'\t' | b'#' | b'-' | b']' | b'\r' | b'\n'));
        if len > 0 && !goes_on {
            break;
        }
        len += line.len();
    }
    len
}

#[cfg(test)]
mod tests;
