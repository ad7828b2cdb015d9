//! What most commands begin with: the repository, the environment, the policy in force.

use std::path::Path;

use super::remote_branches::{self, Asker};
use super::trace;
use crate::gather::{Environment, Loaded, Request, Subject, gather, policy_source};
use lane_core::engine;
use lane_core::error::Error;
use lane_core::facts::{Event, Facts, Oid, typed_ref};
use lane_core::identity::{Who, resolve};
use lane_core::policy::{FILE, Source};
use lane_core::report::Report;
use lane_git::{Opened, Repository};

/// An open repository with its policy.
pub struct Session {
    /// The repository.
    pub repo: Opened,
    /// What the process was given.
    pub environment: Environment,
    /// The policy in force.
    pub loaded: Loaded,
}

impl Session {
    /// Opens the repository around the current folder; `policy` instead of the one in force.
    ///
    /// # Errors
    /// No repository, no policy, or one with mistakes.
    pub fn open(policy: Option<&Path>) -> Result<Self, Error> {
        Self::new(|repo| match policy {
            Some(path) => policy_source::from_file(Some(repo), path),
            None => policy_source::find(repo),
        })
    }

    /// The same for a hook of a commit, which is one of three that read the same policy.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_for_commit() -> Result<Self, Error> {
        Self::new(|repo| policy_source::find_for_commit(repo))
    }

    /// The same with a policy that comes from elsewhere.
    pub fn with(repo: Opened, loaded: Loaded) -> Self {
        Self { repo, environment: Environment::of_process(), loaded }
    }

    fn new(find: impl FnOnce(&Opened) -> Result<Loaded, Error>) -> Result<Self, Error> {
        let environment = Environment::of_process();
        let repo = Opened::open()?;
        trace::debug(|| format!("repository: {:?}", repo.layout()));
        let loaded = find(&repo)?;
        trace::debug(|| format!("policy: {}, base: {:?}", loaded.plan.source.name, loaded.base));
        Ok(Self { repo, environment, loaded })
    }

    /// The tip of the base, as it is known here.
    pub fn base(&self) -> Option<Oid> {
        self.loaded.base.as_ref().map(|base| base.oid)
    }

    /// Which policy was read, where the one in the working tree is another.
    pub fn policy_note(&self) -> Option<String> {
        let Source { name, text } = &self.loaded.plan.source;
        // From a file, it is the one that was named, or the only one that there is.
        if !name.starts_with("refs/") {
            return None;
        }
        // One that cannot be read is another one, too.
        let own = policy_source::in_worktree(&self.repo).unwrap_or_else(|_| Some(String::new()))?;
        // Which line ends a checkout has is git's own affair.
        if own.lines().eq(text.lines()) {
            return None;
        }
        let base = typed_ref(name.trim_end_matches(FILE).trim_end_matches(':'));
        Some(format!(
            "the policy that counts was read from {name}; {FILE} in the working tree differs, and counts once it is on {base}"
        ))
    }

    /// The repository, at the end of a process that needs nothing else any more: see [`Opened::abandon`].
    pub fn last(self) -> Opened {
        std::mem::forget(self.loaded);
        self.repo
    }

    /// The facts about a request.
    ///
    /// # Errors
    /// Something without which nothing can be judged cannot be read.
    pub fn facts(&self, request: &Request) -> Result<Facts, Error> {
        gathered(&self.repo, &self.environment, &self.loaded, request)
    }

    /// Who works here, with the facts that say so. `agent`: as named on the command line.
    ///
    /// # Errors
    /// What says so cannot be read.
    pub fn who(&self, agent: Option<&str>) -> Result<(Who, Facts), Error> {
        let agent = agent.map(str::to_owned);
        let request = Request { event: Event::CommitMsg, agent, branch: None, subject: Subject::Nothing };
        let facts = self.facts(&request)?;
        Ok((resolve(&self.loaded.plan, &facts, &facts.changes[0]), facts))
    }

    /// The verdict on a request.
    ///
    /// # Errors
    /// Something without which nothing can be judged cannot be read.
    pub fn judge(&self, request: &Request) -> Result<Report, Error> {
        Ok(self.judged(request)?.0)
    }

    /// The same, with the facts that it rests on.
    ///
    /// # Errors
    /// As [`Self::judge`].
    pub fn judged(&self, request: &Request) -> Result<(Report, Facts), Error> {
        judged(&self.repo, &self.environment, &self.loaded, request)
    }
}

/// The verdict on a request by any of the policies of a repository, with the facts that it rests on.
///
/// # Errors
/// Something without which nothing can be judged cannot be read.
pub(crate) fn judged(
    repo: &Opened,
    environment: &Environment,
    loaded: &Loaded,
    request: &Request,
) -> Result<(Report, Facts), Error> {
    let plan = &loaded.plan;
    let mut facts = gathered(repo, environment, loaded, request)?;
    let oid = loaded.oid.map(|oid| oid.to_string());
    let mut report = engine::judge(plan, &facts, oid.clone());
    let asked = remote_branches::asked(repo, plan, environment, &facts, &report, Asker::Clone)?;
    if let Some(environment) = asked {
        facts = gather(repo, &environment, loaded, request)?;
        report = engine::judge(plan, &facts, oid);
    }
    report.reader = Some(repo.reader());
    trace::report(&report);
    Ok((report, facts))
}

fn gathered(
    repo: &Opened,
    environment: &Environment,
    loaded: &Loaded,
    request: &Request,
) -> Result<Facts, Error> {
    let facts = gather(repo, environment, loaded, request)?;
    trace::facts(&facts);
    Ok(facts)
}
