//! Opening a pull request for a branch.

use super::push::unpushed;
use super::{Session, remote_branches};
use crate::gather::change_base;
use crate::stack::{self, StackParent};
use lane_core::error::Error;
use lane_core::facts::{Message, Oid, Unavailable, branch_of_ref, typed_ref};
use lane_core::policy::Plan;
use lane_core::report::{Report, summary};
use lane_git::Repository;
use lane_github::{self as github, GitHub, NewPull, PullRequest, Settings};

/// How many commits a description lists.
const LISTED: usize = 50;
/// How many bytes of the report a description has.
const REPORT: usize = 16_000;
/// The colour of labels that are not there yet.
const COLOR: &str = "0e8a16";

/// What somebody says of it.
pub struct PullOptions<'a> {
    /// The branch to merge it into.
    pub base: Option<&'a str>,
    /// The title.
    pub title: Option<&'a str>,
    /// The text above the list of commits.
    pub body: Option<&'a str>,
}

/// What was proposed.
pub struct PullOutcome {
    /// The pull request.
    pub pull: PullRequest,
    /// Whether it was opened now.
    pub is_new: bool,
    /// Its labels.
    pub labels: Vec<String>,
    /// The open pull request of the branch that it is based on.
    pub parent_pull: Option<PullRequest>,
}

/// The GitHub that the policy's remote is on.
///
/// # Errors
/// It is none, or there is no token.
pub fn connect(session: &Session) -> Result<GitHub, Error> {
    let remote = &session.loaded.plan.policy.remote.value;
    let address = session.repo.config(&format!("remote.{remote}.url"))?.pop();
    let github = Settings::of_process(address.as_deref()).and_then(|settings| GitHub::connect(&settings));
    Ok(github.map_err(Unavailable::from)?)
}

/// What is to be proposed.
pub struct Proposal {
    agent: Option<String>,
    /// The branch.
    pub branch: String,
    /// The branch that it is to be merged into.
    pub base: String,
    /// The pushed branch of the same agent that it is based on, and that has not landed.
    pub lower: Option<String>,
    /// Whether somebody said into which branch.
    is_base_said: bool,
    /// Its title.
    pub title: String,
    lead: String,
    /// What it has, with subjects, oldest first.
    pub commits: Vec<(Oid, String)>,
}

impl Proposal {
    /// What the branch of this worktree proposes.
    ///
    /// # Errors
    /// It is no branch of one's own, or has nothing to propose.
    pub fn new(session: &Session, wanted: &PullOptions<'_>) -> Result<Self, Error> {
        let plan = &session.loaded.plan;
        let head = session.repo.head()?;
        let on = head.branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
        let own = match (on, head.oid) {
            (Some(branch), Some(tip)) => change_base::of_branch(&session.repo, &session.loaded, branch, tip)?,
            _ => None,
        };
        let own = own.or_else(|| session.loaded.base.clone());
        let remote = &plan.policy.remote.value;
        let short = own.as_ref().and_then(|base| branch_of_ref(&base.reference, remote)).map(str::to_owned);
        let lower = match (on, head.oid, &own) {
            (Some(branch), Some(tip), Some(own)) => lower_of(session, branch, tip, own.oid)?,
            _ => None,
        };
        if let (Some(branch), Some(tip), None) = (on, head.oid, wanted.base) {
            is_pushed_below(session, branch, tip)?;
        }
        let lower = lower.filter(|(name, _)| wanted.base.is_none_or(|base| base == name));
        let on_lower = lower.as_ref().map(|(name, _)| name.clone());
        let base = wanted.base.map(str::to_owned).or(on_lower.clone()).or(short);
        let base = base.unwrap_or_else(|| plan.policy.base.value.clone());
        let branch = head.branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
        let Some(branch) = branch.filter(|branch| *branch != base && plan.protected(branch).is_none()) else {
            let on = branch.map_or_else(|| "none".to_owned(), |name| format!("`{name}`"));
            return Err(Error::usage(
                format!("a pull request needs your own branch, but HEAD is on {on}"),
                "switch to it: git switch BRANCH",
            ));
        };
        let agent = session.agent(None).ok();
        let below = lower.iter().map(|(_, oid)| *oid);
        let known: Vec<Oid> = own.iter().map(|base| base.oid).chain(below).collect();
        let mut commits = Vec::new();
        for oid in session.repo.commits(head.oid.as_slice(), &known)? {
            let message = Message { text: session.repo.commit(oid)?.message };
            commits.push((oid, message.subject()));
        }
        let Some((_, first)) = commits.first() else {
            return Err(Error::usage(
                format!("`{branch}` has no commits that are not on {base}: nothing to propose"),
                "commit your work first",
            ));
        };
        let title = wanted.title.map(str::to_owned).unwrap_or_else(|| first.clone());
        let title = tagged(plan, agent.as_deref(), title);
        let lead = wanted.body.map(str::to_owned).unwrap_or_default();
        let (branch, is_base_said) = (branch.to_owned(), wanted.base.is_some());
        Ok(Self { agent, branch, base, lower: on_lower, is_base_said, title, lead, commits })
    }

    /// Opens the pull request, or finds the one that is open, and gives it its labels.
    ///
    /// # Errors
    /// GitHub does not take it.
    pub fn propose(
        &self,
        session: &Session,
        github: &GitHub,
        report: &Report,
        is_draft: bool,
    ) -> Result<PullOutcome, Error> {
        let below = self.parent_pull(github)?;
        let body = self.body(report, below.as_ref());
        let (pull, is_new) = self.open(github, is_draft, &body)?;
        let labels = self.label(session, github, &pull);
        Ok(PullOutcome { pull, is_new, labels, parent_pull: below })
    }

