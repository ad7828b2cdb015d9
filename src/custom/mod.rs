//! Runs the rules that a team writes itself (`custom` in the policy): docs/custom.md.
//!
//! A command runs in a folder of its own, with its file and what it needs as the base has them, and with a git folder of its
//! own that sees the repository's objects and nothing else of it: what is judged is only read, and nothing is written into the
//! repository.

mod change;
mod copy;
mod objects;
mod workspace;

use std::time::Duration;

use crate::gather::{LoadedPolicy, Subject};
use crate::run::{Bounds, Context, End, Ended, Isolation, Task, run_all};
use change::{Judged, request};
use lane_core::custom::{self, MAX_OUTPUT, Program, answer};
use lane_core::facts::{Event, Fact, Facts, Oid, OwnFinding, OwnRun, RepoPath, Unavailable};
use lane_core::policy::model::CustomRule;
use lane_core::policy::{FILE, Place, Plan};
use lane_git::{Read, Repository, config_bool, pool};
use workspace::{Room, Workspace};

/// What is done with the rules of the team's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomUse {
    /// There are none at this event.
    Nothing,
    /// They are run.
    Run,
    /// They are not, and why.
    LeftOut(String),
}

/// The setting by which the administrator of a server lets commands of a policy run there.
const ALLOWED: &str = "lane.custom";

/// What is done with the rules of a policy at an event. A server runs no command that its administrator has not allowed.
///
/// # Errors
/// The configuration cannot be read.
pub fn use_at(repo: &dyn Repository, plan: &Plan, event: Event) -> Read<CustomUse> {
    let rules = plan.policy.custom.iter().filter(|rule| rule.applies(event.stages()));
    let ids: Vec<&str> = rules.map(|rule| rule.id.value.as_str()).collect();
    Ok(match ids.is_empty() {
        true => CustomUse::Nothing,
        false if !event.is_server() || is_allowed_on_server(repo)? => CustomUse::Run,
        false => CustomUse::LeftOut(format!(
            "the policy's own rules are not run on this server: {}; the policy job judges them",
            ids.join(", ")
        )),
    })
}

/// Whether the administrator of a server lets commands of a policy run there.
///
/// # Errors
/// The configuration cannot be read.
pub fn is_allowed_on_server(repo: &dyn Repository) -> Read<bool> {
    config_bool(repo, ALLOWED)
}

/// One command about one change.
struct Job<'j> {
    /// The place of the change.
    change: usize,
    entry: usize,
    rule: &'j CustomRule,
    /// The paths that it is told of.
    told: Vec<RepoPath>,
    is_repair: bool,
    room: Room,
}

/// Runs the rules that are judged at an event, side by side, and notes what they found in each change. What keeps one of them
/// from a verdict is noted as its result.
pub fn run(repo: &dyn Repository, loaded: &LoadedPolicy, subject: &Subject, facts: &mut Facts) {
    let mut results: Vec<Fact<Vec<OwnRun>>> = facts.changes.iter().map(|_| Fact::Known(Vec::new())).collect();
    let mut jobs = Vec::new();
    match Workspace::new(repo) {
        Ok(workspace) => {
            for (at, result) in results.iter_mut().enumerate() {
                prepare(repo, loaded, subject, facts, &workspace, at, result, &mut jobs);
            }
            run_jobs(&loaded.plan, &jobs, &mut results);
        }
        Err(why) => results.iter_mut().for_each(|result| *result = Fact::Unavailable(why.clone())),
    }
    for (change, result) in facts.changes.iter_mut().zip(results) {
        change.custom = result;
    }
}

/// What is to be run for one change.
#[allow(clippy::too_many_arguments, reason = "one loop, cut in two")]
fn prepare<'j>(
    repo: &dyn Repository,
    loaded: &'j LoadedPolicy,
    subject: &Subject,
    facts: &Facts,
    workspace: &Workspace,
    at: usize,
    result: &mut Fact<Vec<OwnRun>>,
    jobs: &mut Vec<Job<'j>>,
) {
    let plan = &loaded.plan;
    let judged = match Judged::of(repo, plan, facts, &facts.changes[at], subject) {
        Ok(Some(judged)) => judged,
        Ok(None) => return,
        Err(why) => return *result = Fact::Unavailable(why),
    };
    if let Err(why) = objects::write_new(repo, &judged, subject, workspace.objects()) {
        return *result = Fact::Unavailable(why);
    }
    let scripts = script_tree(repo, loaded, judged.to_tree);
    let mut done = Vec::new();
    for (entry, rule) in plan.policy.custom.iter().enumerate() {
        if !rule.applies(facts.event.stages()) {
            continue;
        }
        let is_repair = judged.is_repair(plan, rule);
        let Some((request, told)) = request(plan, &judged, facts, entry, rule) else { continue };
        let room = scripts.clone().and_then(|tree| {
            let room = workspace.room(&request)?;
            fill(repo, tree, rule, &room)?;
            Ok(room)
        });
        match room {
            Ok(room) => jobs.push(Job { change: at, entry, rule, told, is_repair, room }),
            Err(why) => {
                let why = unjudged(plan, rule, &why.reason, why.help);
                done.push(OwnRun { entry, found: Err(why), time: Duration::ZERO, is_repair });
            }
        }
    }
    *result = Fact::Known(done);
}

