//! `git lane watch`

use std::time::Duration;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::options::JSONL;
use crate::cli::output::{Output, note, warn};
use crate::cli::session;
use crate::commands::inbox::line;
use crate::ops::inbox::reader;
use crate::ops::watch::{ChannelOptions, Channels, Listener, Watch, channels};
use lane_core::error::Error;
use lane_core::inbox::{Notice, time};

/// Stay, and tell what is new when it happens
///
/// Prints a line for each thing that `git lane inbox` would list, once; Ctrl-C ends it. What the options name can also be set
/// as `notify` in the policy, and by `git config lane.notifyExec`, `lane.notifyWebhook` and `lane.notifyDesktop`; a
/// setting that is empty switches off what the policy has.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run this shell command for each, with LANE_EVENT and others set, and JSON on standard input
    #[arg(long, value_name = "CMD")]
    pub exec: Option<String>,
    /// Show each on the desktop
    #[arg(long)]
    pub desktop: bool,
    /// Send each to a webhook of Slack's form; '${NAME}' takes the address from a variable
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// Watch what is new for this agent
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
    /// Seconds between two looks
    #[arg(short = 'n', long, value_name = "SECONDS", default_value = "3",
        value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub interval: u16,
}

/// Stays until a signal ends it.
///
/// # Errors
/// No repository, no policy, nobody that anything could be told of, or another watcher.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open(output, None)?;
    let who = reader(&session, args.agent.as_deref())?;
    let options =
        ChannelOptions { exec: args.exec.clone(), webhook: args.webhook.clone(), desktop: args.desktop };
    let Channels { all, notes, warnings } = channels(&session, &options)?;
    let name = who.0.words();
    let mut listener = Lines { output };
    let watch = Watch::begin(session, who, all, Duration::from_secs(args.interval.into()), &mut listener)?;
    if !output.is_quiet() {
        note(&format!("watching for {name}; Ctrl-C ends it"));
        notes.iter().for_each(|text| note(text));
    }
    warnings.iter().for_each(|(text, help)| warn(text, help));
    watch.run()?;
    Ok(0)
}

struct Lines<'o> {
    output: &'o Output,
}

impl Listener for Lines<'_> {
    fn show(&mut self, notice: &Notice) -> Result<bool, Error> {
        let text = if self.output.format().word() == JSONL || self.output.is_json() {
            line(notice)?
        } else {
            format!("{} {}\n", time(notice.time), notice.line())
        };
        self.output.print_to_reader(&text)
    }

    fn warn(&mut self, text: &str, help: &str) {
        warn(text, help);
    }
}
