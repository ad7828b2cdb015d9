//! The first word of a command.

/// What a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A file of the repository, from its root.
    File(String),
    /// A program that the PATH leads to.
    Name(String),
}

impl Program {
    /// What a command for sh runs: its first word, without its quotes.
    ///
    /// # Errors
    /// Why that cannot be told: sh would have to make something of it first.
    pub fn of(run: &str) -> Result<Self, String> {
        let not_plain = || "its first word is not a plain path or name".to_owned();
        let word = first_word(run).ok_or_else(not_plain)?;
        if word.contains('=') || word.chars().any(char::is_control) {
            return Err(not_plain());
        }
        if !word.contains('/') {
            return Ok(Self::Name(word));
        }
        match in_repository(&word) {
            Some(path) => Ok(Self::File(path)),
            None => Err(format!("`{word}` is not a path in the repository")),
        }
    }
}

/// A path from the root of a repository, as git has it; `None` of one that leads elsewhere.
pub fn in_repository(path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let is_fine =
        !parts.is_empty() && !parts.iter().any(|part| *part == ".." || part.eq_ignore_ascii_case(".git"));
    is_fine.then(|| parts.join("/"))
}

/// POSIX, "Shell Command Language", 2.2 Quoting; `None` where there is more to it.
fn first_word(run: &str) -> Option<String> {
    let mut word = String::new();
    let mut chars = run.trim_start_matches([' ', '\t', '\r', '\n']).chars();
    let mut quote: Option<char> = None;
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), c) => word.push(c),
            (_, '$' | '`') => return None,
            (Some(_), '\\') => match chars.next()? {
                c @ ('"' | '\\' | '$' | '`') => word.push(c),
                c => word.extend(['\\', c]),
            },
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => quote = Some(c),
            (None, '\\') => word.push(chars.next()?),
            (None, ' ' | '\t' | '\n' | '\r') => break,
            (None, '|' | '&' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | '{' | '}' | '!') => {
                return None;
            }
            (None, '#' | '~') if word.is_empty() => return None,
            (None, c) => word.push(c),
        }
    }
    (quote.is_none() && !word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs() {
        let file = |path: &str| Ok(Program::File(path.to_owned()));
        let name = |name: &str| Ok(Program::Name(name.to_owned()));
        for (run, expected) in [
            ("./scripts/no-todo", file("scripts/no-todo")),
            ("scripts//a b", file("scripts/a")),
            ("'./my scripts/a b' -x", file("my scripts/a b")),
            ("\"./a\\\"b\" c", file("a\"b")),
            ("./a\\ b c", file("a b")),
            ("./a'b'\"c\"", file("abc")),
            ("python3 scripts/x.py", name("python3")),
            ("  git\tgrep x", name("git")),
            ("./a\r\n", file("a")),
        ] {
            assert_eq!(Program::of(run), expected, "{run}");
        }
        for run in [
            "", "  ", "$X", "`x`", "A=1 ./x", "./x; rm", "(./x)", "'./x", "/bin/sh", "./../x", ".git/x",
            "./", "''", "x|y", "! ./x", "./a\nb;c",
        ] {
            let is_fine = run == "./a\nb;c";
            assert_eq!(Program::of(run).is_ok(), is_fine, "{run}");
        }
    }
}