/// The tree that commands are taken from: that of the commit whose policy judges. A policy that was read from a file, before there
/// is one on the base, has its commands where that change has them.
fn script_tree(repo: &dyn Repository, loaded: &LoadedPolicy, judged: Oid) -> Read<Oid> {
    let name = loaded.plan.source.name.strip_suffix(FILE).and_then(|name| name.strip_suffix(':'));
    let Some(reference) = name.filter(|name| name.starts_with("refs/")) else {
        return Ok(judged);
    };
    let base = loaded.base.as_ref().filter(|base| base.reference == reference).map(|base| base.oid);
    let commit = match base {
        Some(oid) => oid,
        None => repo.find_ref(reference)?.ok_or_else(|| {
            Unavailable::new(format!("{reference} is gone, from which its command is taken"), "git fetch")
        })?,
    };
    Ok(repo.commit(commit)?.tree)
}

/// Puts the command's files into the folder that it runs in.
fn fill(repo: &dyn Repository, tree: Oid, rule: &CustomRule, room: &Room) -> Read<()> {
    let files = room.files();
    let mut copy = copy::Copy::new(repo, tree, &files);
    if let Ok(Program::File(path)) = Program::of(&rule.run.value) {
        copy.program(&path)?;
    }
    for path in rule.needs.iter().filter_map(|path| custom::in_repository(&path.value)) {
        copy.add(&path)?;
    }
    copy.finish()
}

/// Why a rule has no verdict.
fn unjudged(plan: &Plan, rule: &CustomRule, why: &str, help: Option<String>) -> Unavailable {
    let Place { file, line, .. } = plan.source.place(rule.run.span.unwrap_or(rule.span).start);
    let place = format!("{file}:{line}");
    let help = help.unwrap_or_else(|| "ask a maintainer to fix the command on the base".to_owned());
    let reason = format!("`{}` ({place}) could not be judged: {why}", rule.id.value);
    Unavailable::new(reason, help)
}

fn run_jobs(plan: &Plan, jobs: &[Job<'_>], results: &mut [Fact<Vec<OwnRun>>]) {
    if jobs.is_empty() {
        return;
    }
    let tasks: Vec<Task> = jobs.iter().map(task).collect();
    let context =
        Context { environment: None, limit: None, jobs: pool::processors(), timeout: Duration::MAX };
    let ended = run_all(&tasks, &context, &mut |_, _| {}).map(|(ended, _)| ended);
    for (at, job) in jobs.iter().enumerate() {
        let found = match &ended {
            Ok(ended) => found(job, &ended[at]),
            Err(error) => Err(format!("it could not be started: {error}")),
        };
        let found = found.map_err(|why| unjudged(plan, job.rule, &why, None));
        if let Fact::Known(runs) = &mut results[job.change] {
            let time = ended.as_ref().map_or(Duration::ZERO, |ended| ended[at].time);
            runs.push(OwnRun { time, entry: job.entry, found, is_repair: job.is_repair });
        }
    }
}

fn task(job: &Job<'_>) -> Task {
    let (out, err) = job.room.output();
    Task {
        command: job.rule.run.value.clone(),
        folder: job.room.files(),
        variables: Vec::new(),
        log: out,
        bounds: Bounds {
            errors: Some(err),
            timeout: Some(Duration::from_secs(job.rule.timeout.value.seconds)),
            bytes: Some(MAX_OUTPUT),
            ends_with_it: true,
        },
        isolation: Some(Isolation { input: job.room.input(), variables: job.room.variables() }),
    }
}

/// What a command came to.
fn found(job: &Job<'_>, ended: &Ended) -> Result<Vec<OwnFinding>, String> {
    let (out, err) = job.room.output();
    let sizes = [&out, &err].map(|path| path.metadata().map_or(0, |data| data.len()));
    let is_too_much = sizes.iter().any(|size| *size > MAX_OUTPUT);
    let read = |path| {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        let file =
            std::fs::File::open(path).map_err(|error| format!("its output could not be read: {error}"))?;
        file.take(MAX_OUTPUT)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("its output could not be read: {error}"))?;
        Ok::<_, String>(bytes)
    };
    let how = match &ended.end {
        _ if is_too_much => custom::Ended::Not("wrote more than 1 MB".to_owned()),
        End::Passed => custom::Ended::Exit(0),
        End::Failed(code) => custom::Ended::Exit(*code),
        End::TimedOut => custom::Ended::Not(format!("was ended after {}", job.rule.timeout.value)),
        End::TooMuchOutput => custom::Ended::Not("wrote more than 1 MB".to_owned()),
        End::Interrupted => custom::Ended::Not("was interrupted".to_owned()),
        End::NotStarted(why) => custom::Ended::Not(format!("could not be started: {why}")),
    };
    let told: Vec<&RepoPath> = job.told.iter().collect();
    if matches!(ended.end, End::NotStarted(_)) {
        return answer(&how, b"", b"", &told);
    }
    answer(&how, &read(&out)?, &read(&err)?, &told)
}
