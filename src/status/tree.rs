//! One worktree, read in a thread of its own.

use super::{Check, Lane, LastCommit, Line, StatusOptions};
use crate::gather::{
    Environment, LoadedPolicy, Request, Subject, agent_in_file, change_base, claims, gather, rebasing_branch,
};
use crate::stack;
use lane_core::engine;
use lane_core::facts::{Event, Facts, IdentityClaim, IdentitySource, Message, Oid, Unavailable};
use lane_core::locks::record::plain;
use lane_core::policy::Plan;
use lane_core::report::{Report, quote};
use lane_git::command::status_files;
use lane_git::in_progress::in_progress;
use lane_git::worktrees::head_of;
use lane_git::{GitRepo, Layout, Read, Repository};

/// Reads one worktree as far as it can be read.
pub(super) fn line(layout: &Layout, lane: &Lane, loaded: &LoadedPolicy, manner: StatusOptions) -> Line {
    let (mut line, repo) = open_worktree(layout, lane);
    let Some(repo) = repo else { return line };
    let reading = WorktreeReader { repo: &repo, loaded, now: manner.now };
    // The verdict says which branch it is based on.
    for step in [WorktreeReader::head, WorktreeReader::check, WorktreeReader::distance] {
        if let Err(why) = step(&reading, &mut line)
            && !line.troubles.contains(&why)
        {
            line.troubles.push(why);
        }
    }
    // A git at work there is not to find its lock taken.
    let may_refresh = manner.may_refresh && line.under_way.is_none();
    match status_files(&lane.root, may_refresh) {
        Ok(files) => line.uncommitted = Some(files.len()),
        Err(why) => line.troubles.push(why),
    }
    line
}

/// The branch of one worktree, its tip, and whose it is: by the policy, by its configuration, or by the branch.
pub(super) fn head_alone(layout: &Layout, lane: &Lane, plan: &Plan) -> Line {
    let (mut line, repo) = open_worktree(layout, lane);
    let Some(repo) = repo else { return line };
    if let Err(why) = head(&repo, &mut line) {
        line.troubles.push(why);
    }
    let claims = claims(&repo, &Environment::default(), None).unwrap_or_default();
    // What was written for another worktree counts after the branch's name.
    let claimed = |is_copy: bool| {
        let of = |claim: &&IdentityClaim| (claim.source == IdentitySource::CopiedConfig) == is_copy;
        let known = |claim: &&IdentityClaim| plan.policy.agent(&claim.agent).is_some();
        claims.iter().filter(of).find(known).map(|claim| claim.agent.clone())
    };
    let named = || lane_core::identity::of_branch(plan, line.branch.as_deref()?).map(str::to_owned);
    line.agent = line.agent.clone().or_else(|| claimed(false)).or_else(named).or_else(|| claimed(true));
    line
}

/// The branch and the tip of a worktree without opening it, by what git keeps of it elsewhere: its HEAD, and the branch
/// that a rebase there will come back to. Whose it is, by the policy, the installation, its `.agent.env`, or the branch.
pub(super) fn from_afar(repo: &dyn Repository, plan: &Plan, lane: &Lane, line: &mut Line) {
    let (Some(git_dir), None) = (&lane.git_dir, line.head) else { return };
    let layout = Layout { git_dir: git_dir.clone(), ..repo.layout().clone() };
    let head = head_of(repo, git_dir).and_then(|head| match head.branch {
        Some(_) => Ok((head.branch, head.oid)),
        None => {
            let branch = rebasing_branch(&layout)?;
            let of_branch = branch.as_ref().map(|name| repo.find_ref(name)).transpose()?.flatten();
            Ok((branch, of_branch.or(head.oid)))
        }
    });
    if let Ok((branch, oid)) = head {
        line.branch = branch.map(|name| plain(name.strip_prefix("refs/heads/").unwrap_or(&name)));
        line.head = oid;
    }
    let installed = || crate::install::installed_agent(repo.layout(), git_dir).ok()?;
    let in_file = || agent_in_file(&lane.root).ok()?;
    let named = || lane_core::identity::of_branch(plan, line.branch.as_deref()?).map(str::to_owned);
    let known = |id: &String| plan.policy.agent(id).is_some();
    let claimed = || installed().filter(known).or_else(|| in_file().filter(known));
    line.agent = line.agent.clone().or_else(claimed).or_else(named);
}

