//! The words of `git lane land`.

use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::cli::output::{Output, print_error};
use crate::commands::locks::text::timestamp;
use crate::landings::queue::Queues;
use crate::ops::land::Waiting;
use lane_core::landings::record::{LandingEnd, LandingRecord, LandingResult, Reason};
use lane_core::text::help_block;

/// The command that shows the queue.
pub const LIST: &str = "git lane land --list";
/// How many results are shown.
const RESULTS: usize = 10;

/// Tells whoever waits how it stands, each thing once.
pub struct Teller<'o> {
    output: &'o Output,
    branch: &'o str,
    base: &'o str,
    last: String,
}

impl<'o> Teller<'o> {
    /// Nothing is told yet. `branch`: what is waited for; empty where it is all.
    pub fn new(output: &'o Output, branch: &'o str, base: &'o str) -> Self {
        Self { output, branch, base, last: String::new() }
    }

    /// Says how it stands, if that is news.
    pub fn tell(&mut self, waiting: &Waiting<'_>) {
        let Some(first) = waiting.record.queue.first() else { return };
        let by = waiting.record.lander.as_ref().map(|lander| &lander.stake);
        let text = match (waiting.is_own, waiting.ahead, by) {
            (true, ..) => format!("landing {} on {}", first.branch, self.base),
            (false, Some(0), Some(by)) => {
                format!("{} is being landed from {} on {}", self.branch, by.worktree, by.machine.host)
            }
            (false, Some(ahead), _) => {
                let landings =
                    if ahead == 1 { "1 other lands".to_owned() } else { format!("{ahead} others land") };
                format!("{} waits: {landings} on {} first", self.branch, self.base)
            }
            (false, None, _) => format!("{} is being landed by another process", first.branch),
        };
        if text != self.last && !self.output.is_quiet() {
            print_error(&format!("{text}\n"));
        }
        self.last = text;
    }
}

/// One result on one line.
pub fn line(base: &str, result: &LandingResult) -> String {
    let branch = &result.branch;
    match &result.end {
        LandingEnd::Landed { commit, .. } => format!("landed {branch} on {base}: {}\n", short(commit)),
        LandingEnd::Present => format!("{branch} is on {base} already\n"),
        LandingEnd::Refused(why) | LandingEnd::Failed(why) => {
            format!("{branch} did not land: {}\n", why.reason)
        }
        LandingEnd::Withdrawn => format!("{branch} was withdrawn\n"),
    }
}

fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}

/// Says why a branch did not land, with what a command or the policy said.
pub fn not_landed(branch: &str, why: &Reason, output: &Output) {
    if !why.output.is_empty() {
        print_error(&format!("{}\n", why.output));
    }
    output.refuse(&format!("{branch} did not land: {}", why.reason), &why.help);
}

/// A result for programs.
pub fn json(base: &str, result: &LandingResult) -> Value {
    let (state, commit, why) = match &result.end {
        LandingEnd::Landed { commit, .. } => ("landed", Some(commit), None),
        LandingEnd::Present => ("present", None, None),
        LandingEnd::Refused(why) => ("refused", None, Some(why)),
        LandingEnd::Failed(why) => ("failed", None, Some(why)),
        LandingEnd::Withdrawn => ("withdrawn", None, None),
    };
    json!({
        "schema": 1, "id": result.id, "branch": result.branch, "head": result.head, "base": base,
        "by": result.by.name(), "at": result.at, "state": state, "commit": commit,
        "reason": why.map(|why| &why.reason), "help": why.map(|why| &why.help),
        "output": why.map(|why| &why.output),
    })
}

/// Shows all queues.
///
/// # Errors
/// They cannot be read.
pub fn list(queues: &Queues<'_>, output: &Output) -> Outcome {
    let all = queues.all()?;
    if output.is_json() {
        let queues: Vec<Value> = all.iter().map(|head| queue_json(queues, &head.record)).collect();
        output.print_json(&json!({ "schema": 1, "queues": queues }))?;
        return Ok(0);
    }
    let mut text = String::new();
    for head in &all {
        let record = &head.record;
        text.push_str(&format!("{}\n", record.base));
        let is_busy = queues.is_busy(record);
        for (at, landing) in record.queue.iter().enumerate() {
            let state = if at == 0 && is_busy { "landing" } else { "waits" };
            let (by, asked) = (landing.by.name(), timestamp(landing.asked));
            text.push_str(&format!("  {state:8} {}  {by}  asked {asked}\n", landing.branch));
        }
        for result in record.results.iter().rev().take(RESULTS) {
            text.push_str(&format!("  {}  {}", timestamp(result.at), line(&record.base, result)));
        }
    }
    if all.iter().all(|head| head.record.queue.is_empty()) {
        text.push_str("nothing waits to land\n");
    } else if !all.iter().any(|head| queues.is_busy(&head.record)) {
        text.push_str(&help_block("nobody is at work; land what waits: git lane land --all", output.color()));
    }
    output.print(&text)?;
    Ok(0)
}

fn queue_json(queues: &Queues<'_>, record: &LandingRecord) -> Value {
    let is_busy = queues.is_busy(record);
    let waiting: Vec<Value> = record
        .queue
        .iter()
        .enumerate()
        .map(|(at, landing)| {
            json!({
                "id": landing.id, "branch": landing.branch, "head": landing.head,
                "by": landing.by.name(), "asked": landing.asked,
                "state": if at == 0 && is_busy { "landing" } else { "waiting" },
            })
        })
        .collect();
    let results: Vec<Value> = record.results.iter().rev().map(|result| json(&record.base, result)).collect();
    json!({ "base": record.base, "waiting": waiting, "results": results })
}
