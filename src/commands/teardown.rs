//! `git lane teardown`

use std::io::{BufRead, IsTerminal};

use serde_json::json;

use crate::cli::candidates;
use crate::cli::output::{Output, print_error};
use crate::cli::session;
use crate::commands::setup;
use crate::ops::Session;
use crate::setup::teardown::{self, Options, TeardownOutcome};
use lane_core::error::Error;

/// Remove an agent's worktree, unless work would be lost
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The agent
    #[arg(value_name = "ID", add = candidates::agents())]
    pub agent: String,
    /// Also delete its branch, if it is merged into the base
    #[arg(long)]
    pub delete_branch: bool,
    /// Also drop its schema, with everything in it, from the database at DATABASE_URL
    #[arg(long)]
    pub drop_schema: bool,
    /// The name of the schema, to confirm without being asked
    #[arg(long, value_name = "SCHEMA", requires = "drop_schema")]
    pub yes_drop: Option<String>,
}

/// Takes a worktree away. Exit code 1 where something would be lost.
///
/// # Errors
/// No such agent, or something cannot be read or done.
pub fn run(args: &Args, output: &Output) -> crate::cli::Outcome {
    let session = session::open(output, None)?;
    let Session { repo, loaded, .. } = &session;
    loaded.plan.agent(&args.agent)?;
    if args.drop_schema {
        let (schema, _) = teardown::schema_of(loaded, &args.agent)?;
        confirm(&schema, args)?;
    }
    let options = Options {
        agent: args.agent.clone(),
        delete_branch: args.delete_branch,
        drop_schema: args.drop_schema,
    };
    let ended = teardown::run(repo, loaded, &options, &setup::progress(output))?;
    let code = u8::from(matches!(ended, TeardownOutcome::Refused(_)));
    if output.is_json() {
        let value = match &ended {
            TeardownOutcome::Done(done, notes) => {
                json!({ "state": "done", "changes": done, "notes": notes, "losses": [] })
            }
            TeardownOutcome::Refused(losses) => {
                let losses = losses.iter().map(|loss| json!({ "what": loss.what, "help": loss.help }));
                let losses: Vec<_> = losses.collect();
                json!({ "state": "refused", "changes": [], "notes": [], "losses": losses })
            }
        };
        output.print_json(&value)?;
        return Ok(code);
    }
    match ended {
        TeardownOutcome::Refused(losses) => {
            let what: String = losses.iter().map(|loss| format!("\n  {}", loss.what)).collect();
            let help: Vec<&str> = losses.iter().map(|loss| loss.help.as_str()).collect();
            let said = format!("the worktree of {} was not removed: this would be lost{what}", args.agent);
            output.refuse(&said, &help.join("\n"));
        }
        TeardownOutcome::Done(done, notes) if !output.is_quiet() => {
            let done: String = done.iter().map(|line| format!("{line}\n")).collect();
            let notes: String = notes.iter().map(|line| format!("note: {line}\n")).collect();
            output.print(&format!("{done}{notes}"))?;
        }
        TeardownOutcome::Done(..) => {}
    }
    Ok(code)
}

/// Asks for the schema's name once more: what is in it is gone for good.
fn confirm(schema: &str, args: &Args) -> Result<(), Error> {
    let again = format!("git lane teardown {} --drop-schema --yes-drop {schema}", args.agent);
    let typed = match &args.yes_drop {
        Some(name) => name.clone(),
        None if std::io::stdin().is_terminal() => {
            print_error(&format!(
                "this deletes everything in the schema {schema}; type its name to confirm: "
            ));
            let mut line = String::new();
            let _ = std::io::stdin().lock().read_line(&mut line);
            line.trim().to_owned()
        }
        None => {
            return Err(Error::usage(
                format!(
                    "this deletes everything in the schema {schema}, but there is no terminal to confirm it"
                ),
                again,
            ));
        }
    };
    if typed == schema {
        return Ok(());
    }
    Err(Error::usage(format!("`{typed}` is not the schema of {}: nothing was changed", args.agent), again))
}
