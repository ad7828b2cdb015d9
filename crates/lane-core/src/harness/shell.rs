//! What a line for a shell does, as far as it says so plainly: its simple commands, each with the words that are known before it
//! runs. What an expansion decides is not known, and never guessed.

use brush_parser::ast::{
    AndOr, AndOrList, AssignmentName, AssignmentValue, Command as Node, CommandPrefixOrSuffixItem,
    CompoundCommand, CompoundList, IoFileRedirectKind, IoFileRedirectTarget, IoRedirect, Pipeline,
    SeparatorOperator, SimpleCommand, Word,
};
use brush_parser::word::{self, WordPiece, WordPieceWithSource};
use brush_parser::{ParserOptions, TokenizerOptions, parse_tokens, uncached_tokenize_str};

use self::wrappers::{line_of, unwrapped};
use super::nesting;

pub mod apart;
mod wrappers;

/// How deep shells may start shells.
const NESTED: usize = 8;

/// A line that is longer is not read, in bytes: no agent types it.
const LONGEST: usize = 256 * 1024;

/// A simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// Variables that are set for it, with their values where those are known.
    pub variables: Vec<(String, Option<String>)>,
    /// Its words, the program first; `None` for one that an expansion decides.
    pub words: Vec<Option<String>>,
    /// The files that its redirections write to.
    pub writes: Vec<Option<String>>,
    /// What it is given on standard input, where a here-document says it.
    pub input: Option<String>,
    /// The folder that it runs in, from where the line begins; `None` where that is not known.
    pub folder: Option<String>,
}

impl Command {
    /// The program's name, without its folder.
    pub fn program(&self) -> Option<&str> {
        let program = self.words.first()?.as_deref()?;
        Some(program.rsplit('/').next().unwrap_or(program))
    }
}

/// The simple commands of a line, in its order, those of shells and wrappers that it starts among them. `None`: it cannot be
/// read.
pub fn commands(line: &str) -> Option<Vec<Command>> {
    let line = line.to_owned();
    apart::run(move || {
        let mut walk = Walk { found: Vec::new(), folder: Some(String::new()), depth: 0 };
        walk.line(&line)?;
        Some(walk.found)
    })
}

/// A path below a folder, where both are known.
pub fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") }
}

struct Walk {
    found: Vec<Command>,
    folder: Option<String>,
    depth: usize,
}

impl Walk {
    fn line(&mut self, line: &str) -> Option<()> {
        let is_bounded = nesting::has_few_substitutions(line) && nesting::has_named_documents(line);
        if self.depth >= NESTED || line.len() > LONGEST || !is_bounded {
            return None;
        }
        let tokens = uncached_tokenize_str(line, &TokenizerOptions::default()).ok()?;
        if !nesting::has_few_lists(&tokens) {
            return None;
        }
        let program = parse_tokens(&tokens, &ParserOptions::default()).ok()?;
        self.depth += 1;
        for list in &program.complete_commands {
            self.list(list);
        }
        self.depth -= 1;
        Some(())
    }

    /// What it does to the folder is forgotten after it.
    fn in_subshell(&mut self, walk: impl FnOnce(&mut Self)) {
        let folder = self.folder.clone();
        walk(self);
        self.folder = folder;
    }

    /// It may run or not: where that makes a difference, the folder is not known afterwards.
    fn perhaps(&mut self, walk: impl FnOnce(&mut Self)) {
        let folder = self.folder.clone();
        walk(self);
        if self.folder != folder {
            self.folder = None;
        }
    }

    fn list(&mut self, list: &CompoundList) {
        for item in &list.0 {
            match item.1 {
                SeparatorOperator::Async => self.in_subshell(|walk| walk.and_or(&item.0)),
                SeparatorOperator::Sequence => self.and_or(&item.0),
            }
        }
    }

