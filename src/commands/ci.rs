//! `git lane ci`

mod github;

use std::path::PathBuf;

use crate::ci::{self, CiOptions, Host, Job};
use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::Output;
use crate::commands::ci::github::{GitHubJob, unread_reviews};
use crate::gather::{CiRange, Environment, HostFacts, Request, Subject, locate};
use crate::ops::{self, CallerKind};
use lane_core::error::Error;
use lane_core::facts::{Event, IdentityProof, Oid, Pusher, Unavailable};
use lane_core::report::text::Style;
use lane_core::report::{FORMATS, Format, Report};
use lane_git::GitRepo;

/// Judge a pull request in a job of GitHub or GitLab
///
/// Detects which of the two runs it; elsewhere, options say what to judge.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the change is merged into: a branch, or any name of a commit
    #[arg(long, value_name = "BASE", add = candidates::branches())]
    pub base: Option<String>,
    /// The change's own tip, not a merge of it [default: HEAD]
    #[arg(long, value_name = "COMMIT")]
    pub head: Option<String>,
    /// The branch that the change is on
    #[arg(long, value_name = "NAME", add = candidates::branches())]
    pub branch: Option<String>,
    /// The title of the pull request
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// A label of the pull request; may be repeated
    #[arg(long = "label", value_name = "NAME")]
    pub labels: Vec<String>,
    /// The account of the pull request's author
    #[arg(long, value_name = "ACCOUNT")]
    pub author: Option<String>,
    /// Check it as a change by this agent
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
    /// Judge as if the policy did not only observe
    #[arg(long)]
    pub enforce: bool,
    /// Show what each rule takes
    #[arg(long)]
    pub timings: bool,
    /// Publish the verdict on GitHub: a check run, and a comment while there are findings
    #[arg(long)]
    pub publish: bool,
    /// Also write the report to a file; may be repeated
    #[arg(long, value_name = "FORMAT=FILE")]
    pub write: Vec<crate::commands::ci::Target>,
}

/// Judges a change that is proposed, with the policy of its base. Nothing of the change is run.
///
/// # Errors
/// Nobody says what to judge, something has to be fetched first, or the report cannot be written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut environment = Environment::of_process();
    environment.timings |= args.timings;
    let variable = |name: &str| std::env::var(name).ok();
    let said = CiOptions {
        base: args.base.clone(),
        head: args.head.clone(),
        branch: args.branch.clone(),
        title: args.title.clone(),
        labels: args.labels.clone(),
        author: args.author.clone(),
    };
    let mut job = ci::read_job(&variable, &said)?;
    log::debug!("job: {job:?}");
    let repo = GitRepo::open()?;
    let online = GitHubJob::open(&repo, &job, args.publish)?;
    let mut place = None;
    let is_github = job.host == Host::GitHub;
    let (report, error) =
        match judge_job(args, &repo, &environment, &mut job, online.as_ref(), &mut place, output) {
            Ok(report) => (report, None),
            // What keeps it from a verdict is told wherever a verdict would be: an older one must not stand for it.
            Err(error) => (Report::undecided(Event::Ci.name(), &error), Some(error)),
        };
    for target in &args.write {
        target.write(&report)?;
    }
    let code = match error.filter(|_| output.is_text() && !is_github) {
        Some(error) => output.error(&error),
        None => output.write_ci_report(&report, is_github)?,
    };
    match online.filter(|_| args.publish) {
        Some(online) => {
            let (head, is_binding) =
                place.map_or((None, true), |(head, is_binding)| (Some(head), is_binding));
            Ok(code.max(online.publish(&job, head, is_binding, &report)?))
        }
        None => Ok(code),
    }
}

/// The verdict. `place`: the head, and whether its base binds, as soon as they are known.
fn judge_job(
    args: &Args,
    repo: &GitRepo,
    environment: &Environment,
    job: &mut Job,
    online: Option<&GitHubJob>,
    place: &mut Option<(Oid, bool)>,
    output: &Output,
) -> Result<Report, Error> {
    let mut located = locate(repo, job)?;
    if args.enforce {
        located.loaded.plan.enforce();
    }
    *place = Some((located.head, located.is_binding));
    for note in &located.notes {
        crate::cli::output::note(note);
    }
    if let Some(agent) = &args.agent {
        located.loaded.plan.agent(agent)?;
    }
    let mut told = HostFacts { request: job.request.clone(), ..HostFacts::default() };
    match (told.request.author.take(), job.host) {
        (Some(name), Host::GitLab) => told.author = Some(Pusher { source: "--author", name }),
        (Some(author), _) => {
            told.proofs.push(IdentityProof::GithubAccount(author.clone()));
            told.request.author = Some(author);
        }
        (None, _) => {}
    }
    match online {
        Some(online) => online.publish_verdict(&located, job, &mut told, environment.now)?,
        None if job.host == Host::GitHub => {
            told.proofs.push(IdentityProof::UnknownPusher);
            if job.request.number.is_some() {
                told.reviews = unread_reviews(&located.loaded.plan);
            }
        }
        None => {}
    }
    judge(args, repo, environment, &located, job, told, output)
}

fn judge(
    args: &Args,
    repo: &GitRepo,
    environment: &Environment,
    located: &CiRange,
    job: &Job,
    told: HostFacts,
    output: &Output,
) -> Result<Report, Error> {
    let loaded = &located.loaded;
    let Some(base) = &loaded.base else {
        return Err(Unavailable::new("no base to compare with", "name one: --base main").into());
    };
    let subject = Subject::Proposed { from: base.oid, to: located.head, told: Box::new(told) };
    let (agent, branch) = (args.agent.clone(), job.branch.clone());
    let request = Request { event: Event::Ci, agent, branch, subject };
    // A job has both ends, and none of the branches between them.
    Ok(ops::judged(repo, environment, loaded, &request, CallerKind::Job, output)?.0)
}

/// A file to write the report to, besides.
#[derive(Debug, Clone)]
pub struct Target {
    format: &'static Format,
    path: PathBuf,
}

impl std::str::FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').ok_or("expected FORMAT=FILE, such as sarif=lane.sarif")?;
        let words = || FORMATS.iter().map(|format| format.word).collect::<Vec<_>>().join(", ");
        let format =
            Format::find(format).ok_or_else(|| format!("`{format}` is no format; there are: {}", words()))?;
        if path.is_empty() {
            return Err("the file's name is missing after the `=`".to_owned());
        }
        Ok(Self { format, path: path.into() })
    }
}

impl Target {
    fn write(&self, report: &Report) -> Result<(), Error> {
        let text = (self.format.render)(report, Style::default())?;
        std::fs::write(&self.path, lane_core::text::sanitize(&text).as_ref()).map_err(|error| {
            Error::write(
                format!("{} cannot be written: {error}", self.path.display()),
                "name another file after --write; its folder must exist",
            )
        })
    }
}
