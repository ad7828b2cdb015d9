//! The logs of services, by the commands of the policy.

use super::Session;
use super::services::{Target, health_of, targets, unfillable};
use crate::health::{Command, Printed, print_logs};
use lane_core::error::Error;
use lane_core::policy::model::Health;
use lane_git::Repository;

/// Lines of logs that are asked for where nobody says how many.
pub const LINES: usize = 50;

/// The logs of a service.
#[derive(Debug)]
pub struct ServiceLogs {
    /// The agent whose lane has it.
    pub agent: Option<String>,
    /// The service.
    pub service: String,
    /// The command, as it was run.
    pub command: Option<String>,
    /// What it printed, or why it could not be run.
    pub printed: Result<Printed, String>,
    /// The lines that were asked for.
    pub lines: Vec<String>,
    /// Whether lines before these were left out.
    pub is_cut: bool,
}

/// Prints the logs of services of these names, or else of the agent that works here, or of all. `most`: only the last so many
/// lines. Returns them in order, and the signal that ended it, if one did.
///
/// # Errors
/// No command for logs in the policy, an unknown service, or nothing can be started.
pub fn logs(
    session: &Session,
    names: &[String],
    most: Option<usize>,
) -> Result<(Vec<ServiceLogs>, Option<u8>), Error> {
    let health = health_of(session)?;
    if health.logs().next().is_none() {
        return Err(Error::usage(
            format!("{} has no command for logs", session.loaded.plan.source.name),
            "add for example: `health: { logs: \"docker compose logs --tail {lines} {service}\" }`",
        ));
    }
    let mut targets = targets(session, names, most.unwrap_or(LINES))?;
    if names.is_empty() {
        targets.retain(|target| health.logs_of(target.service()).is_some());
    }
    let commands: Vec<Result<Command, String>> =
        targets.iter().map(|target| command(session, health, target)).collect();
    let runnable: Vec<Command> = commands.iter().filter_map(|command| command.clone().ok()).collect();
    let folder = session.repo.layout().git_dir.join("lane/logs/health");
    let (printed, signal) = print_logs(&runnable, &folder)?;
    let mut printed = printed.into_iter();
    let services = targets.iter().zip(commands).map(|(target, command)| {
        let text = command.as_ref().ok().map(|command| target.masked(&command.command));
        let printed = command.and_then(|_| printed.next().ok_or_else(|| "it was not run".to_owned()));
        let mut lines: Vec<String> = Vec::new();
        if let Ok(printed) = &printed {
            // A carriage return alone draws over what stands there.
            lines.extend(printed.out.lines().map(|line| line.rsplit('\r').next().unwrap_or(line).to_owned()));
        }
        let cut = most.map_or(0, |most| lines.len().saturating_sub(most));
        lines.drain(..cut);
        let is_cut = cut > 0 || printed.as_ref().is_ok_and(|printed| printed.is_cut);
        ServiceLogs {
            agent: target.agent.map(|agent| agent.id.value.clone()),
            service: target.service().to_owned(),
            command: text,
            printed,
            lines,
            is_cut,
        }
    });
    Ok((services.collect(), signal))
}

fn command(session: &Session, health: &Health, target: &Target<'_>) -> Result<Command, String> {
    let logs = health.logs_of(target.service());
    let text = &logs.ok_or_else(|| "the policy has no command for its logs".to_owned())?.value;
    let folder = target.root.clone()?;
    let values = target.values_for(session, text)?;
    Ok(Command {
        command: values.command(text).map_err(|why| unfillable(&why, "health.logs"))?,
        folder,
        environment: target.environment.clone(),
        variables: target.variables(),
        timeout: health.timeout_of(target.service()),
    })
}
