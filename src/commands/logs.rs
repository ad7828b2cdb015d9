//! `git lane logs`

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::{Output, note, print_error, warn};
use crate::cli::session;
use crate::commands::who::note_policy;
use crate::ops::Session;
use crate::ops::logs::{ServiceLogs, follow_logs, logs};
use crate::run::End;
use lane_core::error::Error;
use lane_core::text::{plain, sanitize};

/// Print the logs of services
///
/// The command is that of `health.logs` in the policy; it runs in the worktree and the environment of the agent whose service it is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services [default: those of the agent that works here, or else of all]
    #[arg(value_name = "SERVICE", add = candidates::services())]
    pub services: Vec<String>,
    /// Only the last so many lines of each
    #[arg(short = 'n', long, value_name = "N")]
    pub tail: Option<NonZeroUsize>,
    /// Go on printing them as they come, by `health.follow`; Ctrl-C ends it
    #[arg(short, long)]
    pub follow: bool,
    /// Use this policy, to try it out
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Prints the logs of services; exit code 1 where a command for them fails, 2 where one could not be run.
///
/// # Errors
/// No command for logs in the policy, or an unknown service.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open(output, args.policy.as_deref())?;
    note_policy(&session, output);
    if args.follow {
        return follow(args, &session, output);
    }
    let (services, signal) = logs(&session, &args.services, args.tail.map(NonZeroUsize::get))?;
    if output.is_json() {
        output.print_json(&as_json(&services))?;
    } else if services.is_empty() {
        note("no service here has logs");
    } else {
        output.page(&text(&services))?;
        services.iter().for_each(complain);
    }
    Ok(match signal {
        Some(signal) => 128 + signal,
        None => services.iter().map(code).max().unwrap_or(0),
    })
}

fn follow(args: &Args, session: &Session, output: &Output) -> Outcome {
    if output.is_json() {
        return Err(Error::usage("--follow prints text only", "omit --follow for JSON"));
    }
    let mut out = std::io::stdout();
    let mut line = |service: &str, width: usize, text: &str| {
        let prefix = if width > 0 { format!("{service:width$} | ") } else { String::new() };
        // Where nobody reads any more, as behind head(1), nothing goes on.
        out.write_all(sanitize(&format!("{prefix}{text}\n")).as_bytes()).and_then(|()| out.flush()).is_ok()
    };
    let most = args.tail.map(NonZeroUsize::get);
    let (ends, signal) = follow_logs(session, &args.services, most, &mut line)?;
    let mut worst = 0;
    for (service, end) in &ends {
        let (reason, code) = match end {
            Ok(End::Failed(code)) => (format!("the command failed (exit code {code})"), code_of(*code)),
            Ok(End::NotStarted(why)) | Err(why) => (why.clone(), 2),
            Ok(_) => continue,
        };
        worst = worst.max(code);
        print_error(&format!("error: logs of `{}`: {reason}\n", plain(service)));
    }
    Ok(signal.map_or(worst, |signal| 128 + signal))
}

fn text(services: &[ServiceLogs]) -> String {
    let width = services.iter().map(|one| one.service.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for one in services {
        for line in &one.lines {
            match services {
                [_] => out.push_str(line),
                _ => out.push_str(&format!("{:width$} | {line}", one.service)),
            }
            out.push('\n');
        }
    }
    out
}

/// Says why the logs of a service are not all there.
fn complain(one: &ServiceLogs) {
    let service = plain(&one.service);
    let reason = match &one.printed {
        Err(why) => why.clone(),
        Ok(printed) => match &printed.ended.end {
            End::Passed | End::Interrupted => return,
            End::Failed(code) => format!("the command failed (exit code {code})"),
            End::NotStarted(why) => format!("the command could not be started: {why}"),
            End::TooMuchOutput => {
                return warn(
                    &format!("logs of `{service}` are cut: the command printed too much, and was ended"),
                    "let it print the last lines alone, such as `--tail {lines}`",
                );
            }
            End::TimedOut => {
                return warn(
                    &format!("logs of `{service}` are cut: the command took too long, and was ended"),
                    "let it end by itself (without `-f`), or raise `health.timeout` in the policy",
                );
            }
        },
    };
    print_error(&format!("error: logs of `{service}`: {reason}\n"));
}

fn code(one: &ServiceLogs) -> u8 {
    match one.printed.as_ref().map(|printed| &printed.ended.end) {
        Ok(End::Passed) => 0,
        Ok(End::Failed(code)) => code_of(*code),
        Ok(End::NotStarted(_)) | Err(_) => 2,
        Ok(_) => 1,
    }
}

/// The exit code for that of a command: what could not be run says nothing.
fn code_of(code: u8) -> u8 {
    if matches!(code, 126 | 127) { 2 } else { 1 }
}

fn as_json(services: &[ServiceLogs]) -> Value {
    let one = |one: &ServiceLogs| {
        let (result, code, why) = match one.printed.as_ref().map(|printed| &printed.ended.end) {
            Ok(End::Passed) => ("printed", Some(0_u8), None),
            Ok(End::Failed(code)) => ("failed", Some(*code), None),
            Ok(End::TimedOut) => ("timeout", None, None),
            Ok(End::TooMuchOutput) => ("output", None, None),
            Ok(End::Interrupted) => ("interrupted", None, None),
            Ok(End::NotStarted(why)) | Err(why) => ("not-started", None, Some(why)),
        };
        let time = one.printed.as_ref().map_or(0, |printed| printed.ended.time.as_millis());
        json!({
            "agent": one.agent, "service": one.service, "command": one.command, "result": result,
            "exit_code": code, "reason": why, "lines": one.lines, "cut": one.is_cut,
            "milliseconds": u64::try_from(time).unwrap_or(u64::MAX),
        })
    };
    json!({ "schema": 1, "services": services.iter().map(one).collect::<Vec<_>>() })
}