    /// The open pull request of the branch that it is based on.
    fn parent_pull(&self, github: &GitHub) -> Result<Option<PullRequest>, Error> {
        let Some(lower) = &self.lower else {
            return Ok(None);
        };
        let open = github.pull_requests_for(lower, &github.repository().owner).map_err(Unavailable::from)?;
        Ok(open.into_iter().next())
    }

    /// The description: what was said, the commits, and what the policy says of them.
    fn body(&self, report: &Report, below: Option<&PullRequest>) -> String {
        let mut body = String::new();
        if !self.lead.is_empty() {
            body.push_str(&format!("{}\n\n", self.lead.trim_end()));
        }
        if let Some(lower) = &self.lower {
            let pull = below.map(|below| format!(" (#{})", below.number)).unwrap_or_default();
            body.push_str(&format!(
                "Stacked on {}{pull}, which has to land first.\n\n",
                summary::code(lower)
            ));
        }
        body.push_str("### Commits\n\n");
        for (oid, subject) in self.commits.iter().take(LISTED) {
            body.push_str(&format!("- {oid} {}\n", summary::code(subject)));
        }
        if self.commits.len() > LISTED {
            body.push_str(&format!("- and {} more\n", self.commits.len() - LISTED));
        }
        body.push('\n');
        body.push_str(&summary::markdown(report, REPORT));
        body
    }

    fn open(&self, github: &GitHub, is_draft: bool, body: &str) -> Result<(PullRequest, bool), Error> {
        let (branch, base) = (self.branch.as_str(), self.base.as_str());
        let open = github.pull_requests_for(branch, &github.repository().owner).map_err(Unavailable::from)?;
        // Where nobody said which, one that was opened into another branch is the one: its lower part may have landed since.
        let same = open.iter().find(|pull| pull.base_ref == base);
        if let Some(pull) = same.or(open.first().filter(|_| !self.is_base_said)) {
            return Ok((pull.clone(), false));
        }
        let new = NewPull { title: &self.title, head: branch, base, body, is_draft };
        Ok((github.create_pull(&new).map_err(Unavailable::from)?, true))
    }

    /// Gives it the labels that the policy wants; those that it has then.
    fn label(&self, session: &Session, github: &GitHub, pull: &PullRequest) -> Vec<String> {
        let plan = &session.loaded.plan;
        let mut labels = pull.labels.clone();
        let wanted: Vec<String> =
            self.agent.iter().flat_map(|agent| plan.labels_of(agent)).map(|(label, _)| label).collect();
        let missing: Vec<&str> = wanted
            .iter()
            .map(String::as_str)
            .filter(|label| !labels.iter().any(|has| has.eq_ignore_ascii_case(label)))
            .collect();
        let give = || -> Result<(), github::Error> {
            for label in &missing {
                github.ensure_label(label, COLOR, "Required by the git-lane policy")?;
            }
            github.add_labels(pull.number, &missing)
        };
        match give() {
            Ok(()) => labels.extend(missing.iter().map(|label| (*label).to_owned())),
            Err(error) => session.ui.note(&format!(
                "the label {} was not added: {error}; {}",
                missing.join(", "),
                error.help()
            )),
        }
        labels
    }
}

/// Refuses where the remote has another edition of a branch below this one: a pull request would show its commits as well.
fn is_pushed_below(session: &Session, branch: &str, tip: Oid) -> Result<(), Error> {
    let news = unpushed(session, branch, tip)?;
    match news.iter().rfind(|step| step.pushed.is_some()) {
        None => Ok(()),
        Some(step) => Err(Error::usage(
            format!("`{branch}` is based on `{}`, which is not pushed as it is here", step.branch),
            "push them together: git lane push --stack --force-with-lease\nthen rerun this: git lane pr --yes",
        )),
    }
}

/// The pushed branch of the same agent that a branch is based on and that `base` does not have, and its tip.
pub(super) fn lower_of(
    session: &Session,
    branch: &str,
    tip: Oid,
    base: Oid,
) -> Result<Option<(String, Oid)>, Error> {
    let (repo, plan) = (&session.repo, &session.loaded.plan);
    let told = remote_branches::of_agent(repo, plan, branch, &*session.ui)?;
    let landed = stack::landed(repo, base, tip)?.unwrap_or(base);
    let layout = repo.layout();
    let root = layout.worktree.as_ref().unwrap_or(&layout.common_dir);
    match stack::lower(repo, plan, root, branch, tip, landed, &told)? {
        None => Ok(None),
        Some(StackParent::Pushed(name)) => {
            let reference = format!("refs/remotes/{}/{name}", plan.policy.remote.value);
            let known = told.iter().find(|(told, _)| *told == name).map(|(_, oid)| *oid);
            let oid = known.map_or_else(|| repo.find_ref(&reference), |oid| Ok(Some(oid)))?;
            Ok(oid.map(|oid| (name, oid)))
        }
        Some(StackParent::Rewritten { reference, .. }) => Err(Error::usage(
            format!("`{branch}` is based on a version of {} that was rewritten since", typed_ref(&reference)),
            "git lane sync",
        )),
    }
}

/// A title with the agent's tag, in the first form that fits a line.
fn tagged(plan: &Plan, agent: Option<&str>, title: String) -> String {
    let Some(agent) = agent else {
        return title;
    };
    let bears = plan.tagged(&Message { text: title.clone() }).contains(&agent);
    match plan.tags.iter().find(|form| form.fits_a_line()) {
        Some(form) if !bears => format!("{} {title}", form.for_agent(agent)),
        _ => title,
    }
}
