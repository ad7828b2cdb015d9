//! What most commands begin with: the repository, the environment, the policy in force.

use std::path::Path;
use std::rc::Rc;

use super::remote_branches::{self, CallerKind};
use super::stopwatch::Stopwatch;
use super::{Ui, own_rules, trace};
use crate::custom::{self, CustomUse};
use crate::gather::{Environment, LoadedPolicy, Request, Subject, gather, identity, policy_source};
use lane_core::engine;
use lane_core::error::Error;
use lane_core::facts::{Facts, Oid, Unavailable, typed_ref};
use lane_core::identity::Actor;
use lane_core::policy::{FILE, Plan, Source};
use lane_core::report::Report;
use lane_core::rules::how_to_join;
use lane_git::{GitRepo, Read, Repository};

/// An open repository with its policy.
pub struct Session {
    /// The repository.
    pub repo: GitRepo,
    /// What the process was given.
    pub environment: Environment,
    /// The policy in force.
    pub loaded: LoadedPolicy,
    /// Whoever waits.
    pub ui: Rc<dyn Ui>,
}

impl Session {
    /// Opens the repository around the current folder; `policy` instead of the one in force.
    ///
    /// # Errors
    /// No repository, no policy, or one with mistakes.
    pub fn open(ui: impl Ui + 'static, policy: Option<&Path>) -> Result<Self, Error> {
        Self::open_in(Self::repository()?, ui, policy)
    }

    /// The same in a repository that is open.
    ///
    /// # Errors
    /// No policy, or one with mistakes.
    pub fn open_in(repo: GitRepo, ui: impl Ui + 'static, policy: Option<&Path>) -> Result<Self, Error> {
        let loaded = match policy {
            Some(path) => policy_source::from_file(Some(&repo), path)?,
            None => policy_source::find(&repo)?,
        };
        Ok(Self::with(repo, loaded, ui))
    }

    /// The repository around the current folder.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn repository() -> Result<GitRepo, Error> {
        let repo = GitRepo::open()?;
        log::debug!("repository: {:?}", repo.layout());
        Ok(repo)
    }

    /// The same for a hook of a commit, which is one of three that read the same policy.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_for_commit(ui: impl Ui + 'static) -> Result<Self, Error> {
        Self::open_for_commit_in(Self::repository()?, ui)
    }

    /// The same in a repository that is open.
    ///
    /// # Errors
    /// As [`Self::open_in`].
    pub fn open_for_commit_in(repo: GitRepo, ui: impl Ui + 'static) -> Result<Self, Error> {
        let loaded = policy_source::find_for_commit(&repo)?;
        Ok(Self::with(repo, loaded, ui))
    }

    /// That of the worktree at a root, for whoever asks from outside of it; `None` where there is no policy.
    ///
    /// # Errors
    /// The repository or the policy cannot be read, or the policy has mistakes.
    pub fn open_at(root: &Path, environment: &Environment) -> Result<Option<Self>, Error> {
        let repo = GitRepo::open_at(root)?;
        let Some(loaded) = policy_source::find_if_any(&repo)? else {
            return Ok(None);
        };
        Ok(Some(Self { environment: environment.clone(), ..Self::with(repo, loaded, super::Silent) }))
    }

    /// The same with a policy that comes from elsewhere.
    pub fn with(repo: GitRepo, loaded: LoadedPolicy, ui: impl Ui + 'static) -> Self {
        log::debug!("policy: {}, base: {:?}", loaded.plan.source.name, loaded.base);
        Self { repo, environment: Environment::of_process(), loaded, ui: Rc::new(ui) }
    }

    /// The same, with the policy read again: something has changed it, or what it is read from.
    ///
    /// # Errors
    /// No policy, or one with mistakes.
    pub fn reloaded(self) -> Result<Self, Error> {
        Ok(Self { loaded: policy_source::find(&self.repo)?, ..self })
    }

    /// The same opened again: all that was read of it may be another by now.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn reopened(&self) -> Result<Self, Error> {
        let repo = Self::repository()?;
        let loaded = policy_source::find(&repo)?;
        Ok(Self { ui: Rc::clone(&self.ui), ..Self::with(repo, loaded, super::Silent) })
    }

    /// The tip of the base, as it is known here.
    pub fn base(&self) -> Option<Oid> {
        self.loaded.base.as_ref().map(|base| base.oid)
    }

    /// Which policy was read, where the one in the working tree is another.
    pub fn policy_note(&self) -> Option<String> {
        let source = &self.loaded.plan.source;
        let name = &source.name;
        // From a file, it is the one that was named, or the only one that there is.
        if !name.starts_with("refs/") {
            return None;
        }
        // One that cannot be read is another one, too.
        let own = policy_source::in_worktree(&self.repo);
        let own = own.unwrap_or_else(|_| Some(Source::new(FILE, "")))?;
        // Which line ends a checkout has is git's own affair.
        if own.text.lines().eq(source.text.lines()) {
            return None;
        }
        let same = own.own_text().lines().eq(source.own_text().lines());
        let what = if same { "a file that it extends" } else { FILE };
        let base = typed_ref(name.trim_end_matches(FILE).trim_end_matches(':'));
        Some(format!(
            "using the policy from {name}; {what} in the working tree differs, and applies once it is on {base}"
        ))
    }

    /// The repository, at the end of a process that needs nothing else any more: see [`GitRepo::abandon`].
    pub fn last(self) -> GitRepo {
        std::mem::forget(self.loaded);
        self.repo
    }

    /// The facts about a request.
    ///
    /// # Errors
    /// Something without which nothing can be judged cannot be read.
    pub fn facts(&self, request: &Request) -> Result<Facts, Error> {
        gather_facts(&self.repo, &self.environment, &self.loaded, request)
    }

    /// Who works here. `agent`: as named on the command line.
    ///
    /// # Errors
    /// What says so cannot be read.
    pub fn actor(&self, agent: Option<&str>) -> Read<Actor> {
        identity::here(&self.repo, &self.environment, &self.loaded.plan, agent, None)
    }

    /// The agent that works here, if anything says so.
    ///
    /// # Errors
    /// Claims disagree.
    pub fn found_agent(&self, agent: Option<&str>) -> Result<Option<String>, Error> {
        match self.actor(agent)? {
            Actor::Agent(agent) => Ok(Some(agent)),
            Actor::Unclear { reason, help } => Err(Unavailable::new(reason, help).into()),
            Actor::Maintainer | Actor::Stranger | Actor::Unassigned { .. } => Ok(None),
        }
    }

    /// The agent that works here.
    ///
    /// # Errors
    /// Nobody says so, or claims disagree.
    pub fn agent(&self, agent: Option<&str>) -> Result<String, Error> {
        let plan = &self.loaded.plan;
        if matches!(self.actor(agent)?, Actor::Unassigned { .. }) {
            return Err(Error::usage(
                "a lock is held by an agent, and no lane was given to the one that is at work here",
                how_to_join(plan),
            ));
        }
        self.found_agent(agent)?.ok_or_else(|| {
            let first = plan.policy.agent_ids().next().unwrap_or("a1");
            Error::usage(
                "locks belong to agents, but no agent works here",
                format!(
                    "a maintainer needs no lock; to lock for an agent, name it: --agent {first} ({})\n\
                     or make this the worktree of an agent: git lane join {first}",
                    plan.policy.agents_in_words()
                ),
            )
        })
    }

    /// The worktree, as records name it.
    pub fn location(&self) -> String {
        let layout = self.repo.layout();
        layout.worktree.as_ref().unwrap_or(&layout.common_dir).display().to_string()
    }

    /// The verdict on a request.
    ///
    /// # Errors
    /// Something without which nothing can be judged cannot be read.
    pub fn judge(&self, request: &Request) -> Result<Report, Error> {
        Ok(self.judge_with_facts(request)?.0)
    }

    /// The same, with the facts that it rests on.
    ///
    /// # Errors
    /// As [`Self::judge`].
    pub fn judge_with_facts(&self, request: &Request) -> Result<(Report, Facts), Error> {
        judged(&self.repo, &self.environment, &self.loaded, request, CallerKind::Clone, &*self.ui)
    }
}

