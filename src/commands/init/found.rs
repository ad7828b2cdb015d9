//! What was found, for a conversation that begins with it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::commands::policy::counted;
use crate::gather::{Environment, codeowners};
use crate::harness;
use crate::init::{JobHost, Survey, sanitize_name};
use crate::install::{self, ChainedHooks};
use lane_core::error::Error;
use lane_core::harness::Harness;
use lane_core::policy::FILE;
use lane_core::report::quote;
use lane_git::command::{in_worktree, run};
use lane_git::worktrees::{head_of, worktrees};
use lane_git::{GitRepo, Repository};
use lane_os::bytes_of;

/// How long git may take to say whether it ignores a file.
const LIMIT: Duration = Duration::from_secs(10);
/// Variables that say that nobody sits at the terminal.
const UNATTENDED: [&str; 3] = ["CI", "GITHUB_ACTIONS", "GITLAB_CI"];

/// What was found beside the files that lanes are made of.
pub(super) struct FoundThings {
    /// The CODEOWNERS file that counts.
    pub codeowners: Option<String>,
    /// The harnesses that somebody uses here.
    pub harnesses: Vec<&'static Harness>,
    /// Who is to run the policy job.
    pub host: Option<JobHost>,
    /// Whether there is such a job already.
    pub has_job: bool,
    /// The hooks that run after ours.
    pub hooks: Option<ChainedHooks>,
    /// Whether something was merged.
    pub has_history: bool,
    /// Whether a person is to be asked, as far as the environment and the worktree tell.
    pub is_attended: bool,
    /// How git is started in this worktree's root: `git`, or `git -C ROOT`.
    pub git: String,
    has_remote: bool,
    root: PathBuf,
    current: Option<String>,
}

/// Looks.
///
/// # Errors
/// The configuration or the hooks cannot be read.
pub(super) fn look(repo: &GitRepo, survey: &Survey, root: &Path) -> Result<FoundThings, Error> {
    let remote = repo.config(&format!("remote.{}.url", survey.remote))?.pop();
    let remote_host = remote.as_deref().and_then(lane_github::host_of);
    let has = |path: &str| match path.ends_with('/') {
        true => survey.files.iter().any(|file| file.path.starts_with(path)),
        false => survey.files.iter().any(|file| file.path == path),
    };
    let host = JobHost::of(remote_host.as_deref(), has);
    let layout = repo.layout();
    let head = repo.head()?;
    Ok(FoundThings {
        codeowners: codeowners::find(repo, None)?.map(|found| found.place),
        harnesses: harness::select(&["auto".to_owned()], Some(root))?,
        has_job: host.is_some_and(|host| root.join(host.path()).symlink_metadata().is_ok()),
        host,
        hooks: install::existing_hooks(repo)?,
        has_remote: remote.is_some(),
        has_history: head.oid.is_some(),
        is_attended: is_attended() && install::installed_agent(layout, &layout.git_dir)?.is_none(),
        git: if is_here(root) { "git".to_owned() } else { format!("git -C {}", quote(&bytes_of(root))) },
        root: root.to_owned(),
        current: head.branch.and_then(|name| Some(name.strip_prefix("refs/heads/")?.to_owned())),
    })
}

/// Whether no variable says that this is a job, or an agent.
fn is_attended() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    Environment::of_process().agent_id.is_none()
        && !UNATTENDED.into_iter().any(is_set)
        && !Environment::is_of_agent()
}

/// Whether a shell that started this is in the root of the worktree.
fn is_here(root: &Path) -> bool {
    std::env::var_os("PWD").is_none_or(|folder| lane_os::is_same_file(Path::new(&folder), root))
}

impl FoundThings {
    /// The commands that bring what was written onto the base branch, and to the remote.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub fn landing(&self, repo: &GitRepo, survey: &Survey, job: Option<&str>) -> Result<Vec<String>, Error> {
        let (git, base) = (&self.git, quote(survey.base.as_bytes()));
        let mut steps = Vec::new();
        if self.current.as_deref() != Some(&survey.base) {
            match self.holder(repo, &survey.base)? {
                Some(other) => {
                    let other = quote(&bytes_of(&other));
                    steps.push(format!("# {base} is checked out in {other}: move the files there first"));
                }
                None => steps.push(format!("{git} switch {base}")),
            }
        }
        let paths = [Some(FILE), job].into_iter().flatten().collect::<Vec<_>>();
        let force = if paths.iter().any(|path| self.is_ignored(path)) { "-f " } else { "" };
        let paths = paths.join(" ");
        steps.push(format!("{git} add {force}{paths}"));
        steps.push(format!("{git} commit -m 'chore: a policy for our agents' -- {paths}"));
        if self.has_remote {
            let has_upstream = !repo.config(&format!("branch.{}.merge", survey.base))?.is_empty();
            let remote = quote(survey.remote.as_bytes());
            steps.push(if has_upstream {
                format!("{git} push")
            } else {
                format!("{git} push -u {remote} {base}")
            });
        }
        Ok(steps)
    }

    /// The other worktree that has a branch checked out.
    fn holder(&self, repo: &GitRepo, branch: &str) -> Result<Option<PathBuf>, Error> {
        let reference = format!("refs/heads/{branch}");
        let trees = worktrees(repo.layout())?;
        let mut others = trees.into_iter().filter(|tree| tree.root != self.root);
        let holds = |git_dir: &Path| {
            head_of(repo, git_dir).is_ok_and(|head| head.branch.as_ref() == Some(&reference))
        };
        Ok(others.find(|tree| holds(&tree.git_dir)).map(|tree| tree.root))
    }

    fn is_ignored(&self, path: &str) -> bool {
        let mut git = in_worktree(&self.root);
        git.args(["check-ignore", "-q", "--", path]);
        run(git, None, LIMIT).is_ok_and(|asked| asked.ok)
    }

    /// What was found, a thing on each line.
    pub fn lines(&self, survey: &Survey) -> String {
        let mut out = format!(
            "found: {} on {}, {}\n",
            counted(survey.files.len(), "tracked file"),
            sanitize_name(&survey.base),
            counted(survey.worktrees.len(), "linked worktree")
        );
        let manifests: Vec<String> = survey
            .texts
            .iter()
            .filter(|text| text.content.is_ok() && !text.path.ends_with("CODEOWNERS"))
            .map(|text| text.path.clone())
            .collect();
        let harnesses: Vec<&str> = self.harnesses.iter().map(|harness| harness.name).collect();
        let hooks = self.hooks.as_ref().map(|hooks| {
            let manager = hooks.manager.map(|name| format!(" of {name}")).unwrap_or_default();
            format!("{}{manager}, which run after those of git-lane", hooks.hooks.join(", "))
        });
        let host = self.host.map(|host| match self.has_job {
            true => format!("{}, with {}", host.name(), host.path()),
            false => host.name().to_owned(),
        });
        let rows = [
            ("workspaces", (!manifests.is_empty()).then(|| manifests.join(", "))),
            ("owners", self.codeowners.clone()),
            ("harnesses", (!harnesses.is_empty()).then(|| harnesses.join(", "))),
            ("host", host),
            ("hooks", hooks),
        ];
        for (name, said) in rows {
            if let Some(said) = said {
                let _ = writeln!(out, "  {name:<11} {said}");
            }
        }
        out
    }
}
