//! `git lane status`

mod health;
mod serve;
mod watch;

use std::io::IsTerminal;
use std::path::PathBuf;

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::cli::pager;
use crate::inbox::Cache;
use crate::ops::health::health;
use crate::ops::inbox::{Inbox, reader};
use crate::ops::services::health_of;
use crate::ops::{Session, Ui};
use crate::status::table::{Tone, clash_lines, stack_lines, table, truncate};
use crate::status::{self, Status, StatusOptions, json};
use lane_core::error::Error;
use lane_core::identity::Actor;
use lane_core::text::help_block;
use lane_git::Repository;

/// Show every agent: branch, change, verdict, locks, conflicts
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show it full screen and keep it current; q quits
    #[arg(short, long)]
    pub watch: bool,
    /// Seconds between two updates
    #[arg(short = 'n', long, value_name = "SECONDS", default_value = "3", requires = "watch",
        value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub interval: u16,
    /// Check the health of services, too: of your own, or of all agents' where no agent works
    #[arg(long, conflicts_with_all = ["watch", "serve"])]
    pub health: bool,
    /// Exit with 1 if a service is down, with 2 if one could not be checked
    #[arg(long, requires = "health")]
    pub check: bool,
    /// Use this policy, to try it out
    #[arg(long, value_name = "FILE", conflicts_with_all = ["watch", "serve"])]
    pub policy: Option<PathBuf>,
    /// Serve it, with the report, as a page for a browser on this machine; Ctrl-C ends it
    #[arg(long, conflicts_with = "watch")]
    pub serve: bool,
    /// Port to serve it on; omit for a free one
    #[arg(long, value_name = "PORT", default_value = "0", hide_default_value = true, requires = "serve")]
    pub port: u16,
}

/// Columns where nobody says how many there are.
pub(in crate::commands) const WIDTH: usize = 80;

/// Shows every agent at a glance. Exit code 0 whatever is shown, unless `--check` asks for another: it is no verdict.
///
/// # Errors
/// No repository, no policy, or no list of worktrees.
pub fn run(args: &Args, output: &Output) -> Outcome {
    if args.watch {
        return watch::run(args, output);
    }
    if args.serve {
        return serve::run(args, output);
    }
    let session = Session::open(*output, args.policy.as_deref())?;
    if args.health {
        health_of(&session)?;
    }
    let mut status = read_in(&session, true)?;
    let mut signal = None;
    if args.health {
        // Last: from then on, signals no longer end the process by themselves.
        let (services, caught) = health(&session)?;
        (status, signal) = (status.with_health(services), caught);
    }
    if args.policy.is_none() {
        status.notes.extend(unread_note(&session, &status));
    }
    if output.is_json() {
        output.print_json(&json::status(&status))?;
    } else {
        let known = session.loaded.plan.policy.health.as_ref().filter(|_| args.policy.is_none());
        let has_logs = |service: &str| known.is_some_and(|health| health.logs_of(service).is_some());
        output.page(&text(&status, width(), &has_logs, output))?;
    }
    match (signal, &status.health) {
        (Some(signal), _) => Ok(128 + signal),
        (None, Some(services)) if args.check => health::checked(services),
        _ => Ok(0),
    }
}

/// Pairs that are listed where nobody asked for all of them.
const PAIRS: usize = 20;

/// Reads everything again. `may_refresh`: whether indexes may be refreshed, as `git status` does; nothing that runs in
/// the background does so.
pub(in crate::commands) fn read(ui: impl Ui + 'static, may_refresh: bool) -> Result<Status, Error> {
    read_in(&Session::open(ui, None)?, may_refresh)
}

/// How much is new for whoever works here. What the status has found out is not asked for again.
fn unread_note(session: &Session, status: &Status) -> Option<String> {
    let who = reader(session, None).ok()?;
    let mut cache = Cache::default();
    cache.forecasts.extend(status.clashes.iter().map(|pair| (pair.tips, pair.forecast.clone())));
    let count = Inbox::read(session, &who, false, &mut cache).unread.len();
    (count > 0).then(|| format!("{count} new for {}: git lane inbox", who.0.words()))
}

fn read_in(session: &Session, may_refresh: bool) -> Result<Status, Error> {
    let manner = StatusOptions { now: session.environment.now, may_refresh };
    let mut status = status::read(&session.repo, &session.loaded, manner)?;
    if session.repo.layout().worktree.is_some()
        && let Ok(Actor::Unassigned { variable }) = session.actor(None)
    {
        status.notes.push(format!(
            "you are a coding agent without a lane here ({variable} is set)\n{}",
            help_block("join one: git lane join ID", false).trim_end()
        ));
    }
    Ok(status)
}

fn width() -> usize {
    if pager::is_in_use()
        && let Some(columns) = std::env::var("COLUMNS").ok().and_then(|text| text.parse::<usize>().ok())
    {
        return columns.max(20);
    }
    let is_terminal = std::io::stdout().is_terminal();
    let size = is_terminal.then(ratatui::crossterm::terminal::size).and_then(Result::ok);
    size.map_or(WIDTH, |(columns, _)| usize::from(columns).max(20))
}

fn text(status: &Status, width: usize, has_logs: &dyn Fn(&str) -> bool, output: &Output) -> String {
    let paint = |text: &str, code: &str| {
        if output.color() && !code.is_empty() { lane_core::text::paint(code, text) } else { text.to_owned() }
    };
    let table = table(status, width);
    let mut out = paint(&table.head, "1") + "\n";
    for (text, tone) in &table.rows {
        let code = match tone {
            Tone::Plain => "",
            Tone::Warning => "33",
            Tone::Error => "31",
        };
        out.push_str(&paint(text, code));
        out.push('\n');
    }
    for text in stack_lines(&status.lines) {
        let gap = if text.starts_with(' ') { "" } else { "\n" };
        out.push_str(&format!("{gap}{}\n", truncate(&text, width)));
    }
    let mut clashes = clash_lines(&status.clashes);
    if !clashes.is_empty() {
        out.push_str("\nwould conflict if merged now (git lane conflicts):\n");
    }
    let more = if output.is_verbose() { 0 } else { clashes.len().saturating_sub(PAIRS) };
    clashes.truncate(clashes.len() - more);
    if more > 0 {
        clashes.push(format!("and {more} more pairs"));
    }
    for line in clashes {
        out.push_str(&paint(&truncate(&format!("  {line}"), width), "33"));
        out.push('\n');
    }
    if !output.is_quiet() {
        let helps = status.lines.iter().flat_map(|line| line.troubles.iter().map(move |why| (line, why)));
        for (line, why) in helps.filter(|_| output.is_verbose()) {
            out.push_str(&format!("\n{}: {}\n", line.title(), why.reason));
            why.help.iter().for_each(|help| out.push_str(&help_block(help, false)));
        }
        status.notes.iter().for_each(|note| out.push_str(&format!("\nnote: {note}\n")));
    }
    if let Some(services) = &status.health {
        out.push_str(&health::section(services, has_logs, output));
    }
    out
}