    fn and_or(&mut self, list: &AndOrList) {
        self.pipeline(&list.first);
        for next in &list.additional {
            match next {
                AndOr::And(pipeline) => self.pipeline(pipeline),
                AndOr::Or(pipeline) => self.perhaps(|walk| walk.pipeline(pipeline)),
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        match pipeline.seq.as_slice() {
            [one] => self.command(one),
            several => several.iter().for_each(|command| self.in_subshell(|walk| walk.command(command))),
        }
    }

    fn command(&mut self, command: &Node) {
        match command {
            Node::Simple(simple) => self.simple(simple),
            Node::Compound(compound, redirects) => {
                self.compound(compound);
                self.redirects(redirects.as_ref().map(|list| list.0.as_slice()).unwrap_or_default());
            }
            Node::Function(function) => self.in_subshell(|walk| walk.compound(&function.body.0)),
            Node::ExtendedTest(..) => {}
        }
    }

    fn compound(&mut self, compound: &CompoundCommand) {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list),
            CompoundCommand::Subshell(group) => self.in_subshell(|walk| walk.list(&group.list)),
            CompoundCommand::ForClause(clause) => self.perhaps(|walk| walk.list(&clause.body.list)),
            CompoundCommand::ArithmeticForClause(clause) => self.perhaps(|walk| walk.list(&clause.body.list)),
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.list(&clause.0);
                self.perhaps(|walk| walk.list(&clause.1.list));
            }
            CompoundCommand::IfClause(clause) => {
                self.list(&clause.condition);
                self.perhaps(|walk| walk.list(&clause.then));
                for other in clause.elses.iter().flatten() {
                    self.perhaps(|walk| {
                        other.condition.iter().for_each(|condition| walk.list(condition));
                        walk.list(&other.body);
                    });
                }
            }
            CompoundCommand::CaseClause(clause) => {
                for case in &clause.cases {
                    self.perhaps(|walk| case.cmd.iter().for_each(|list| walk.list(list)));
                }
            }
            CompoundCommand::Coprocess(coprocess) => self.in_subshell(|walk| walk.command(&coprocess.body)),
            CompoundCommand::Arithmetic(_) => {}
        }
    }

    /// Redirections of several commands together.
    fn redirects(&mut self, redirects: &[IoRedirect]) {
        let mut command = Command { folder: self.folder.clone(), ..Command::default() };
        redirects.iter().for_each(|redirect| self.redirect(redirect, &mut command));
        if !command.writes.is_empty() {
            self.found.push(command);
        }
    }

    fn redirect(&mut self, redirect: &IoRedirect, command: &mut Command) {
        match redirect {
            IoRedirect::File(_, kind, IoFileRedirectTarget::Filename(file)) => {
                let file = self.word(file);
                let is_read = matches!(kind, IoFileRedirectKind::Read | IoFileRedirectKind::DuplicateInput);
                command.writes.extend((!is_read).then_some(file));
            }
            // `>&2` names a stream, `>&file` a file.
            IoRedirect::File(
                _,
                IoFileRedirectKind::DuplicateOutput,
                IoFileRedirectTarget::Duplicate(file),
            ) => {
                let file = self.word(file);
                let is_stream =
                    file.as_ref().is_none_or(|file| file.bytes().all(|b| b.is_ascii_digit() || b == b'-'));
                command.writes.extend((!is_stream).then_some(file));
            }
            IoRedirect::File(_, _, IoFileRedirectTarget::ProcessSubstitution(_, shell)) => {
                self.in_subshell(|walk| walk.list(&shell.list));
            }
            IoRedirect::OutputAndError(file, _) => command.writes.push(self.word(file)),
            IoRedirect::HereDocument(_, document) => {
                let is_plain = !document.requires_expansion || !document.doc.value.contains(['$', '`']);
                command.input = is_plain.then(|| document.doc.value.clone());
            }
            IoRedirect::HereString(_, text) => command.input = self.word(text),
            IoRedirect::File(..) => {}
        }
    }

    fn simple(&mut self, simple: &SimpleCommand) {
        let mut command = Command { folder: self.folder.clone(), ..Command::default() };
        let prefix = simple.prefix.iter().flat_map(|prefix| &prefix.0);
        let suffix = simple.suffix.iter().flat_map(|suffix| &suffix.0);
        for item in prefix {
            match item {
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) => {
                    if let (AssignmentName::VariableName(name), AssignmentValue::Scalar(value)) =
                        (&assignment.name, &assignment.value)
                    {
                        let value = self.word(value);
                        command.variables.push((name.clone(), value));
                    }
                }
                other => self.item(other, &mut command),
            }
        }
        if let Some(program) = &simple.word_or_name {
            let program = self.word(program);
            command.words.push(program);
        }
        for item in suffix {
            match item {
                CommandPrefixOrSuffixItem::AssignmentWord(_, word) => {
                    let word = self.word(word);
                    command.words.push(word);
                }
                other => self.item(other, &mut command),
            }
        }
        self.run(command);
    }

    fn item(&mut self, item: &CommandPrefixOrSuffixItem, command: &mut Command) {
        match item {
            CommandPrefixOrSuffixItem::IoRedirect(redirect) => self.redirect(redirect, command),
            CommandPrefixOrSuffixItem::Word(word) => {
                let word = self.word(word);
                command.words.push(word);
            }
            CommandPrefixOrSuffixItem::ProcessSubstitution(_, shell) => {
                command.words.push(None);
                self.in_subshell(|walk| walk.list(&shell.list));
            }
            CommandPrefixOrSuffixItem::AssignmentWord(..) => {}
        }
    }

    /// Notes a command, and looks into what it starts.
    fn run(&mut self, command: Command) {
        if command.program() == Some("cd") {
            self.folder = match (command.words.get(1), &self.folder) {
                (Some(Some(to)), Some(folder)) if command.words.len() == 2 && to != "-" => {
                    Some(join(folder, to))
                }
                _ => None,
            };
        }
        let inner = unwrapped(&command);
        let line = line_of(&command);
        self.found.push(command);
        if let Some(line) = line {
            self.in_subshell(|walk| {
                let _ = walk.line(&line);
            });
        }
        if let Some(inner) = inner.filter(|_| self.depth < NESTED) {
            self.depth += 1;
            self.run(inner);
            self.depth -= 1;
        }
    }

    /// A word, if it is known; commands whose output goes into it are found as well.
    fn word(&mut self, word: &Word) -> Option<String> {
        let pieces = word::parse(&word.value, &ParserOptions::default()).ok()?;
        let mut text = String::new();
        let is_known = self.pieces(&pieces, false, &mut text);
        is_known.then_some(text)
    }

    fn pieces(&mut self, pieces: &[WordPieceWithSource], is_quoted: bool, text: &mut String) -> bool {
        let mut is_known = true;
        for piece in pieces {
            is_known &= match &piece.piece {
                WordPiece::Text(part) => {
                    text.push_str(part);
                    // Several words, or other ones, may come of these.
                    is_quoted || !part.contains(['*', '?', '[', '{'])
                }
                WordPiece::SingleQuotedText(part) => {
                    text.push_str(part);
                    true
                }
                WordPiece::AnsiCQuotedText(part) => {
                    text.push_str(part);
                    !part.contains('\\')
                }
                WordPiece::EscapeSequence(part) => {
                    text.push_str(part.strip_prefix('\\').unwrap_or(part));
                    true
                }
                WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                    self.pieces(inner, true, text)
                }
                WordPiece::CommandSubstitution(line) | WordPiece::BackquotedCommandSubstitution(line) => {
                    self.in_subshell(|walk| {
                        let _ = walk.line(line);
                    });
                    false
                }
                WordPiece::TildeExpansion(_)
                | WordPiece::ParameterExpansion(_)
                | WordPiece::ArithmeticExpression(_) => false,
            };
        }
        is_known
    }
}

#[cfg(test)]
mod tests;