/// The line of a worktree, and its repository if that can be opened.
fn open_worktree(layout: &Layout, lane: &Lane) -> (Line, Option<GitRepo>) {
    let mut line = Line { agent: lane.agent.clone(), root: Some(lane.root.clone()), ..Line::default() };
    let place = lane.root.display();
    let repo = match &lane.git_dir {
        None => {
            line.root = None;
            let reason =
                if lane.root.exists() { "is not a worktree of this repository" } else { "does not exist" };
            let help = match &lane.agent {
                Some(agent) if !lane.root.exists() => format!("create it: git lane setup {agent}"),
                Some(agent) => format!("move it away, then: git lane setup {agent}"),
                None => "git worktree list".to_owned(),
            };
            Err(Unavailable::new(format!("{place} {reason}"), help))
        }
        Some(_) if !lane.root.is_dir() => {
            let help =
                "if it was moved: git worktree repair NEW_PLACE\nif it was deleted: git worktree prune";
            Err(Unavailable::new(format!("{place} is missing"), help))
        }
        Some(git_dir) => {
            line.under_way = in_progress(git_dir).map(|it| it.word);
            open(layout, lane)
        }
    };
    let repo = repo.map_err(|why| line.troubles.push(why)).ok();
    (line, repo)
}

/// Why git cannot use a worktree, if it cannot.
pub fn open_error(layout: &Layout, lane: &Lane) -> Option<Unavailable> {
    let (mut line, repo) = open_worktree(layout, lane);
    match repo.map(|repo| repo.head()) {
        Some(Err(why)) => {
            let help = "check the file HEAD in its git folder: it should contain `ref: refs/heads/<branch>`";
            Some(Unavailable::new(format!("{}: {}", lane.root.display(), why.reason), help))
        }
        _ => line.troubles.pop(),
    }
}

/// A folder whose `.git` leads elsewhere, or nowhere, is not the worktree that git thinks it is.
fn open(layout: &Layout, lane: &Lane) -> Read<GitRepo> {
    let place = lane.root.display();
    let help = format!("git -C {} worktree repair", quote(layout.common_dir.as_os_str().as_encoded_bytes()));
    let repo = GitRepo::open_at(&lane.root)
        .map_err(|why| Unavailable::new(format!("{place} is broken: {}", why.reason), help.clone()))?;
    let is_ours = std::fs::canonicalize(&repo.layout().common_dir).ok()
        == std::fs::canonicalize(&layout.common_dir).ok();
    if is_ours {
        Ok(repo)
    } else {
        Err(Unavailable::new(
            format!("{place} belongs to another repository"),
            format!("move its `.git` away, then: {help}"),
        ))
    }
}

/// The branch and its last commit. In a rebase that is the branch as it was before.
fn head(repo: &GitRepo, line: &mut Line) -> Read<()> {
    let head = repo.head()?;
    let rebasing = rebasing_branch(repo.layout())?;
    let branch = head.branch.clone().or(rebasing);
    let oid = match (&head.branch, &branch) {
        (None, Some(branch)) => repo.find_ref(branch)?.or(head.oid),
        _ => head.oid,
    };
    line.branch = branch.map(|name| plain(name.strip_prefix("refs/heads/").unwrap_or(&name)));
    line.head = oid;
    if let Some(oid) = oid {
        let commit = repo.commit(oid)?;
        let subject = Message { text: commit.message }.subject();
        line.last = Some(LastCommit { subject: plain(&subject), at: commit.time });
    }
    Ok(())
}

/// The protected branch that a branch is to be merged into, by its short name, and its tip.
///
/// # Errors
/// Refs or history cannot be read.
pub fn base_of(
    repo: &dyn Repository,
    loaded: &LoadedPolicy,
    branch: &str,
    head: Oid,
) -> Read<Option<(String, Oid)>> {
    let base = change_base::of_branch(repo, loaded, branch, head)?;
    let prefix = format!("refs/remotes/{}/", loaded.plan.policy.remote.value);
    Ok(base.map(|base| (plain(short(&base.reference, &prefix)), base.oid)))
}