/// The verdict on a request by any of the policies of a repository, with the facts that it rests on.
///
/// # Errors
/// Something without which nothing can be judged cannot be read.
pub fn judged(
    repo: &GitRepo,
    environment: &Environment,
    loaded: &LoadedPolicy,
    request: &Request,
    asker: CallerKind,
    ui: &dyn Ui,
) -> Result<(Report, Facts), Error> {
    match strictly_judged(repo, environment, loaded, request, asker, ui) {
        Err(error) if loaded.plan.observes() && !brings_records(&loaded.plan, request) => {
            let oid = loaded.oid.map(|oid| oid.to_string());
            let report = engine::observed_failure(&loaded.plan, request.event, oid, &error);
            Ok((report, Facts::of(request.event, environment.now, Vec::new())))
        }
        judged => judged,
    }
}

/// Whether records come with a push: what they are worth is not only observed.
fn brings_records(plan: &Plan, request: &Request) -> bool {
    match &request.subject {
        Subject::Received { all: lines, .. } | Subject::Push { lines, .. } => {
            lines.iter().any(|line| plan.always_binds(&line.remote_ref))
        }
        _ => false,
    }
}

fn strictly_judged(
    repo: &GitRepo,
    environment: &Environment,
    loaded: &LoadedPolicy,
    request: &Request,
    asker: CallerKind,
    ui: &dyn Ui,
) -> Result<(Report, Facts), Error> {
    let plan = &loaded.plan;
    let mut stopwatch = Stopwatch::new(environment.timings);
    let mut facts = stopwatch.gather(|| gather_facts(repo, environment, loaded, request))?;
    let oid = loaded.oid.map(|oid| oid.to_string());
    let use_of_custom = custom::use_at(repo, plan, request.event)?;
    // They are run once it is known that nothing has to be gathered again.
    facts.leaves_out_custom = true;
    let mut report = stopwatch.judge(plan, &facts, oid.clone());
    let asked = remote_branches::fetch_missing_branches(repo, plan, environment, &facts, &report, asker, ui)?;
    if let Some(environment) = asked {
        facts = stopwatch.gather(|| gather(repo, &environment, loaded, request))?;
        facts.leaves_out_custom = true;
        report = stopwatch.judge(plan, &facts, oid.clone());
    }
    match use_of_custom {
        CustomUse::Nothing => {}
        CustomUse::Run if own_rules::was_passed(repo, loaded, &facts)? => {}
        CustomUse::Run => {
            facts.leaves_out_custom = false;
            custom::run(repo, loaded, &request.subject, &mut facts);
            own_rules::note_passed(repo, loaded, &facts);
            report = stopwatch.judge(plan, &facts, oid);
            stopwatch.custom(plan, &facts);
        }
        CustomUse::LeftOut(why) => report.notes.push(why),
    }
    report.timings = stopwatch.into_timings();
    report.reader = Some(repo.reader());
    trace::report(&report);
    Ok((report, facts))
}

fn gather_facts(
    repo: &GitRepo,
    environment: &Environment,
    loaded: &LoadedPolicy,
    request: &Request,
) -> Result<Facts, Error> {
    let facts = gather(repo, environment, loaded, request)?;
    trace::facts(&facts);
    Ok(facts)
}
