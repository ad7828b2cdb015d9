//! What a line for a shell does, as far as it says so plainly: its simple commands, each with the words that are known before it
//! runs. What an expansion decides is not known, and never guessed.

use brush_parser::ast::{
    AndOr, AndOrList, AssignmentName, AssignmentValue, Command as Node, CommandPrefixOrSuffixItem,
    CompoundCommand, CompoundList, IoFileRedirectKind, IoFileRedirectTarget, IoRedirect, Pipeline,
    SeparatorOperator, SimpleCommand, Word,
};
use brush_parser::word::{self, WordPiece, WordPieceWithSource};
use brush_parser::{ParserOptions, TokenizerOptions, parse_tokens, uncached_tokenize_str};

use super::nesting;

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
    let mut walk = Walk { found: Vec::new(), folder: Some(String::new()), depth: 0 };
    walk.line(line)?;
    Some(walk.found)
}

/// A path below a folder, where both are known.
pub fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") }
}

/// Shells, and whatever else takes a line for a shell after `-c`.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "zsh", "ksh", "ash"];

struct Walk {
    found: Vec<Command>,
    folder: Option<String>,
    depth: usize,
}

impl Walk {
    fn line(&mut self, line: &str) -> Option<()> {
        if self.depth >= NESTED || line.len() > LONGEST || !nesting::has_few_substitutions(line) {
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

/// The line that a shell is given.
fn line_of(command: &Command) -> Option<String> {
    let program = command.program()?;
    let known = |words: &[Option<String>]| words.iter().cloned().collect::<Option<Vec<String>>>();
    if program == "eval" {
        return Some(known(&command.words[1..])?.join(" "));
    }
    if !SHELLS.contains(&program) {
        return None;
    }
    let mut words = command.words[1..].iter();
    loop {
        let word = words.next()?.as_deref()?;
        let is_option = word.starts_with(['-', '+']) && word.len() > 1;
        if !is_option {
            return None;
        }
        if word.starts_with('-') && !word.starts_with("--") && word.contains('c') {
            return words.next()?.clone();
        }
        if matches!(word, "-o" | "+o" | "-O" | "+O" | "--rcfile" | "--init-file") {
            words.next()?;
        }
    }
}

/// What a program that only starts another one starts.
fn unwrapped(command: &Command) -> Option<Command> {
    let program = command.program()?;
    let rest = &command.words[1..];
    let mut variables = command.variables.clone();
    // How many of its words come before the program, and which of its options take a value of their own.
    let (values, leading): (&[&str], usize) = match program {
        "env" => (&["-u", "--unset", "-C", "--chdir", "-S", "--split-string"], 0),
        "command" | "builtin" | "exec" | "nohup" | "setsid" | "time" | "then" => (&["-a", "-o", "-f"], 0),
        "nice" => (&["-n", "--adjustment"], 0),
        "ionice" => (&["-c", "-n"], 0),
        "stdbuf" => (&["-i", "-o", "-e"], 0),
        "sudo" | "doas" => (&["-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T"], 0),
        "timeout" => (&["-k", "-s", "--kill-after", "--signal"], 1),
        "xargs" => (&["-I", "-n", "-P", "-L", "-d", "-E", "-s", "-a"], 0),
        _ => return None,
    };
    let mut at = 0;
    let mut leading = leading;
    while let Some(word) = rest.get(at) {
        let word = word.as_deref()?;
        if word == "--" {
            at += 1;
            break;
        }
        if word.starts_with('-') && word.len() > 1 {
            if matches!((program, word), ("env", "-S" | "-C" | "--split-string" | "--chdir"))
                || word.starts_with("--chdir=")
            {
                return None;
            }
            at += if values.contains(&word) { 2 } else { 1 };
        } else if let Some((name, value)) = word.split_once('=').filter(|_| matches!(program, "env" | "sudo"))
        {
            variables.push((name.to_owned(), Some(value.to_owned())));
            at += 1;
        } else if leading > 0 {
            leading -= 1;
            at += 1;
        } else {
            break;
        }
    }
    let mut words = rest.get(at..).filter(|words| !words.is_empty())?.to_vec();
    if program == "xargs" {
        words.push(None);
    }
    Some(Command {
        variables,
        words,
        writes: Vec::new(),
        input: command.input.clone(),
        folder: command.folder.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::commands;

    /// The commands in short: `[variables] words >writes @folder`; `…` for what is not known.
    fn read(line: &str) -> Vec<String> {
        let shown = |word: &Option<String>| word.clone().unwrap_or_else(|| "…".to_owned());
        let commands = commands(line).unwrap_or_else(|| panic!("cannot be read: {line}"));
        let one = |command: super::Command| {
            let variables = command.variables.iter().map(|(name, value)| format!("{name}={}", shown(value)));
            let words = command.words.iter().map(shown);
            let writes = command.writes.iter().map(|file| format!(">{}", shown(file)));
            let folder = match command.folder.as_deref() {
                Some("") => None,
                folder => Some(format!("@{}", folder.unwrap_or("…"))),
            };
            variables.chain(words).chain(writes).chain(folder).collect::<Vec<_>>().join(" ")
        };
        commands.into_iter().map(one).collect()
    }

    #[test]
    fn words_are_taken_as_a_shell_takes_them() {
        assert_eq!(read("git commit -m 'a b' --no-verify"), ["git commit -m a b --no-verify"]);
        assert_eq!(read(r#"git commit -m "it's \"x\"" a\ b"#), [r#"git commit -m it's "x" a b"#]);
        assert_eq!(read("X=1 git push $REMOTE \"$A\"x ~/y *.c"), ["X=1 git push … … … …"]);
        assert_eq!(read("# git push --force\nls"), ["ls"]);
        assert_eq!(read("git com\"mit\" --no-\\\nverify"), ["git commit --no-verify"]);
    }

    #[test]
    fn lists_pipes_and_groups() {
        assert_eq!(read("a && b || c; d | e & (f); { g; }"), ["a", "b", "c", "d", "e", "f", "g"]);
        assert_eq!(read("if a; then b; else c; fi; for x in 1 2; do d; done"), ["a", "b", "c", "d"]);
        assert_eq!(read("f() { git push -f; }; f"), ["git push -f", "f"]);
        assert_eq!(read("echo $(git push -f) `ls`"), ["git push -f", "ls", "echo … …"]);
    }

    #[test]
    fn folders() {
        assert_eq!(read("cd a && x; cd b; y"), ["cd a", "x @a", "cd b @a", "y @a/b"]);
        assert_eq!(read("(cd a; x); y"), ["cd a", "x @a", "y"]);
        assert_eq!(read("cd $A; x; cd /b; y"), ["cd …", "x @…", "cd /b @…", "y @…"]);
        assert_eq!(read("if a; then cd b; fi; x"), ["a", "cd b", "x @…"]);
    }

    #[test]
    fn shells_and_wrappers() {
        assert_eq!(read("sh -c 'git push -f'"), ["sh -c git push -f", "git push -f"]);
        assert_eq!(read("bash -lc \"cd a; x\"; y"), ["bash -lc cd a; x", "cd a", "x @a", "y"]);
        assert_eq!(read("env -u A B=1 git x"), ["env -u A B=1 git x", "B=1 git x"]);
        assert_eq!(
            read("timeout -k 1 5 nice -n 3 git x"),
            ["timeout -k 1 5 nice -n 3 git x", "nice -n 3 git x", "git x"]
        );
        assert_eq!(read("ls | xargs rm"), ["ls", "xargs rm", "rm …"]);
        assert_eq!(read("eval git push -f"), ["eval git push -f", "git push -f"]);
        assert_eq!(read("sudo sh -c 'a'"), ["sudo sh -c a", "sh -c a", "a"]);
    }

    #[test]
    fn redirections() {
        assert_eq!(read("a >x 2>>y <z 2>&1 &>w"), ["a >x >y >w"]);
        assert_eq!(read("cat <<'E' >x\nhi\nE\n"), ["cat >x"]);
        assert_eq!(read("{ a; b; } >x"), ["a", "b", ">x"]);
        assert_eq!(commands("p <<'E'\n$x\nE\n").unwrap()[0].input.as_deref(), Some("$x\n"));
        assert_eq!(commands("p <<E\n$x\nE\n").unwrap()[0].input, None);
    }

    #[test]
    fn what_is_no_line_of_a_shell() {
        for line in ["'", "if", "a &&", "$(", "(a"] {
            assert_eq!(commands(line), None, "{line}");
        }
    }

    /// What begins a level, what stands inside, and what ends it.
    const LEVELS: [(&str, &str, &str); 26] = [
        ("( ", "a", ")"),
        ("((", "1", "))"),
        ("{ ", "a", "; }"),
        ("f() { ", "a", "; }"),
        ("$(", "a", ")"),
        ("\"$(", "a", ")\""),
        ("$( ')' ", "a", ")"),
        ("$(case x in a) ", "a", ";; esac)"),
        ("$((", "1", "))"),
        ("${x:-", "a", "}"),
        ("\"${x:-", "a", "}\""),
        ("$[", "1", "]"),
        ("`", "a", "`"),
        ("cat <(", "a", ")"),
        ("if ", "a", "; then b; fi"),
        ("if a; then b; else ", "a", "; fi"),
        ("if a; then ", "b", "; elif c; then d; fi"),
        ("while ", "a", "; do b; done"),
        ("until a; do ", "a", "; done"),
        ("for x in a; do ", "a", "; done"),
        ("case x in a) ", "a", ";; esac"),
        ("coproc ", "a", ""),
        ("[[ ( ", "a", " ) ]]"),
        ("! ", "a", ""),
        ("sh -c \"", "a", "\""),
        ("cat <<E\n$(", "a", ")\nE\n"),
    ];

    #[test]
    fn nothing_is_nested_so_deep_that_reading_it_ends_the_program() {
        for (begin, inside, end) in LEVELS {
            for depth in [1, 8, 12, 100, 101, 5_000, 50_000] {
                // With and without its ends, and closed where it looks open.
                for (ends, more) in [(depth, ""), (0, ""), (0, "'"), (depth / 2, "")] {
                    let line = format!("{}{inside}{}{more}", begin.repeat(depth), end.repeat(ends));
                    let _ = commands(&line);
                }
            }
        }
        for many in
            ["a && ", "a | ", "a; ", "a & ", "a\n", "X=1 ", ">x ", "env ", "if a; then b; fi; ", "$(a) "]
        {
            assert!(commands(&format!("{}a", many.repeat(2_000))).is_some(), "{many}");
        }
        for inside in ["a || ", "a && ", "! ", "-n "] {
            let _ = commands(&format!("[[ {}a ]]", inside.repeat(20_000)));
        }
        let elifs = format!("if a; then b; {} fi", "elif c; then d; ".repeat(10_000));
        let _ = commands(&elifs);
        let cases = format!("case x in {} esac", "a|b) c;; ".repeat(1_000));
        assert!(commands(&cases).is_some());
    }

    #[test]
    fn what_people_write_is_not_too_deep() {
        let heredoc = |body: &str| format!("cat >a/b.c <<'E'\n{}E\n", body.repeat(400));
        for body in
            ["int f() { return (1); }\n", "  \"k\": { \"${v}\": [1, $(x)] },\n", "don't (see $HOME)\n"]
        {
            let read = commands(&heredoc(body)).unwrap_or_else(|| panic!("{body}"));
            assert_eq!(read[0].writes, [Some("a/b.c".to_owned())]);
        }
        let script = "for f in *; do if [ -f \"$f\" ]; then (cd \"$(dirname \"$f\")\" && while read -r x; do case $x in a) { echo b; };; esac; done); fi; done";
        assert!(commands(script).is_some());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(500))]
        #[test]
        fn any_words_are_read_or_not(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "(", ")", "((", "))", "{", "}", "if", "then", "else", "elif", "fi", "while", "until", "do", "done", "for",
                    "x in", "case", "in", "esac", ";;", "a)", "[[", "]]", "!", "coproc", "function", "f()", "$(", "${", "$((", "`",
                    "'", "\"", "\\", "<(", ">", "<<E\n", "E\n", "\nE\n", "<<<", "&&", "||", "|", ";", "&", "\n", "a", "=", "a=(", "cd b",
                    "sh -c", "eval", "env", "xargs", "git push", "@(", "?(", "#", "\u{0}", "\u{feff}", "é", "~", "*", "time", "select",
                ]), 0..120,
            ),
            is_spaced in proptest::bool::ANY,
        ) {
            let _ = commands(&words.join(if is_spaced { " " } else { "" }));
        }

        #[test]
        fn any_text_is_read_or_not(text in "\\PC{0,400}") {
            let _ = commands(&text);
        }
    }
}