/// The short name of a branch, here or on a remote.
fn short<'r>(reference: &'r str, remote: &str) -> &'r str {
    let places = ["refs/heads/", remote];
    places.iter().find_map(|place| reference.strip_prefix(*place)).unwrap_or(reference)
}

struct WorktreeReader<'a> {
    repo: &'a GitRepo,
    loaded: &'a LoadedPolicy,
    now: i64,
}

impl WorktreeReader<'_> {
    fn head(&self, line: &mut Line) -> Read<()> {
        head(self.repo, line)
    }

    /// How far it is from the branch that it is to be merged into.
    fn distance(&self, line: &mut Line) -> Read<()> {
        let Some(head) = line.head else {
            return Ok(());
        };
        let branch = line.branch.as_deref().unwrap_or_default();
        let Some((name, base)) = base_of(self.repo, self.loaded, branch, head)? else {
            return Ok(());
        };
        let is_other = name != self.loaded.plan.policy.base.value;
        line.into = line.counted_from.clone().or_else(|| is_other.then(|| name.clone()));
        line.base = Some((name, base));
        let lower = match &line.counted_from {
            Some(branch) => self.repo.find_ref(&self.tracking(branch))?,
            None => None,
        };
        let below: Vec<Oid> = std::iter::once(base).chain(lower).collect();
        line.ahead = Some(self.repo.commits(&[head], &below)?.len());
        line.stack = stack::below(self.repo, &self.loaded.plan, branch, head, Some(base))?;
        if !line.stack.is_empty() {
            let all = self.repo.commits(&[head], &[base])?.len();
            let below: usize = line.stack.iter().map(|step| step.commits).sum();
            line.stack_top = Some(all.saturating_sub(below));
        }
        line.behind = Some(self.repo.commits(&[base], &[head])?.len());
        if let Some(oid) = self.repo.merge_base(base, &[head])? {
            line.merge_base_at = Some(self.repo.commit(oid)?.time);
        }
        Ok(())
    }

    fn tracking(&self, branch: &str) -> String {
        format!("refs/remotes/{}/{branch}", self.loaded.plan.policy.remote.value)
    }

    /// The verdict that `git lane check` gives there. Nothing of this process's own environment counts.
    fn check(&self, line: &mut Line) -> Read<()> {
        let environment = Environment { now: self.now, ..Environment::default() };
        let request = Request { event: Event::Status, agent: None, branch: None, subject: Subject::Branch };
        let mut facts: Facts = gather(self.repo, &environment, self.loaded, &request)?;
        facts.leaves_out_custom = true;
        let report = engine::judge(&self.loaded.plan, &facts, None);
        line.agent = line.agent.take().or_else(|| report.agent.clone());
        let prefix = self.tracking("");
        line.counted_from = report.stats.counted_from.as_ref().map(|name| plain(short(name, &prefix)));
        line.lines = report.stats.counted.map(|counted| (counted, report.stats.limit));
        line.check = Some(Check { not_run: not_run(&self.loaded.plan, &facts), ..check_of(&report) });
        Ok(())
    }
}

/// The rules of the policy's own that a check would run.
fn not_run(plan: &Plan, facts: &Facts) -> Vec<String> {
    let rules = plan.policy.custom.iter().enumerate();
    let rules = rules.filter(|(_, rule)| rule.applies(facts.event.stages()));
    let has_any = |entry: usize, is_for_all: bool| {
        let files = facts.changes.iter().filter_map(|change| change.files.known()).flatten();
        files.into_iter().any(|file| is_for_all || plan.custom.is_about(entry, file))
    };
    let concerned = rules.filter(|(entry, rule)| has_any(*entry, rule.when.is_empty()));
    concerned.map(|(_, rule)| rule.id.value.clone()).collect()
}

fn check_of(report: &Report) -> Check {
    let findings = report.findings.iter().filter(|finding| finding.waived.is_none());
    let findings: Vec<_> = findings
        .filter(|finding| finding.is_error() || finding.is_warning())
        .map(|finding| (finding.is_error(), finding.rule.clone(), plain(&finding.message)))
        .collect();
    Check {
        errors: findings.iter().filter(|(is_error, ..)| *is_error).count(),
        warnings: findings.iter().filter(|(is_error, ..)| !is_error).count(),
        findings,
        undecided: report.undecided.iter().map(|why| plain(&why.reason)).collect(),
        not_run: Vec::new(),
    }
}
