//! `git lane help [COMMAND]`

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::commands::args::command;
use crate::commands::near_miss;
use lane_core::text::painted;

/// Show help for a command
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The command, or one below another, such as `policy check`; all commands if none is named
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Shows help for a command, or for all of them.
///
/// # Errors
/// No such command.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut root = command();
    root.build();
    let mut found = &root;
    for word in &args.command {
        found = found.find_subcommand(word).ok_or_else(|| near_miss::unknown(found, word))?;
    }
    let mut found = found.clone();
    // The whole is a list to look through; a command is to be explained.
    let text = if args.command.is_empty() { found.render_help() } else { found.render_long_help() };
    let text = if output.color() { painted(&text.ansi().to_string()) } else { text.to_string() };
    output.page(&format!("{}\n", text.trim_end()))?;
    Ok(0)
}
