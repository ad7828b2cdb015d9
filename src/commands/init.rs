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
use crate::init::{JobHost, Survey, quoted};
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
    /// Take every proposal without questions: policy, hooks, those of harnesses, the job
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
                None => found.host.filter(|_| args.yes),
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
    let survey = survey(&repo)?;
    if args.stdout {
        return print(&proposed(args, &repo, &survey)?, output);
    }
    let Some(root) = repo.layout().worktree.clone() else {
        return Err(Error::usage(
            "a bare repository has no place for a policy.yaml",
            "run this in a worktree of it, or print one: git lane init --stdout",
        ));
    };
    carry_out::refuse_existing(&root, None)?;
    let found = found::look(&repo, &survey, &root)?;
    let first = proposed(args, &repo, &survey)?;
    let asks = conversation::is_possible(args, output, &first.plan()?);
    let (draft, mut choices) = match asks {
        true => conversation::hold(args, &repo, &survey, &found, output)?,
        false => (first, Choices::of_flags(args, &found)?),
    };
    let plan = draft.plan()?;
    if args.ci.is_none() && choices.job.is_some_and(|host| root.join(host.path()).exists()) {
        // Nobody asked for this one by name, and theirs stays.
        choices.job = None;
    }
    let job = choices.job.map(|host| host.file(&quoted(&plan.policy.base.value)));
    carry_out::refuse_existing(&root, job.as_ref())?;
    let done = carry_out::carry_out(&repo, &root, &draft, &plan, &choices, job)?;
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
        output.print(&words::summary(&draft, &plan, &done, &found, asks))?;
    }
    Ok(0)
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
