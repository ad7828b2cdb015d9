//! The logs of services, by the commands of the policy.

use super::Session;
use super::services::{Target, health_of, targets, unfillable};
use crate::health::{Command, Printed, print_logs};
use crate::run::{End, Followed, follow};
use lane_core::error::Error;
use lane_core::health::without_colors;
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
    let (targets, commands) = commands(session, names, most, Kind::Logs)?;
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

/// Which commands are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Those that print logs.
    Logs,
    /// Those that go on printing them.
    Follow,
}

impl Kind {
    fn key(self) -> &'static str {
        match self {
            Self::Logs => "health.logs",
            Self::Follow => "health.follow",
        }
    }

    fn of<'h>(self, health: &'h Health, service: &str) -> Option<&'h str> {
        let command = match self {
            Self::Logs => health.logs_of(service),
            Self::Follow => health.follow_of(service),
        };
        command.map(|command| command.value.as_str())
    }

    fn is_in(self, health: &Health) -> bool {
        let mut own = health.services.values();
        match self {
            Self::Logs => health.logs.is_some() || own.any(|own| own.logs.is_some()),
            Self::Follow => health.follow.is_some() || own.any(|own| own.follow.is_some()),
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Logs => {
                "add for example: `health: { logs: \"docker compose logs --tail {lines} {service}\" }`"
            }
            Self::Follow => {
                "add for example: `health: { follow: \"docker compose logs --follow --tail {lines} {service}\" }`"
            }
        }
    }
}

/// The services, each with its command or why it has none.
type Commands<'s> = (Vec<Target<'s>>, Vec<Result<Command, String>>);

fn commands<'s>(
    session: &'s Session,
    names: &[String],
    most: Option<usize>,
    kind: Kind,
) -> Result<Commands<'s>, Error> {
    let health = health_of(session)?;
    let mut targets = targets(session, names, most.unwrap_or(LINES))?;
    if !kind.is_in(health) {
        let name = &session.loaded.plan.source.name;
        let said = format!("{name} has no command for logs: no `{}`", kind.key());
        return Err(Error::usage(said, kind.example()));
    }
    if names.is_empty() {
        targets.retain(|target| kind.of(health, target.service()).is_some());
    }
    let commands = targets.iter().map(|target| command(session, health, target, kind)).collect();
    Ok((targets, commands))
}

fn command(session: &Session, health: &Health, target: &Target<'_>, kind: Kind) -> Result<Command, String> {
    let text = kind.of(health, target.service());
    let text = text.ok_or_else(|| "the policy has no command for its logs".to_owned())?;
    let folder = target.root.clone()?;
    let values = target.values_for(session, text)?;
    Ok(Command {
        command: values.command(text).map_err(|why| unfillable(&why, kind.key()))?,
        folder,
        environment: target.environment.clone(),
        variables: target.variables(),
        timeout: health.timeout_of(target.service()),
    })
}

/// How the following of a service's logs ended, or why it did not begin.
pub type FollowEnd = (String, Result<End, String>);

/// Goes on printing the logs of services, until all commands end, or a signal comes, which is returned. `line`: gets the service,
/// the length of the longest name (0 for one service alone), and a line; and says whether to go on.
///
/// # Errors
/// As [`logs`].
pub fn follow_logs(
    session: &Session,
    names: &[String],
    most: Option<usize>,
    line: &mut dyn FnMut(&str, usize, &str) -> bool,
) -> Result<(Vec<FollowEnd>, Option<u8>), Error> {
    let (targets, commands) = commands(session, names, most, Kind::Follow)?;
    let width = match targets.as_slice() {
        [_] => 0,
        _ => targets.iter().map(|target| target.service().chars().count()).max().unwrap_or(0),
    };
    let runnable: Vec<(&Target<'_>, &Command)> = targets
        .iter()
        .zip(&commands)
        .filter_map(|(target, one)| Some((target, one.as_ref().ok()?)))
        .collect();
    let all: Vec<Followed<'_>> = runnable
        .iter()
        .map(|(_, one)| Followed {
            command: &one.command,
            folder: &one.folder,
            environment: one.environment.as_deref(),
            variables: &one.variables,
        })
        .collect();
    let (ends, signal) = follow(&all, &mut |at, bytes| {
        let target = runnable[at].0;
        let text = without_colors(&String::from_utf8_lossy(bytes));
        line(target.service(), width, &target.masked(text.rsplit('\r').next().unwrap_or(&text)))
    })
    .map_err(|error| {
        Error::write(format!("commands could not be started: {error}"), "run git-lane by its full path")
    })?;
    let mut ends = ends.into_iter();
    let ended = targets.iter().zip(&commands).map(|(target, command)| {
        let end = command.clone().and_then(|_| ends.next().ok_or_else(|| "it was not run".to_owned()));
        (target.service().to_owned(), end)
    });
    Ok((ended.collect(), signal))
}
