//! From a command line to an exit code. Errors of all commands are rendered here.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::error::ErrorKind;

use super::args::{self, CommandLine};
use super::{hook, near_miss};
use crate::cli::catalog::Entry;
use crate::cli::options::{Global, When};
use crate::cli::output::Output;
use crate::cli::{diagnostics, logger, output};
use crate::install::program;
use lane_core::error::Error;
use lane_core::harness::shell::apart;
use lane_core::metrics;
use lane_core::report::FORMATS;
use lane_core::text::{has_hidden, painted, visible};
use lane_git::GitRepo;

/// Runs git-lane with a whole command line, the program's name first.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    begin();
    let args: Vec<OsString> = args.collect();
    if let Some(code) = hook_of(&args) {
        return code.into();
    }
    match CommandLine::parsed(&args) {
        Ok(args) => dispatch(args).into(),
        Err(error) => misused(&args, error).into(),
    }
}

/// Says what is wrong with the command line, or the help that it asks for. Clap repeats what was typed as it is.
fn misused(args: &[OsString], error: clap::Error) -> u8 {
    let code = if error.use_stderr() { 2 } else { 0 };
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return if error.print().is_ok() { code } else { 2 };
    }
    let typed: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let mut root = args::command();
    root.build();
    let color = output::wants_color(When::Auto, std::io::stderr().is_terminal());
    let (command, unknown) = near_miss::walk(&root, &typed);
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(word) = unknown
    {
        output::print_error(&diagnostics::render_error(&near_miss::unknown(command, &word), color));
        return code;
    }
    if !typed.iter().any(|arg| has_hidden(arg)) {
        let text =
            if color { painted(&error.render().ansi().to_string()) } else { error.render().to_string() };
        output::print_error(&with_hint(&text, command));
        return code;
    }
    // The same error of the same words written out; without colours, which cannot be told from those of the words.
    let again = CommandLine::parsed(typed.iter().map(|arg| OsString::from(visible(arg).into_owned())));
    let error = again.err().filter(|again| again.kind() == error.kind()).unwrap_or(error);
    output::print_error(&with_hint(&error.render().to_string(), command));
    code
}

/// Clap's hint at `--help`, as a whole command: right after `git lane`, git takes that option for itself.
fn with_hint(text: &str, command: &clap::Command) -> String {
    let name = command.get_bin_name().unwrap_or_default();
    let topic = name.trim_start_matches("git lane").trim();
    match text.rfind("--help") {
        Some(at) => {
            let whole = format!("git lane help {topic}");
            format!("{}{}{}", &text[..at], whole.trim_end(), &text[at + "--help".len()..])
        }
        None => text.to_owned(),
    }
}

/// Runs the hook that the arguments ask for, and knows nothing else: the program that scripts are started by.
pub fn run_hooks(args: impl Iterator<Item = OsString>) -> ExitCode {
    begin();
    let args: Vec<OsString> = args.collect();
    if args.get(1).is_some_and(|word| word == "--version") {
        println!("{}", program::VERSION);
        return ExitCode::SUCCESS;
    }
    let code = hook_of(&args).unwrap_or_else(|| {
        output::print_error("git-lane-hook only starts hooks; for everything else: git lane --help\n");
        2
    });
    code.into()
}

/// What each process begins with. A defect lets nothing through.
fn begin() {
    logger::init();
    std::panic::set_hook(Box::new(|info| {
        if apart::is_here() {
            apart::give_up();
        }
        output::print_error(&format!(
            "error: internal error: {info}\n\
             nothing was let through; this is a bug in git-lane: please report it with the command you ran\n"
        ));
        std::process::exit(2);
    }));
}

/// What the hook says that these arguments ask for, if they do. It is called for each commit: it does not wait for the
/// whole command line to be described.
fn hook_of(args: &[OsString]) -> Option<u8> {
    match args {
        [_, hook, name, rest @ ..]
            if hook == "hook" && !name.as_encoded_bytes().starts_with(b"-") && !hook::is_of_harness(name) =>
        {
            Some(hook::run_named(&name.to_string_lossy(), rest, hook::HookMode::Whole, None))
        }
        [_, hook, flag, name, rest @ ..] if hook == "hook" && hook::HookMode::of_script(flag).is_some() => {
            hook::HookMode::of_script(flag)
                .map(|part| hook::run_named(&name.to_string_lossy(), rest, part, None))
        }
        [_, word, script, rest @ ..] if word == program::WORD => Some(hook::run_script(script, rest)),
        _ => None,
    }
}

fn dispatch(typed: CommandLine) -> u8 {
    let CommandLine { global, entry, run } = typed;
    let output = Output::new(&global);
    let done = prepared(&global, entry).and_then(|()| run(&output));
    done.unwrap_or_else(|error| match entry.event {
        Some(event) => output.undecided(event, &error),
        None => output.report_error(&error),
    })
}

/// What is done before any command.
fn prepared(global: &Global, entry: &Entry) -> Result<(), Error> {
    let format = global.format;
    if format.is_of_verdicts() && !entry.has_format(format) {
        return Err(Error::usage(
            format!("this command cannot report as `{}`", format.word()),
            format!(
                "use --format text or --format json; {} are for `git lane check` and `git lane ci`",
                verdict_formats()
            ),
        ));
    }
    if format.is_of_variables() && !entry.has_format(format) {
        return Err(Error::usage(
            format!("this command cannot report as `{}`", format.word()),
            "sh and dotenv are for `git lane env`",
        ));
    }
    if format.is_of_metrics() && !entry.has_format(format) {
        return Err(Error::usage(
            format!("this command cannot report as `{}`", format.word()),
            format!(
                "{} are for `git lane report`, jsonl for `git lane inbox` and `git lane watch` as well",
                listed(metrics::format::FORMATS.map(|format| format.word).to_vec())
            ),
        ));
    }
    if format.is_of_jobs() && !entry.has_format(format) {
        return Err(Error::usage(
            format!("this command cannot report as `{}`", format.word()),
            "github-matrix is for `git lane affected`",
        ));
    }
    if let Some(folder) = &global.directory {
        std::env::set_current_dir(folder).map_err(|error| {
            Error::usage(
                format!("cannot change to {}: {error}", folder.display()),
                "name an existing folder after -C",
            )
        })?;
    }
    Ok(GitRepo::check_choice()?)
}

/// The formats of verdicts, as a sentence lists them.
fn verdict_formats() -> String {
    listed(FORMATS.iter().filter(|format| format.is_of_verdicts).map(|format| format.word).collect())
}

/// `a, b and c`.
fn listed(mut words: Vec<&str>) -> String {
    let last = words.pop().unwrap_or_default();
    format!("{} and {last}", words.join(", "))
}
