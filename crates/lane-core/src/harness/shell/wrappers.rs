//! Programs that run another one: shells with a line, `env`, `sudo`, `xargs` and their like.

use super::Command;

/// Shells, and whatever else takes a line for a shell after `-c`.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "zsh", "ksh", "ash"];

/// The line that a shell is given.
pub(super) fn line_of(command: &Command) -> Option<String> {
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
pub(super) fn unwrapped(command: &Command) -> Option<Command> {
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
