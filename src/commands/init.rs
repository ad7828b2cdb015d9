//! `git lane init`

mod carry_out;
mod conversation;
mod draft;
mod found;
mod words;

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::diagnostics::render_warnings;
use crate::cli::output::{Output, print_error};
use crate::commands::policy::as_json;
use crate::commands::policy::codeowners::HostName;
use crate::gather::survey;
use crate::harness;
use crate::init::{JobHost, Survey, sanitize_name};
use draft::Draft;
use found::FoundThings;
use lane_core::error::Error;
use lane_core::harness::Harness;
use lane_core::policy;
use lane_git::{GitRepo, Repository};

/// Write a first policy.yaml for this repository
///
/// On a terminal it asks first, shows the policy and what it would have refused, and writes nothing before the last answer.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The branch that changes are merged into [default: as the remote and the branches show]
    #[arg(long, value_name = "BRANCH")]
    pub base: Option<String>,
    /// Divide the services among this many agents, instead of looking at the worktrees
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_AGENTS)))]
    pub agents: Option<u16>,
    /// Take over who owns what from this file, as GitHub or GitLab reads it
    #[arg(long, value_name = "CODEOWNERS", value_hint = clap::ValueHint::FilePath, conflicts_with = "agents")]
    pub from: Option<PathBuf>,
    /// Whose reading of that file [default: as the file and the address of origin show]
    #[arg(long, value_enum, requires = "from")]
    pub host: Option<HostName>,
    /// Refuse nothing at first: write `mode: observe`
    #[arg(long)]
    pub observe: bool,
    /// Install the git hooks too, in this worktree or in those of the agents
    #[arg(long, conflicts_with = "stdout")]
    pub hooks: bool,
    /// Install the hooks of these harnesses too, or of those that are found: auto
    #[arg(long, value_name = "HARNESS", value_delimiter = ',', conflicts_with = "stdout")]
    pub harness: Vec<String>,
    /// Write the job that judges each change there too
    #[arg(long, value_name = "HOST", value_enum, conflicts_with = "stdout")]
    pub ci: Option<CiHost>,
    /// Take every proposal without questions: policy, git hooks, hooks of harnesses, job
    #[arg(short, long, conflicts_with = "stdout")]
    pub yes: bool,
    /// Print the policy instead of writing it
    #[arg(long)]
    pub stdout: bool,
}

/// Who runs the policy job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CiHost {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

/// How many agents may be asked for.
const MOST_AGENTS: u16 = 200;

/// What is to be done beside writing the policy.
#[derive(Default)]
struct Choices {
    observe: bool,
    hooks: bool,
    harnesses: Vec<&'static Harness>,
    job: Option<JobHost>,
}

impl Choices {
    /// What options say; `--yes`: all that was found.
    fn of_flags(args: &Args, found: &FoundThings) -> Result<Self, Error> {
        let is_auto = args.harness.iter().all(|word| word == "auto");
        Ok(Self {
            observe: args.observe,
            hooks: args.hooks || args.yes,
            harnesses: match (args.harness.is_empty(), is_auto) {
                (false, false) => harness::select(&args.harness, None)?,
                (false, true) => found.harnesses.clone(),
                _ if args.yes => found.harnesses.clone(),
                _ => Vec::new(),
            },
            job: match args.ci {
                Some(CiHost::Github) => Some(JobHost::GitHub),
                Some(CiHost::Gitlab) => Some(JobHost::GitLab),
                // A job that is there stays as it is.
                None => found.host.filter(|_| args.yes && !found.has_job),
            },
        })
    }
}

/// Writes a first `policy.yaml`, and does what else was asked for; never over a file that is there.
///
/// # Errors
/// There is one already, or something cannot be written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let repo = GitRepo::open()?;
    let mut survey = survey(&repo)?;
    if let Some(base) = &args.base {
        survey.base = checked_base(&repo, &survey.remote, base)?;
    }
    if args.stdout {
        return print(&proposed(args, &repo, &survey)?, output);
    }
    let Some(root) = repo.layout().worktree.clone() else {
        return Err(Error::usage(
            "a bare repository has no place for a policy.yaml",
            "run this in a worktree of it, or print one: git lane init --stdout",
        ));
    };
    let found = found::look(&repo, &survey, &root)?;
    // What options ask for, and cannot be had, is said before anything is asked.
    let asked_for = Choices::of_flags(args, &found)?;
    carry_out::refuse_impossible(&repo, &root, &survey, &asked_for)?;
    let asks = conversation::is_possible(args, output, &found);
    let (draft, choices) = match asks {
        true => {
            let (draft, choices) = conversation::hold(args, &repo, &mut survey, &found)?;
            carry_out::refuse_impossible(&repo, &root, &survey, &choices)?;
            (draft, choices)
        }
        false => (proposed(args, &repo, &survey)?, asked_for),
    };
    let draft = match choices.job {
        Some(host) => draft.guarding(host.guarded())?,
        None => draft,
    };
    let plan = draft.plan()?;
    let job = choices.job.map(|host| host.file(&survey.base));
    let done = carry_out::carry_out(&repo, &root, &draft, &plan, &choices, job)?;
    let landing = found.landing(&repo, &survey, done.job)?;
    // What `git lane policy check` would say of it.
    let warnings = policy::warnings(&plan, &survey.inventory());
    if output.is_json() {
        output.print_json(&json!({
            "file": policy::FILE,
            "lanes": draft.lanes,
            "notes": draft.notes,
            "warnings": as_json(&plan.source, &warnings),
            "done": done,
        }))?;
        return Ok(0);
    }
    print_error(&render_warnings(&plan.source, &warnings, output.error_color()));
    if !output.is_quiet() {
        output.print(&words::summary(&draft, &plan, &done, &found, &landing, asks))?;
    }
    Ok(0)
}

/// A branch that is there, or that the first commit is going to make.
fn checked_base(repo: &GitRepo, remote: &str, name: &str) -> Result<String, Error> {
    let is_there = |reference: String| repo.find_ref(&reference);
    let head = repo.head()?.branch;
    let known = head.as_deref() == Some(&format!("refs/heads/{name}"))
        || is_there(format!("refs/heads/{name}"))?.is_some()
        || is_there(format!("refs/remotes/{remote}/{name}"))?.is_some();
    if known && !name.is_empty() {
        return Ok(name.to_owned());
    }
    Err(Error::usage(
        format!("there is no branch `{}`, neither here nor on {remote} as last fetched", sanitize_name(name)),
        "list them: git branch --all",
    ))
}

/// The policy as the options want it.
fn proposed(args: &Args, repo: &GitRepo, survey: &Survey) -> Result<Draft, Error> {
    let draft = match &args.from {
        Some(path) => draft::from(repo, survey, path, args.host)?,
        None => draft::divided(survey, args.agents),
    };
    Ok(if args.observe { draft.observing() } else { draft })
}

fn print(draft: &Draft, output: &Output) -> Outcome {
    if output.is_json() {
        output.print_json(&draft.plan()?.policy)?;
    } else {
        draft.notes.iter().for_each(|note| print_error(&format!("note: {note}\n")));
        output.print(&draft.text)?;
    }
    Ok(0)
}
