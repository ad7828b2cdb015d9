//! `git lane affected`

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::affected::{Because, ProjectKind, Touch};
use crate::cli::Outcome;
use crate::cli::options::{Format, GITLAB};
use crate::cli::output::{Output, note, warn};
use crate::cli::session;
use crate::commands::check::parse_range;
use crate::commands::who::note_policy;
use crate::gather::Subject;
use crate::ops::Session;
use crate::ops::affected::{Survey, survey};
use lane_core::affected::{github_matrix, gitlab_pipeline};
use lane_core::error::Error;
use lane_git::Repository;
use lane_git::command::unstaged_files;

/// List the services that a change touches
///
/// The change is what is committed and staged on this branch since it left the base, unless an option says otherwise.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub change: ChangeArgs,
    /// Use this policy, to try it out
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Which change is looked at.
#[derive(Debug, clap::Args)]
pub struct ChangeArgs {
    /// What B adds to A, any two commits
    #[arg(long, value_name = "A..B", group = "subject", allow_hyphen_values = true)]
    pub range: Option<String>,
    /// Only what is staged
    #[arg(long, group = "subject")]
    pub staged: bool,
    /// The branch with everything in the working tree, staged or not
    #[arg(long, group = "subject")]
    pub worktree: bool,
}

/// Where a GitLab project has the template of the jobs.
const GITLAB_TEMPLATE: &str = "/.gitlab/affected.yml";
/// GitHub makes no more jobs of one matrix, GitLab of one job.
const MOST_JOBS: [(&str, usize); 2] = [("github-matrix", 256), (GITLAB, 200)];

impl ChangeArgs {
    /// The subject; `otherwise` where nothing was named.
    ///
    /// # Errors
    /// A range that is none, or nothing that is checked out.
    pub(in crate::commands) fn subject(
        &self,
        session: &Session,
        otherwise: Subject,
    ) -> Result<Subject, Error> {
        if let Some(range) = &self.range {
            let (from, to) = parse_range(&session.repo, range)?;
            return Ok(Subject::Range { from, to, elsewhere: None });
        }
        if session.repo.layout().worktree.is_none() {
            return Err(Error::usage(
                "a bare repository has no branch checked out, and no working tree",
                "name two commits: git lane affected --range A..B",
            ));
        }
        Ok(match (self.staged, self.worktree) {
            (true, _) => Subject::Staged,
            (_, true) => Subject::Worktree,
            _ => otherwise,
        })
    }
}

/// Lists the services that a change touches.
///
/// # Errors
/// The change, the policy or a manifest cannot be read.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open(output, args.policy.as_deref())?;
    let subject = args.change.subject(&session, Subject::Branch)?;
    let survey = survey(&session, &subject)?;
    if !output.is_quiet() {
        survey.map.notes.iter().for_each(|text| note(text));
        left_out(&session, &subject);
        note_policy(&session, output);
    }
    let services = survey.services();
    let word = output.format().word();
    if let Some((_, most)) = MOST_JOBS.iter().find(|(of, most)| *of == word && services.len() > *most) {
        warn(
            &format!("{} services are affected, and a matrix has at most {most} jobs", services.len()),
            "run them in one job: git lane test",
        );
    }
    match output.format() {
        Format::GithubMatrix => output.print_data(&github_matrix(&survey.entries(&services)))?,
        format if format.word() == GITLAB => {
            output.print_data(&gitlab_pipeline(&survey.entries(&services), GITLAB_TEMPLATE))?;
        }
        _ if output.is_json() => output.print_json(&as_json(&session, &survey, &services))?,
        _ => output.page(&text(&survey, &services, output))?,
    }
    Ok(0)
}

/// Says what lies in the working tree and was not looked at.
fn left_out(session: &Session, subject: &Subject) {
    let (Subject::Branch, Some(root)) = (subject, &session.repo.layout().worktree) else { return };
    let count = unstaged_files(root).map_or(0, |files| files.len());
    if count > 0 {
        let files = if count == 1 { "1 unstaged or untracked file" } else { "unstaged or untracked files" };
        let files = if count == 1 { files.to_owned() } else { format!("{count} {files}") };
        crate::cli::output::note_with_help(&format!("{files} not included"), "git lane affected --worktree");
    }
}

fn text(survey: &Survey<'_>, services: &[usize], output: &Output) -> String {
    let mut out = String::new();
    // What all services share affects many for one reason.
    let mut shared: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for at in services {
        let because = survey.affected.projects.get(at);
        if because.is_some_and(|because| because.touch != Touch::Own && because.chain.len() == 1) {
            shared.entry(survey.reason(*at)).or_default().push(*at);
        }
    }
    shared.retain(|_, services| services.len() > 2 && !output.is_verbose());
    for at in services.iter().filter(|at| !shared.values().any(|many| many.contains(at))) {
        let project = survey.project(*at);
        let lane = project.lane.as_ref().map(|lane| format!(", lane of {lane}")).unwrap_or_default();
        out.push_str(&format!("{} ({}{lane}): {}\n", project.name, project.path, survey.reason(*at)));
    }
    for (reason, many) in &shared {
        let names: Vec<&str> = many.iter().map(|at| survey.project(*at).name.as_str()).collect();
        out.push_str(&format!("{}: {reason}\n", names.join(", ")));
    }
    for at in survey.removed() {
        out.push_str(&format!("{}: removed\n", survey.project(at).name));
    }
    let elsewhere = &survey.affected.elsewhere;
    if output.is_verbose() {
        elsewhere.iter().for_each(|path| out.push_str(&format!("no service: {path}\n")));
    }
    if output.is_quiet() {
        return out;
    }
    let files = counted(survey.touched.files.len(), "changed file");
    let all = counted(survey.all().len(), "service");
    out.push_str(&format!("{} of {all} affected by {files}", services.len()));
    if !elsewhere.is_empty() {
        out.push_str(&format!("; {} in no service", elsewhere.len()));
    }
    out.push('\n');
    out
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn as_json(session: &Session, survey: &Survey<'_>, services: &[usize]) -> Value {
    let name = |at: &usize| survey.project(*at).name.as_str();
    let because = |because: &Because| {
        let (why, area) = match &because.touch {
            Touch::Own => ("own", None),
            Touch::Shared(area) => ("shared", Some(area)),
            Touch::Global => ("global", None),
        };
        let declared = because.chain.windows(2).filter_map(|pair| {
            let edge = survey.map.nodes[pair[0]].depends.iter().find(|edge| edge.on == pair[1])?;
            Some(edge.declared.as_str())
        });
        json!({
            "path": because.file, "files": because.files, "why": why, "area": area,
            "chain": because.chain.iter().map(name).collect::<Vec<_>>(),
            "declared": declared.collect::<Vec<_>>(),
        })
    };
    let project = |at: &usize| {
        let project = survey.project(*at);
        json!({
            "service": project.name, "path": project.path, "lane": project.lane,
            "because": survey.affected.projects.get(at).map(because),
        })
    };
    let packages =
        survey.affected.projects.keys().filter(|at| survey.project(**at).kind == ProjectKind::Package);
    json!({
        "schema": 1,
        "policy": session.loaded.plan.source.name,
        "base": survey.touched.base,
        "files": survey.touched.files.len(),
        "services": services.iter().map(project).collect::<Vec<_>>(),
        "removed": survey.removed().iter().map(name).collect::<Vec<_>>(),
        "packages": packages.map(project).collect::<Vec<_>>(),
        "unaffected": survey.all().iter().filter(|at| !services.contains(at)).map(name).collect::<Vec<_>>(),
        "elsewhere": survey.affected.elsewhere,
    })
}
