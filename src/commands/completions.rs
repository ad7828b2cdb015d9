//! `git lane completions SHELL`

use clap::ValueEnum;

use crate::cli::Outcome;
use crate::cli::output::Output;

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell that the script is for
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// A shell that completes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// bash, with or without bash-completion; `git lane` by git's own completion
    Bash,
    /// zsh; `git lane` by its own completion of git
    Zsh,
    /// fish; `git lane` by its own completion of git
    Fish,
    /// PowerShell
    Powershell,
    /// Elvish
    Elvish,
}

/// Prints the script that makes a shell ask `git-lane complete`.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    output.print(match args.shell {
        Shell::Bash => include_str!("completions/git-lane.bash"),
        Shell::Zsh => include_str!("completions/_git-lane.zsh"),
        Shell::Fish => include_str!("completions/git-lane.fish"),
        Shell::Powershell => include_str!("completions/git-lane.ps1"),
        Shell::Elvish => include_str!("completions/git-lane.elv"),
    })?;
    Ok(0)
}
