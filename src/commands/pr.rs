//! `git lane pr`

use std::io::IsTerminal;

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::{Output, complain};
use crate::cli::session;
use crate::commands::push;
use crate::commands::sync::stack::{self, Lower};
use crate::gather::{Request, Subject, change_base};
use crate::ops::Session;
use crate::ops::remote_branches;
use lane_core::error::Error;
use lane_core::facts::{Event, Message, Oid, Unavailable, typed_ref};
use lane_core::policy::Plan;
use lane_core::report::{Report, Verdict, quote, summary};
use lane_git::Repository;
use lane_github::{self as github, GitHub, NewPull, PullRequest, Settings};

/// Open a pull request for this branch
///
/// Pushes the branch first. The pull request gets the agent's tag, the policy's labels and the report.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The title; the tag is put in front of it [default: the subject of the first commit]
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// What stands above the list of commits
    #[arg(long, value_name = "TEXT")]
    pub body: Option<String>,
    /// The branch to merge it into [default: the policy's base]
    #[arg(long, value_name = "NAME", add = candidates::branches())]
    pub base: Option<String>,
    /// Open it as a draft
    #[arg(long)]
    pub draft: bool,
    /// Push and open it without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Replace what the remote has of this branch, if nobody else pushed to it meanwhile
    #[arg(short, long)]
    pub force_with_lease: bool,
}

/// How many commits a description lists.
const LISTED: usize = 50;
/// How many bytes of the report a description has.
const REPORT: usize = 16_000;
/// The colour of labels that are not there yet.
const COLOR: &str = "0e8a16";

/// Judges the branch, pushes it with its locks renewed, and opens a pull request, or finds the one that is open.
///
/// # Errors
/// No branch, nothing to propose, no token, or GitHub does not take it.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let plan = &session.loaded.plan;
    push::has_remote(&session, "pr")?;
    let proposal = Proposal::new(&session, args)?;
    let request = Request { event: Event::Check, agent: None, branch: None, subject: Subject::Branch };
    let report = session.judge(&request)?;
    if report.verdict != Verdict::Pass {
        complain("git-lane: nothing was pushed, and no pull request opened\n");
        return output.report(&report);
    }
    // Whoever has no token is told before anything is pushed.
    let address = session.repo.config(&format!("remote.{}.url", plan.policy.remote.value))?.pop();
    let github = Settings::of_process(address.as_deref()).and_then(|settings| GitHub::connect(&settings));
    let github = github.map_err(Unavailable::from)?;
    if !args.yes && !proposal.is_wanted(plan)? {
        complain("git-lane: nothing was pushed, and no pull request opened\n");
        return Ok(1);
    }
    let push = push::Args { force_with_lease: args.force_with_lease };
    let (code, _) = push::branch(&session, &push, output)?;
    if code != 0 {
        return Ok(code);
    }
    let below = proposal.below(&github)?;
    let body = proposal.body(&report, below.as_ref());
    let (pull, is_new) = proposal.open(&github, args, &body)?;
    let labels = proposal.label(&github, plan, &pull);
    if output.is_json() {
        output.print_json(&json!({
            "number": pull.number, "url": pull.url, "title": pull.title, "labels": labels, "opened": is_new,
            "base": pull.base_ref, "stacked_on": proposal.lower,
            "stacked_on_pull": below.as_ref().map(|below| below.number),
        }))?;
    } else {
        let done = if is_new { "opened" } else { "there is one already:" };
        output.print(&format!("{done} pull request {}: {}\n", pull.number, pull.url))?;
        if let Some(lower) = &proposal.lower {
            output.print(&words(&pull, lower, below.as_ref()))?;
        }
    }
    if pull.base_ref != proposal.base {
        complain(&format!(
            "git-lane: note: it goes into {}, and the branch stands on {}\n  help: gh pr edit {} --base {}\n",
            pull.base_ref,
            proposal.base,
            pull.number,
            quote(proposal.base.as_bytes())
        ));
    }
    Ok(0)
}

/// What whoever reads the answer has to know of the branch below.
fn words(pull: &PullRequest, lower: &str, below: Option<&PullRequest>) -> String {
    match below {
        Some(below) => format!(
            "it goes into {lower}, which pull request {} proposes and which is to land first: {}\n",
            below.number, below.url
        ),
        None if pull.base_ref == lower => format!(
            "it goes into {lower}, which has not landed and which no open pull request proposes\n  \
             help: git switch {lower}\n  help: git lane pr --yes\n"
        ),
        None => String::new(),
    }
}

/// What is to be proposed.
struct Proposal {
    agent: Option<String>,
    branch: String,
    base: String,
    /// The pushed branch of the same agent that it stands on, and that has not landed.
    lower: Option<String>,
    /// Whether somebody said into which branch.
    is_base_said: bool,
    title: String,
    lead: String,
    /// Oldest first.
    commits: Vec<(Oid, String)>,
}

