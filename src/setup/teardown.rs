//! A worktree taken away again, once nothing of its agent's work would be lost with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::losses::{self, Loss};
use super::provision::Reporter;
use super::state::LockedState;
use super::target::{Target, entry_of, select};
use super::{git, quoted, removal};
use crate::gather::LoadedPolicy;
use crate::install;
use crate::ports;
use lane_core::agent_env::{self, DATABASE_URL};
use lane_core::error::Error;
use lane_core::locks::record::plain;
use lane_git::worktrees::{head_of, worktrees};
use lane_git::{Layout, Repository};

/// What `git lane teardown` was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose worktree.
    pub agent: String,
    /// Also the branch, if it is merged.
    pub delete_branch: bool,
    /// Also the schema of the database.
    pub drop_schema: bool,
}

impl Options {
    /// The command that asked for it.
    fn command_line(&self) -> String {
        let mut command = format!("git lane teardown {}", self.agent);
        for (is_set, word) in [(self.delete_branch, " --delete-branch"), (self.drop_schema, " --drop-schema")]
        {
            command.push_str(if is_set { word } else { "" });
        }
        command
    }
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TeardownOutcome {
    /// This would be lost; nothing was touched.
    Refused(Vec<Loss>),
    /// What was done, for people, and what is worth knowing.
    Done(Vec<String>, Vec<String>),
}

/// The schema that `--drop-schema` would drop, and the address of its database.
///
/// # Errors
/// The agent has none, or nobody says where the database is.
pub fn schema_of(loaded: &LoadedPolicy, agent: &str) -> Result<(String, String), Error> {
    let agent = loaded.plan.agent(agent)?;
    let id = &agent.id.value;
    let Some(database) = &agent.database else {
        let help = "omit --drop-schema".to_owned();
        return Err(Error::usage(format!("{id} has no schema in {}", loaded.plan.source.name), help));
    };
    let resolved = agent_env::of(agent).resolve(&|name| std::env::var(name).ok());
    match resolved.get(DATABASE_URL).filter(|url| !url.is_empty()) {
        Some(url) => Ok((database.schema.value.clone(), url)),
        None => Err(Error::usage(
            format!(
                "{DATABASE_URL} is not set, so the database of the schema {} is unknown",
                database.schema.value
            ),
            format!("{DATABASE_URL}=postgresql://… git lane teardown {id} --drop-schema"),
        )),
    }
}

/// Takes a worktree away, or says what would be lost with it.
///
/// # Errors
/// No such agent, or something cannot be read or done; what was not done is named.
pub fn run(
    repo: &dyn Repository,
    loaded: &LoadedPolicy,
    options: &Options,
    reporter: &dyn Reporter,
) -> Result<TeardownOutcome, Error> {
    let mut targets = select(repo, loaded, std::slice::from_ref(&options.agent))?;
    let target = targets.remove(0);
    let layout = repo.layout();
    let schema = if options.drop_schema { Some(schema_of(loaded, &options.agent)?) } else { None };
    let mut held = LockedState::open(&layout.common_dir, &target.agent, reporter)?;
    removal::resume(layout, &target, &mut held, &options.command_line())?;
    let (mut done, mut notes) = (Vec::new(), Vec::new());
    let mut branch = target.branch.clone();
    match entry_of(layout, &target.root)? {
        None => match elsewhere(layout, &target.agent)? {
            Some(there) => return Err(moved_error(&target, &there)),
            None => notes.push(format!("no worktree at {}", target.root.display())),
        },
        Some(git_dir) => {
            check_removable(layout, &target, &git_dir, options)?;
            let (found, current) = find_losses(repo, loaded, &target, &git_dir)?;
            if !found.is_empty() {
                return Ok(TeardownOutcome::Refused(found));
            }
            branch = current.unwrap_or(branch);
            done.push(remove_worktree(layout, &target, &git_dir, &mut held, options)?);
        }
    }
    held.forget()?;
    if options.delete_branch {
        delete_branch(repo, loaded, &target, &branch, &mut done, &mut notes)?;
    } else if repo.find_ref(&format!("refs/heads/{branch}"))?.is_some() {
        notes.push(format!("the branch {branch} is kept"));
    }
    if let Some((schema, url)) = schema {
        drop_schema(&schema, &url)?;
        done.push(format!("dropped the schema {schema}"));
    }
    Ok(TeardownOutcome::Done(done, notes))
}

/// The agent's worktree is in another place than the policy says.
fn moved_error(target: &Target, there: &Path) -> Error {
    let agent = &target.agent;
    Error::usage(
        format!("{agent} works in {}, not in the place from the policy", there.display()),
        format!(
            "git worktree move {} {}\nor set its path in the policy: `agents.{agent}.worktree`",
            quoted(there),
            quoted(&target.root)
        ),
    )
}

/// Refuses what git could not remove, or only to the harm of whoever asks.
fn check_removable(layout: &Layout, target: &Target, git_dir: &Path, options: &Options) -> Result<(), Error> {
    let (root, common) = (&target.root, &layout.common_dir);
    if git_dir == common {
        return Err(Error::usage(
            format!("{} is the main worktree", root.display()),
            "only linked worktrees can be removed",
        ));
    }
    let here = std::env::current_dir().ok().and_then(|here| here.canonicalize().ok());
    let home = common.parent().filter(|_| common.ends_with(".git")).unwrap_or(common);
    if root.is_dir() && here.is_some_and(|here| here.starts_with(root)) {
        return Err(Error::usage(
            format!("the current folder is in {}, which would be removed", root.display()),
            // A shell that stays in it is at work there.
            format!("leave it: cd {}\nthen rerun: git lane teardown {}", quoted(home), target.agent),
        ));
    }
    is_no_link(git_dir, root, options)
}

/// What would be lost with a worktree, and the branch that is checked out in it.
fn find_losses(
    repo: &dyn Repository,
    loaded: &LoadedPolicy,
    target: &Target,
    git_dir: &Path,
) -> Result<(Vec<Loss>, Option<String>), Error> {
    if !target.root.is_dir() {
        return Ok((losses::of_gone(repo, git_dir)?, None));
    }
    let found = losses::of(repo, loaded, target, git_dir)?;
    if !found.is_empty() {
        return Ok((found, None));
    }
    let head = lane_git::GitRepo::open_at(&target.root)?.head()?;
    Ok((found, head.branch.and_then(|name| name.strip_prefix("refs/heads/").map(str::to_owned))))
}

/// Removes a worktree and what is known of its ports. What was done, for people.
fn remove_worktree(
    layout: &Layout,
    target: &Target,
    git_dir: &Path,
    held: &mut LockedState,
    options: &Options,
) -> Result<String, Error> {
    removal::remove(layout, target, git_dir, held, &options.command_line())?;
    let name = git_dir.strip_prefix(&layout.common_dir).unwrap_or(git_dir);
    ports::forget(&layout.common_dir, &target.agent, &name.to_string_lossy())?;
    Ok(format!("removed the worktree {}", target.root.display()))
}

/// Another worktree that is installed for an agent.
fn elsewhere(layout: &Layout, agent: &str) -> Result<Option<PathBuf>, Error> {
    for tree in worktrees(layout)? {
        if install::installed_agent(layout, &tree.git_dir)?.as_deref() == Some(agent) {
            return Ok(Some(tree.root));
        }
    }
    Ok(None)
}

/// git empties what a link leads to, and then cannot remove the link.
fn is_no_link(git_dir: &Path, root: &Path, options: &Options) -> Result<(), Error> {
    let pointer = std::fs::read_to_string(git_dir.join("gitdir")).unwrap_or_default();
    let known = git_dir.join(pointer.trim_end());
    let known = known.parent().unwrap_or(root);
    if known.symlink_metadata().is_ok_and(|data| data.is_symlink()) {
        return Err(Error::usage(
            format!("{} is a link to {}", known.display(), root.display()),
            format!(
                "make git use the folder itself: git worktree repair {}\nrerun: {}",
                quoted(root),
                options.command_line()
            ),
        ));
    }
    Ok(())
}

/// Deletes a branch that is wholly on the base. It moves by git's own compare-and-swap: what was committed
/// meanwhile is not lost.
pub(super) fn delete_branch(
    repo: &dyn Repository,
    loaded: &LoadedPolicy,
    target: &Target,
    branch: &str,
    done: &mut Vec<String>,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let reference = format!("refs/heads/{branch}");
    let Some(tip) = repo.find_ref(&reference)? else {
        return Ok(());
    };
    let policy = &loaded.plan.policy;
    let local = repo.find_ref(&format!("refs/heads/{}", policy.base.value))?;
    let bases: Vec<_> = loaded.base.iter().map(|base| base.oid).chain(local).collect();
    let is_merged = !bases.is_empty() && repo.commits(&[tip], &bases)?.is_empty();
    let (base, remote) = (&policy.base.value, &policy.remote.value);
    if branch == base || loaded.plan.protected(branch).is_some() {
        notes.push(format!("the branch {branch} is kept: it is protected"));
    } else if branch != target.branch
        && lane_core::identity::of_branch(&loaded.plan, branch) != Some(&target.agent)
    {
        notes.push(format!("the branch {branch} is kept: it is not one of {}", target.agent));
    } else if let Some(root) = worktree_of(repo, &reference)? {
        notes.push(format!("the branch {branch} is kept: {} is on it", root.display()));
    } else if !is_merged {
        notes.push(format!(
            "the branch {branch} is kept: it is not merged into {base} as last fetched (git fetch {remote}); to delete it anyway: git branch -D {branch}"
        ));
    } else {
        let common_dir = repo.layout().common_dir.clone();
        let args =
            ["update-ref", "--no-deref", "-d", &reference, &tip.to_string()].map(str::to_owned).to_vec();
        let ran = git::common(&common_dir, None, &mut || args.clone())?;
        if ran.ok {
            done.push(format!("deleted the branch {branch}, which is merged into {base}"));
        } else {
            notes.push(format!("the branch {branch} is kept: {}", ran.error_text()));
        }
    }
    Ok(())
}

/// The worktree that is on a branch, or will be on it again after what is in progress there.
fn worktree_of(repo: &dyn Repository, reference: &str) -> Result<Option<PathBuf>, Error> {
    let files = ["rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"];
    let short = reference.trim_start_matches("refs/heads/");
    for tree in worktrees(repo.layout())? {
        let is_on = |file: &&str| {
            let text = std::fs::read_to_string(tree.git_dir.join(file)).unwrap_or_default();
            text.trim() == reference || text.trim() == short
        };
        let is_on_it = head_of(repo, &tree.git_dir)?.branch.as_deref() == Some(reference);
        if is_on_it || files.iter().any(is_on) {
            return Ok(Some(tree.root));
        }
    }
    Ok(None)
}

/// Drops a schema that is there. The password of the address goes by the environment: the arguments of a command
/// can be seen by everybody.
fn drop_schema(schema: &str, url: &str) -> Result<(), Error> {
    let failed = |why: String| {
        Error::write(
            format!("the schema {schema} was not dropped: {why}"),
            "the worktree is already removed; fix this, then rerun the same command",
        )
    };
    let (address, password) = agent_env::without_password(url);
    let ask = |statement: &str| {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &address, "-c", statement]);
        psql.envs(password.iter().map(|password| ("PGPASSWORD", password))).stdin(Stdio::null());
        let output = psql.output().map_err(|error| failed(format!("psql could not be started: {error}")))?;
        if !output.status.success() {
            return Err(failed(plain(&String::from_utf8_lossy(&output.stderr))));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let (name, text) = (schema.replace('"', "\"\""), schema.replace('\'', "''"));
    if ask(&format!("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = '{text}'"))?.is_empty() {
        return Err(failed(format!("no schema {schema} in that database")));
    }
    ask(&format!("DROP SCHEMA \"{name}\" CASCADE")).map(drop)
}
