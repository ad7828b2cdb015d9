//! What was found, for a conversation that begins with it.

use std::fmt::Write as _;
use std::path::Path;

use crate::commands::policy::counted;
use crate::gather::codeowners;
use crate::harness;
use crate::init::{JobHost, Survey, sanitize_name};
use crate::install::{self, ChainedHooks};
use lane_core::error::Error;
use lane_core::harness::Harness;
use lane_core::report::quote;
use lane_git::{GitRepo, Repository};

/// What was found beside the files that lanes are made of.
pub(super) struct FoundThings {
    /// The CODEOWNERS file that counts.
    pub codeowners: Option<String>,
    /// The harnesses that somebody uses here.
    pub harnesses: Vec<&'static Harness>,
    /// Who is to run the policy job.
    pub host: Option<JobHost>,
    /// The hooks that run after ours.
    pub hooks: Option<ChainedHooks>,
    /// Whether something was merged.
    pub has_history: bool,
    /// The command that pushes the base branch, where there is something to push to.
    pub push: Option<String>,
}

/// Looks.
///
/// # Errors
/// The configuration or the hooks cannot be read.
pub(super) fn look(repo: &GitRepo, survey: &Survey, root: &Path) -> Result<FoundThings, Error> {
    let remote = codeowners::remote(repo)?;
    let has = |path: &str| match path.ends_with('/') {
        true => survey.files.iter().any(|file| file.path.starts_with(path)),
        false => survey.files.iter().any(|file| file.path == path),
    };
    Ok(FoundThings {
        codeowners: codeowners::find(repo, None)?.map(|found| found.place),
        harnesses: harness::select(&["auto".to_owned()], Some(root))?,
        host: JobHost::of(remote.as_deref(), has),
        hooks: install::existing_hooks(repo)?,
        has_history: repo.head()?.oid.is_some(),
        push: if remote.is_some() { Some(push(repo, &survey.base)?) } else { None },
    })
}

/// A bare `git push` wants to know where to.
fn push(repo: &GitRepo, base: &str) -> Result<String, Error> {
    let has_upstream = !repo.config(&format!("branch.{base}.merge"))?.is_empty();
    Ok(match has_upstream {
        true => "git push".to_owned(),
        false => format!("git push -u origin {}", quote(base.as_bytes())),
    })
}

impl FoundThings {
    /// The same for people, a thing on each line.
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
        let rows = [
            ("workspaces", (!manifests.is_empty()).then(|| manifests.join(", "))),
            ("owners", self.codeowners.clone()),
            ("harnesses", (!harnesses.is_empty()).then(|| harnesses.join(", "))),
            ("host", self.host.map(|host| host.name().to_owned())),
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