impl Proposal {
    fn new(session: &Session, args: &Args) -> Result<Self, Error> {
        let plan = &session.loaded.plan;
        let head = session.repo.head()?;
        let on = head.branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
        let own = match (on, head.oid) {
            (Some(branch), Some(tip)) => change_base::of_branch(&session.repo, &session.loaded, branch, tip)?,
            _ => None,
        };
        let own = own.or_else(|| session.loaded.base.clone());
        let tracking = format!("refs/remotes/{}/", plan.policy.remote.value);
        let short = own.as_ref().and_then(|base| {
            ["refs/heads/", &tracking]
                .iter()
                .find_map(|at| base.reference.strip_prefix(*at))
                .map(str::to_owned)
        });
        let lower = match (on, head.oid, &own) {
            (Some(branch), Some(tip), Some(own)) => lower_of(session, branch, tip, own.oid)?,
            _ => None,
        };
        let lower = lower.filter(|(name, _)| args.base.as_ref().is_none_or(|base| base == name));
        let on_lower = lower.as_ref().map(|(name, _)| name.clone());
        let base = args.base.clone().or(on_lower.clone()).or(short);
        let base = base.unwrap_or_else(|| plan.policy.base.value.clone());
        let branch = head.branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
        let Some(branch) = branch.filter(|branch| *branch != base && plan.protected(branch).is_none()) else {
            let on = branch.map_or_else(|| "none".to_owned(), |name| format!("`{name}`"));
            return Err(Error::usage(
                format!("a pull request comes from a branch of your own, and HEAD is on {on}"),
                "go to it: git switch BRANCH",
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
                format!("`{branch}` has no commit that {base} does not have: there is nothing to propose"),
                "commit your work first",
            ));
        };
        let title = args.title.clone().unwrap_or_else(|| first.clone());
        let title = tagged(plan, agent.as_deref(), title);
        let lead = args.body.clone().unwrap_or_default();
        let (branch, is_base_said) = (branch.to_owned(), args.base.is_some());
        Ok(Self { agent, branch, base, lower: on_lower, is_base_said, title, lead, commits })
    }

    /// The open pull request of the branch that it stands on.
    fn below(&self, github: &GitHub) -> Result<Option<PullRequest>, Error> {
        let Some(lower) = &self.lower else {
            return Ok(None);
        };
        let open = github.pull_requests_for(lower, &github.repository().owner).map_err(Unavailable::from)?;
        Ok(open.into_iter().next())
    }

    /// Asks whoever sits there.
    fn is_wanted(&self, plan: &Plan) -> Result<bool, Error> {
        if !std::io::stdin().is_terminal() {
            return Err(Error::usage(
                "this pushes and opens a pull request, and nobody is here to be asked",
                "say --yes if that is what you want",
            ));
        }
        let commits = match self.commits.len() {
            1 => "1 commit".to_owned(),
            count => format!("{count} commits"),
        };
        complain(&format!(
            "push {} ({commits}) to {}, and open a pull request into {}: {}? [y/N] ",
            self.branch, plan.policy.remote.value, self.base, self.title
        ));
        let mut answer = String::new();
        let _ = std::io::stdin().read_line(&mut answer);
        Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
    }

    /// The description: what was said, the commits, and what the policy says of them.
    fn body(&self, report: &Report, below: Option<&PullRequest>) -> String {
        let mut body = String::new();
        if !self.lead.is_empty() {
            body.push_str(&format!("{}\n\n", self.lead.trim_end()));
        }
        if let Some(lower) = &self.lower {
            let pull = below.map(|below| format!(" (#{})", below.number)).unwrap_or_default();
            body.push_str(&format!("Stacked on {}{pull}, which is to land first.\n\n", summary::code(lower)));
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

    fn open(&self, github: &GitHub, args: &Args, body: &str) -> Result<(PullRequest, bool), Error> {
        let (branch, base) = (self.branch.as_str(), self.base.as_str());
        let open = github.pull_requests_for(branch, &github.repository().owner).map_err(Unavailable::from)?;
        // Where nobody said which, one that was opened into another branch is the one: its lower part may have landed since.
        let same = open.iter().find(|pull| pull.base_ref == base);
        if let Some(pull) = same.or(open.first().filter(|_| !self.is_base_said)) {
            return Ok((pull.clone(), false));
        }
        let new = NewPull { title: &self.title, head: branch, base, body, is_draft: args.draft };
        Ok((github.create_pull(&new).map_err(Unavailable::from)?, true))
    }

    /// Gives it the labels that the policy wants; those that it has then.
    fn label(&self, github: &GitHub, plan: &Plan, pull: &PullRequest) -> Vec<String> {
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
                github.ensure_label(label, COLOR, "Wanted by the policy of git-lane")?;
            }
            github.add_labels(pull.number, &missing)
        };
        match give() {
            Ok(()) => labels.extend(missing.iter().map(|label| (*label).to_owned())),
            Err(error) => complain(&format!(
                "git-lane: note: it has no label {}: {error}; {}\n",
                missing.join(", "),
                error.help()
            )),
        }
        labels
    }
}

/// The pushed branch of the same agent that a branch stands on and that `base` does not have, and its tip.
fn lower_of(session: &Session, branch: &str, tip: Oid, base: Oid) -> Result<Option<(String, Oid)>, Error> {
    let (repo, plan) = (&session.repo, &session.loaded.plan);
    let told = remote_branches::of_agent(repo, plan, branch, &*session.ui)?;
    let landed = stack::landed(repo, base, tip)?.unwrap_or(base);
    let layout = repo.layout();
    let root = layout.worktree.as_ref().unwrap_or(&layout.common_dir);
    match stack::lower(repo, plan, root, branch, tip, landed, &told)? {
        None => Ok(None),
        Some(Lower::Pushed(name)) => {
            let reference = format!("refs/remotes/{}/{name}", plan.policy.remote.value);
            let known = told.iter().find(|(told, _)| *told == name).map(|(_, oid)| *oid);
            let oid = known.map_or_else(|| repo.find_ref(&reference), |oid| Ok(Some(oid)))?;
            Ok(oid.map(|oid| (name, oid)))
        }
        Some(Lower::Rewritten { reference, .. }) => Err(Error::usage(
            format!("`{branch}` stands on an edition of {} that was rewritten since", typed_ref(&reference)),
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
