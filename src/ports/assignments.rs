//! Which service has which port: given once, the same ever after.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::probe;
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::policy::scalar::Ports;
use lane_core::report::quote;
use lane_git::state_file;

/// By worktree, then by service.
type PortAssignments = BTreeMap<String, BTreeMap<String, u16>>;

/// A service of an agent in one of its worktrees.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// The agent.
    pub agent: &'a str,
    /// The worktree, by its name in the repository.
    pub worktree: &'a str,
    /// The service.
    pub name: &'a str,
}

/// The port of a service in a worktree: the one that it has, or the first of the agent's range that no other
/// service has and nobody listens on. Kept in `lane/ports/<agent>.json` of the common git folder.
///
/// # Errors
/// The range has no port left, or what is kept cannot be read or written.
pub fn port_of(common_dir: &Path, service: &Service<'_>, range: Ports) -> Result<u16, Error> {
    let Service { agent, worktree, name } = *service;
    let path = file_of(common_dir, agent);
    let _lock = locked(&path)?;
    let mut assigned = read(&path)?;
    let is_inside = |port: u16| (range.first..=range.last).contains(&port);
    if let Some(port) = assigned.get(worktree).and_then(|services| services.get(name))
        && is_inside(*port)
    {
        return Ok(*port);
    }
    let given: Vec<u16> = assigned.values().flat_map(BTreeMap::values).copied().collect();
    let is_free = |port: &u16| !given.contains(port) && probe(Ports { first: *port, last: *port }).is_empty();
    let Some(port) = (range.first..=range.last).find(is_free) else {
        return Err(full(service, range, &assigned));
    };
    assigned.entry(worktree.to_owned()).or_default().insert(name.to_owned(), port);
    write(&path, &assigned)?;
    Ok(port)
}

/// The port that a service has, if one was given to it.
///
/// # Errors
/// What is kept cannot be read.
pub fn assigned(common_dir: &Path, service: &Service<'_>, range: Ports) -> Result<Option<u16>, Error> {
    let Service { agent, worktree, name } = *service;
    let assigned = read(&file_of(common_dir, agent))?;
    let port = assigned.get(worktree).and_then(|services| services.get(name)).copied();
    Ok(port.filter(|port| (range.first..=range.last).contains(port)))
}

/// Forgets the port of a service, and says which it was.
///
/// # Errors
/// It has none, or what is kept cannot be read or written.
pub fn release(common_dir: &Path, service: &Service<'_>) -> Result<u16, Error> {
    let Service { agent, worktree, name } = *service;
    let none = || {
        Error::usage(
            format!("`{name}` has no port of {agent} here"),
            format!("assign one: git lane port {}", quote(name.as_bytes())),
        )
    };
    let path = file_of(common_dir, agent);
    if !path.exists() {
        return Err(none());
    }
    let _lock = locked(&path)?;
    let mut assigned = read(&path)?;
    let port = assigned.get_mut(worktree).and_then(|services| services.remove(name)).ok_or_else(none)?;
    assigned.retain(|_, services| !services.is_empty());
    write(&path, &assigned)?;
    Ok(port)
}

/// Forgets the ports of a worktree that is no more.
///
/// # Errors
/// What is kept cannot be read or written.
pub fn forget(common_dir: &Path, agent: &str, worktree: &str) -> Result<(), Error> {
    let path = file_of(common_dir, agent);
    if !path.exists() {
        return Ok(());
    }
    let _lock = locked(&path)?;
    let mut assigned = read(&path)?;
    if assigned.remove(worktree).is_some() {
        write(&path, &assigned)?;
    }
    Ok(())
}

fn file_of(common_dir: &Path, agent: &str) -> PathBuf {
    common_dir.join("lane/ports").join(format!("{agent}.json"))
}

fn full(service: &Service<'_>, range: Ports, assigned: &PortAssignments) -> Error {
    let Service { agent, worktree, .. } = *service;
    let mut given = Vec::new();
    for (tree, services) in assigned {
        let place = if tree == worktree { String::new() } else { format!(" ({tree})") };
        given.extend(services.iter().map(|(name, port)| format!("{} {port}{place}", name.escape_debug())));
    }
    let taken: Vec<String> = probe(range).iter().map(super::PortConflict::words).collect();
    let said = [given, taken].concat().join(", ");
    Error::usage(
        format!("no port of {range} is left for {agent}: {said}"),
        format!(
            "release an unused one, in the worktree that has it: git lane port SERVICE --release\n\
             or widen `agents.{agent}.ports` in the policy"
        ),
    )
}

fn read(path: &Path) -> Result<PortAssignments, Error> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(PortAssignments::new()),
        Err(error) => return Err(unreadable(path, &error.to_string())),
    };
    serde_json::from_str(&text).map_err(|error| unreadable(path, &error.to_string()))
}

fn locked(path: &Path) -> Result<File, Error> {
    let lock = path.with_extension("lock");
    state_file::locked(&lock).map_err(|error| unwritable(&lock, &error))
}

fn write(path: &Path, assigned: &PortAssignments) -> Result<(), Error> {
    state_file::write_json(path, assigned).map_err(|error| unwritable(path, &error))
}

fn unreadable(path: &Path, why: &str) -> Error {
    let help = format!(
        "check the file; if it is damaged, remove it, and ports are assigned again: {}",
        path.display()
    );
    Unavailable::new(format!("the ports in {} cannot be read: {why}", path.display()), help).into()
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::write(
        format!("{} cannot be written: {error}", path.display()),
        "free some disk space, or make it writable",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two ports side by side that nobody has at this moment.
    fn pair() -> Ports {
        (20_000..30_000)
            .step_by(7)
            .map(|first| Ports { first, last: first + 1 })
            .find(|range| probe(*range).is_empty())
            .expect("two free ports")
    }

    #[test]
    fn the_same_each_time_until_the_range_is_full() {
        let folder = tempfile::tempdir().expect("a folder");
        let (at, range) = (folder.path(), pair());
        let service = |worktree, name| Service { agent: "a1", worktree, name };
        let port = |worktree, name| port_of(at, &service(worktree, name), range);
        assert_eq!(port("w", "api"), Ok(range.first));
        assert_eq!(port("w", "db"), Ok(range.last));
        assert_eq!(port("w", "api"), Ok(range.first), "the same again");
        let refused = port("other", "api").expect_err("no port is left");
        assert!(
            refused.to_string().contains("api ")
                && refused.help().is_some_and(|help| help.contains("git lane port SERVICE --release"))
        );
        assert_eq!(release(at, &service("w", "db")), Ok(range.last));
        assert!(release(at, &service("w", "db")).is_err(), "it has none any more");
        assert_eq!(port("other", "api"), Ok(range.last));
        assert_eq!(release(at, &service("other", "api")), Ok(range.last));
        forget(at, "a1", "w").expect("forgotten");
        assert_eq!(port("other", "api"), Ok(range.first));
    }

    #[test]
    fn a_taken_port_is_passed_over_and_a_broken_file_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let (range, api) = (pair(), Service { agent: "a1", worktree: "w", name: "api" });
        let _listener = std::net::TcpListener::bind(("127.0.0.1", range.first)).expect("a listener");
        assert_eq!(port_of(folder.path(), &api, range), Ok(range.last));
        fs::write(file_of(folder.path(), "a1"), "{").expect("a file");
        assert!(port_of(folder.path(), &api, range).is_err());
    }
}
