//! `git lane complete SHELL INDEX -- WORD…`: what the scripts of `git lane completions` ask. It answers quickly and says
//! nothing else: outside of a repository, and with a policy that has mistakes, there are commands and options alone.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;

use clap_complete::CompletionCandidate;
use clap_complete::engine::complete;

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::commands::args;
use crate::commands::completions::Shell;
use crate::commands::near_miss;
use lane_core::text::has_hidden;

/// What the scripts of completion call
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell that asks
    pub shell: Shell,
    /// Which word is completed, the program's name being the first, 0
    pub index: usize,
    /// The words
    #[arg(last = true)]
    pub words: Vec<OsString>,
}

/// Prints the candidates, each on a line of its own, with what they mean where the shell shows it.
///
/// # Errors
/// None: somebody is in the middle of typing.
pub fn run(args: &Args, _: &Output) -> Outcome {
    let mut words = args.words.clone();
    words.resize(args.index + 1, OsString::new());
    go_to_folder(&words);
    let mut text = String::new();
    for candidate in candidates(words, args.index) {
        let value = candidate.get_value().to_string_lossy();
        if has_hidden(&value) || value.contains(['\n', '\t']) {
            continue;
        }
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.lines().next().filter(|line| !has_hidden(line)).unwrap_or_default();
        text.push_str(&line(args.shell, &value, help));
        text.push('\n');
    }
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(0)
}

fn line(shell: Shell, value: &str, help: &str) -> String {
    match shell {
        Shell::Bash => value.to_owned(),
        _ if help.is_empty() && shell != Shell::Zsh => value.to_owned(),
        Shell::Fish | Shell::Powershell | Shell::Elvish => format!("{value}\t{help}"),
        Shell::Zsh => {
            let value = value.replace('\\', "\\\\").replace(':', "\\:");
            if help.is_empty() { value } else { format!("{value}:{}", help.replace('\\', "\\\\")) }
        }
    }
}

/// Goes where the command would: what completes is read there.
fn go_to_folder(words: &[OsString]) {
    let typed = &words[1..words.len() - 1];
    let options = typed.split(|word| word == "--").next().unwrap_or_default();
    for pair in options.windows(2).filter(|pair| pair[0] == "-C") {
        let _ = std::env::set_current_dir(&pair[1]);
    }
}

fn candidates(words: Vec<OsString>, index: usize) -> Vec<CompletionCandidate> {
    let mut root = args::command();
    let current = words[index].clone();
    let typed: Vec<String> = words[..index].iter().map(|word| word.to_string_lossy().into_owned()).collect();
    root.build();
    let (command, unknown) = near_miss::walk(&root, &typed);
    if command.get_name() == "help" && unknown.is_none() {
        let topic = typed.iter().skip_while(|word| *word != "help").skip(1);
        return topics(&root, topic, &current);
    }
    let here = std::env::current_dir().ok();
    let mut found = complete(&mut root, words, index, here.as_deref()).unwrap_or_default();
    // Options are many, and whoever wants one begins with a dash.
    if current.is_empty() && found.iter().any(|candidate| !is_option(candidate.get_value())) {
        found.retain(|candidate| !is_option(candidate.get_value()));
    }
    found.retain(|candidate| !candidate.is_hide_set() && candidate.get_value() != ".");
    found
}

fn is_option(value: &OsStr) -> bool {
    value.as_encoded_bytes().starts_with(b"-")
}

/// The commands that help can be asked about, below those that were typed.
fn topics<'a>(
    root: &clap::Command,
    typed: impl Iterator<Item = &'a String>,
    current: &OsStr,
) -> Vec<CompletionCandidate> {
    let mut words = typed.filter(|word| !word.starts_with('-'));
    let Some(command) = words.try_fold(root, |command, word| command.find_subcommand(word)) else {
        return Vec::new();
    };
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    let start = current.as_encoded_bytes();
    shown
        .filter(|sub| sub.get_name().as_bytes().starts_with(start))
        .map(|sub| CompletionCandidate::new(sub.get_name()).help(sub.get_about().cloned()))
        .collect()
}
