//! `git lane status --health`: how services are.

use crate::cli::Outcome;
use crate::cli::output::{Output, print_error};
use crate::health::{ServiceHealth, State};
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::report::quote;
use lane_core::text::{help_block, paint, plain};

/// Lines of a check's output that are shown where more is asked for.
const LINES: usize = 10;

/// The services, one on each line. `has_logs`: whether `git lane logs` prints those of a service.
pub(super) fn section(
    services: &[ServiceHealth],
    has_logs: &dyn Fn(&str) -> bool,
    output: &Output,
) -> String {
    if services.is_empty() {
        return "\nhealth: no service here has a check\n".to_owned();
    }
    let color = |text: String, code: &str| if output.color() { paint(code, &text) } else { text };
    let agent = |one: &ServiceHealth| one.agent.clone().unwrap_or_else(|| "-".to_owned());
    let width = |text: &dyn Fn(&ServiceHealth) -> usize| services.iter().map(text).max().unwrap_or(0);
    let agents = width(&|one| agent(one).chars().count());
    let names = width(&|one| one.service.chars().count());
    let mut out = String::from("\nhealth:\n");
    for one in services {
        let verdict = &one.finding.verdict;
        let reason = plain(&verdict.reason);
        let said = match verdict.state {
            State::Healthy => "ok".to_owned(),
            State::Unhealthy => color(format!("down: {reason}"), "31"),
            State::Unknown => color(format!("could not be checked: {reason}"), "33"),
        };
        out.push_str(&format!("  {:agents$}  {:names$}  {said}\n", agent(one), one.service));
        if output.is_verbose() {
            let time = one.finding.time.as_secs_f64();
            out.push_str(&format!("      {} ({time:.1} s)\n", plain(&one.check)));
            let lines: Vec<&str> =
                one.finding.output.lines().filter(|line| !line.trim().is_empty()).collect();
            for line in &lines[lines.len().saturating_sub(LINES)..] {
                out.push_str(&format!("      | {}\n", line.trim_end()));
            }
        }
    }
    if !output.is_quiet() {
        out.push_str(&help(services, has_logs, output));
    }
    out
}

/// What to do about a service that does not run.
fn help(services: &[ServiceHealth], has_logs: &dyn Fn(&str) -> bool, output: &Output) -> String {
    let mut down = services.iter().filter(|one| one.finding.verdict.state != State::Healthy).peekable();
    if down.peek().is_none() {
        return String::new();
    }
    let mut lines = Vec::new();
    if let Some(one) =
        down.find(|one| one.finding.verdict.state == State::Unhealthy && has_logs(&one.service))
    {
        lines.push(format!("see its logs: git lane logs {}", quote(one.service.as_bytes())));
    }
    if !output.is_verbose() {
        lines.push("see what the checks printed: git lane status --health -v".to_owned());
    }
    if lines.is_empty() { String::new() } else { help_block(&lines.join("\n"), output.color()) }
}

/// The exit code of `--check`.
pub(super) fn checked(services: &[ServiceHealth]) -> Outcome {
    if services.is_empty() {
        return Err(Error::usage(
            "no service here has a check",
            "add one to the policy: `health: { check: \"http://localhost:{port}/health\" }`",
        ));
    }
    let of = |state: State| {
        let found = services.iter().filter(move |one| one.finding.verdict.state == state);
        found.map(|one| one.service.as_str()).collect::<Vec<_>>()
    };
    let (down, unknown) = (of(State::Unhealthy), of(State::Unknown));
    if !down.is_empty() {
        print_error(&format!("error: down: {}\n", down.join(", ")));
        return Ok(1);
    }
    if !unknown.is_empty() {
        return Err(Unavailable::new(
            format!("could not be checked: {}", unknown.join(", ")),
            "see why, and what was run: git lane status --health -v",
        )
        .into());
    }
    Ok(0)
}
