//! `git lane inbox`

use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::options::JSONL;
use crate::cli::output::{Output, note, warn};
use crate::cli::session;
use crate::commands::request::text::ago;
use crate::inbox::Cache;
use crate::inbox::store::Reader;
use crate::ops::inbox::{Inbox, reader};
use lane_core::error::Error;
use lane_core::inbox::Notice;

/// List what is new for you: locks, requests, landed work, conflicts
///
/// What was listed is not listed again, unless an option says otherwise. A maintainer sees what is new for all agents.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// List what was read before as well
    #[arg(short, long)]
    pub all: bool,
    /// Leave it unread
    #[arg(short, long)]
    pub keep: bool,
    /// List what is new for this agent
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
}

/// Lists what is new, then notes that it was read.
///
/// # Errors
/// No repository, no policy, or nobody works here that anything could be told of.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open(output, None)?;
    let who = reader(&session, args.agent.as_deref())?;
    let inbox = Inbox::read(&session, &who, true, &mut Cache::default());
    let shown = if args.all { &inbox.reading.notices } else { &inbox.unread };
    let is_whole = if output.format().word() == JSONL {
        output.print_to_reader(&lines(shown)?)?
    } else if output.is_json() {
        output.print_to_reader(&(lane_core::report::json::text(&as_json(&inbox, &who.0, shown))?))?
    } else {
        output.page(&text(&inbox, &who.0, shown, session.environment.now, output))?;
        true
    };
    if !output.is_quiet() {
        inbox.reading.notes.iter().for_each(|text| note(text));
    }
    // Shown first, and only then noted: one that is killed in between shows it again.
    if is_whole
        && !args.keep
        && let Err(error) = inbox.mark(shown)
    {
        warn(&error.to_string(), &error.help().unwrap_or_default());
    }
    Ok(0)
}

/// A notice as a line of JSON.
pub(in crate::commands) fn line(notice: &Notice) -> Result<String, Error> {
    let json = serde_json::to_string(notice).map_err(|error| {
        Error::write(format!("{} cannot be written as JSON: {error}", notice.id), "git lane doctor")
    })?;
    Ok(lane_core::text::in_json(json) + "\n")
}

fn lines(shown: &[Notice]) -> Result<String, Error> {
    shown.iter().map(line).collect()
}

fn as_json(inbox: &Inbox, reader: &Reader, shown: &[Notice]) -> Value {
    let one = |notice: &Notice| {
        let mut value = json!(notice);
        value["new"] = json!(inbox.unread.iter().any(|unread| unread.id == notice.id));
        value
    };
    let (agent, is_maintainer) = match reader {
        Reader::Agent(agent) => (Some(agent), false),
        Reader::Maintainer(_, agent) => (agent.as_ref(), true),
    };
    json!({
        "schema": 1,
        "agent": agent,
        "maintainer": is_maintainer,
        "new": inbox.unread.len(),
        "notices": shown.iter().map(one).collect::<Vec<_>>(),
        "notes": inbox.reading.notes,
    })
}

fn text(inbox: &Inbox, reader: &Reader, shown: &[Notice], now: i64, output: &Output) -> String {
    let count = inbox.unread.len();
    let head = match count {
        0 => format!("nothing new for {}\n", reader.words()),
        _ => format!("{count} new for {}\n", reader.words()),
    };
    let mut out = if output.is_quiet() { String::new() } else { head };
    for notice in shown {
        if !out.is_empty() {
            out.push('\n');
        }
        let is_named = matches!(reader, Reader::Maintainer(_, None));
        let agent = notice.agent.as_ref().filter(|_| is_named).map(|agent| format!("{agent}: "));
        let when = ago(notice.time, now);
        out.push_str(&format!("{when}: {}{}\n", agent.unwrap_or_default(), notice.text));
        out.push_str(&format!("    {}\n", notice.next));
    }
    out
}
