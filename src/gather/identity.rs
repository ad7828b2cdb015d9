//! Who says which agent works here.

use std::path::Path;

use super::environment::Environment;
use lane_core::facts::{IdentityClaim, IdentitySource, Message, Unavailable};
use lane_core::identity::{self, Actor, Worktree};
use lane_core::policy::Plan;
use lane_git::{Head, Layout, Read, Repository};

/// The file at a worktree's root that a shell sources.
const ENV_FILE: &str = ".agent.env";

/// All claims that are present, apart from branches and messages.
///
/// # Errors
/// The configuration or `.agent.env` cannot be read.
pub fn claims(
    repo: &dyn Repository,
    environment: &Environment,
    option: Option<&str>,
) -> Read<Vec<IdentityClaim>> {
    let file = match &repo.layout().worktree {
        Some(root) => agent_in_file(root)?,
        None => None,
    };
    let said = [
        (IdentitySource::Option, option.map(str::to_owned)),
        configured(repo)?,
        (IdentitySource::Environment, environment.agent_id.clone()),
        (IdentitySource::File, file),
    ];
    let claims = said.into_iter().filter_map(|(source, agent)| Some(IdentityClaim { source, agent: agent? }));
    Ok(claims.collect())
}

/// Who works here. `agent`: as named on the command line; `message`: that of the commit that is being made.
///
/// # Errors
/// What says so cannot be read.
pub fn here(
    repo: &dyn Repository,
    environment: &Environment,
    plan: &Plan,
    agent: Option<&str>,
    message: Option<&Message>,
) -> Read<Actor> {
    let claims = claims(repo, environment, agent)?;
    for claim in &claims {
        log::debug!("identity: {} says {}", claim.source.name(), claim.agent);
    }
    let branch = branch(repo, &repo.head()?)?;
    let (harness, email) = (environment.harness(plan), email(repo, environment)?);
    let worktree = Worktree { claims: &claims, branch: branch.as_deref(), harness: harness.as_deref() };
    Ok(identity::here(plan, &worktree, message, email.as_deref()))
}

/// The branch that HEAD is on, or will be on again after a rebase.
pub(super) fn branch(repo: &dyn Repository, head: &Head) -> Read<Option<String>> {
    let name = match &head.branch {
        Some(name) => Some(name.clone()),
        None => rebasing_branch(repo.layout())?,
    };
    Ok(name.map(|name| name.strip_prefix("refs/heads/").unwrap_or(&name).to_owned()))
}

/// The e-mail address that commits made here have.
///
/// # Errors
/// The configuration cannot be read.
pub fn email(repo: &dyn Repository, environment: &Environment) -> Read<Option<String>> {
    let given = environment.config.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case("user.email"));
    match environment.committer_email.as_ref().or(given.map(|(_, email)| email)) {
        Some(email) => Ok(Some(email.clone())),
        None => Ok(repo.config("user.email")?.pop()),
    }
}

/// What was named on the command line, and nothing else.
pub fn option_claim(option: Option<&str>) -> Vec<IdentityClaim> {
    let claim = |agent: &str| IdentityClaim { source: IdentitySource::Option, agent: agent.to_owned() };
    option.map(claim).into_iter().collect()
}

/// `lane.agent`. It may have been written for another worktree: `git worktree add` copies the
/// configuration of the worktree that it is run in.
fn configured(repo: &dyn Repository) -> Read<(IdentitySource, Option<String>)> {
    let layout = repo.layout();
    let own = match layout.git_dir.strip_prefix(&layout.common_dir) {
        Ok(path) if !path.as_os_str().is_empty() => path.to_string_lossy().into_owned(),
        _ => ".".to_owned(),
    };
    let source = match repo.config("lane.worktree")?.pop() {
        Some(other) if other != own => IdentitySource::CopiedConfig,
        _ => IdentitySource::Config,
    };
    Ok((source, repo.config("lane.agent")?.pop()))
}

/// The agent that `.agent.env` of a worktree names.
///
/// # Errors
/// The file cannot be read.
pub fn agent_in_file(root: &Path) -> Read<Option<String>> {
    let path = root.join(ENV_FILE);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(agent_id(&String::from_utf8_lossy(&bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Unavailable::new(
            format!("{} cannot be read: {error}", path.display()),
            "check what it is, and its permissions",
        )),
    }
}

/// The last assignment to `AGENT_ID` in a file of shell assignments.
fn agent_id(text: &str) -> Option<String> {
    let mut values = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = ["export ", "declare -x "].iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line);
        let line = line.trim_start();
        let value = line.strip_prefix("AGENT_ID=")?;
        let value = match value.chars().next()? {
            quote @ ('"' | '\'') => value[1..].split(quote).next()?,
            _ => value.split([' ', '\t', '#', ';']).next()?,
        };
        Some(value.trim().to_owned())
    });
    values.next_back().filter(|value| !value.is_empty())
}

/// The branch that a rebase will come back to: HEAD is detached while it goes on.
///
/// # Errors
/// The file that names it cannot be read.
pub fn rebasing_branch(layout: &Layout) -> Read<Option<String>> {
    for state in ["rebase-merge", "rebase-apply"] {
        let path = layout.git_dir.join(state).join("head-name");
        match std::fs::read(&path) {
            Ok(name) => {
                let name = String::from_utf8_lossy(name.trim_ascii_end()).into_owned();
                return Ok(name.starts_with("refs/").then_some(name));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Unavailable::new(
                    format!("{} cannot be read: {error}", path.display()),
                    "check whether a rebase is in progress: git status",
                ));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::agent_id;

    #[test]
    fn assignments() {
        assert_eq!(agent_id("export AGENT_ID=a1\n").as_deref(), Some("a1"));
        assert_eq!(agent_id("X=1\nAGENT_ID=\"a2\" # me\n").as_deref(), Some("a2"));
        assert_eq!(agent_id("AGENT_ID=a1\nexport AGENT_ID='a3'").as_deref(), Some("a3"));
        assert_eq!(agent_id("declare -x AGENT_ID=\"a1\"").as_deref(), Some("a1"));
        assert_eq!(agent_id("# AGENT_ID=a1\nMY_AGENT_ID=a2\nAGENT_ID="), None);
    }
}
