//! What a tool of a coding agent is about to do, judged before it does it.

use std::path::{Component, Path, PathBuf};

use super::Session;
use super::edit_log::EditLog;
use crate::gather::{EditSet, Environment, Request, Subject, claims, tracked_below};
use crate::journal;
use lane_core::error::Error;
use lane_core::facts::{Event, ForeignWorktree, RepoPath};
use lane_core::harness::shell::{self, join};
use lane_core::harness::{Edit, Occasion, ToolAction, guard};
use lane_core::identity::Actor;
use lane_core::report::text::{Style, render};
use lane_core::report::{Report, Verdict};
use lane_git::{GitRepo, Repository};

/// How many files below a folder that is taken away are looked at.
const BELOW: usize = 5_000;

/// Why something may not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A breach, or that it could not be decided.
    pub verdict: Verdict,
    /// What, whose it is, by which line of the policy, and the next step.
    pub text: String,
}

/// What is said to a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Pass,
    /// It may be done; this is for the model to know.
    Warn(String),
    /// It may not be done.
    Refuse(Refusal),
}

impl Refusal {
    fn breach(text: String) -> Self {
        Self { verdict: Verdict::Fail, text }
    }

    fn undecided(why: &str, help: Option<&str>) -> Self {
        let help = help.map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        let text = format!("git-lane: could not decide: {why}; nothing was changed{help}");
        Self { verdict: Verdict::Undecided, text }
    }
}

/// Whose session it is, and where.
pub struct Tool<'a> {
    /// Where paths begin that are not named from the root.
    folder: PathBuf,
    /// The worktree that the session was started in.
    own: Option<SessionWorktree>,
    environment: &'a Environment,
    /// Whether it is noted what is edited, and what is said.
    is_noted: bool,
    /// Whether refusals go into the journal.
    is_journaled: bool,
}

/// The worktree of a session.
pub(super) struct SessionWorktree {
    pub root: PathBuf,
    common_dir: PathBuf,
    pub agent: Option<String>,
}

impl<'a> Tool<'a> {
    /// Of an occasion. `project`: the folder that the session was started in, as a variable says.
    pub fn new(occasion: &Occasion, project: Option<PathBuf>, environment: &'a Environment) -> Self {
        let here = || std::env::current_dir().unwrap_or_default();
        let folder = occasion.folder.as_ref().map_or_else(here, PathBuf::from);
        let project = project.or_else(|| occasion.project.as_ref().map(PathBuf::from));
        let mut own = project.as_deref().and_then(|folder| session_worktree(folder, environment));
        // A session of no agent, at work in a worktree that is somebody's: it is theirs.
        if own.as_ref().is_none_or(|own| own.agent.is_none()) {
            own = self::session_worktree(&folder, environment).or(own);
        }
        Self { folder, own, environment, is_noted: true, is_journaled: true }
    }

    /// The same for whoever only asks.
    pub fn asked(self) -> Self {
        Self { is_noted: false, is_journaled: false, ..self }
    }

    /// The same for a harness that has no words for a warning.
    pub fn without_warnings(self) -> Self {
        Self { is_noted: false, ..self }
    }

    /// What somebody who names a path asks about: a folder is all the files that git has in it, or else whatever may come into it.
    /// `:/` begins a path from the root, as in reports.
    ///
    /// # Errors
    /// The path is empty, or the files of the folder cannot be read.
    pub fn files_of(&self, path: &str) -> Result<Vec<ToolAction>, Error> {
        if path.is_empty() {
            return Err(Error::usage("a path is empty", "name a file or a folder: git lane who --mine PATH"));
        }
        let root = root_of(&self.folder);
        let place = match (path.strip_prefix(":/"), root) {
            (Some(rest), Some(root)) => root.join(rest),
            _ => self.folder.join(path),
        };
        let edit = |place: &Path| ToolAction::Edit(Edit::write(place.to_string_lossy()));
        if !place.is_dir() && !path.ends_with('/') {
            return Ok(vec![edit(&place)]);
        }
        let place = resolve_path(&place, false);
        let within =
            root_of(&place).and_then(|root| Some((place.strip_prefix(&root).ok()?.to_owned(), root)));
        let Some((folder, root)) = within else { return Ok(vec![edit(&place)]) };
        let folder = RepoPath(folder.as_os_str().as_encoded_bytes().to_vec());
        let files = tracked_below(&GitRepo::open_at(&root)?, &folder)?;
        let tracked = files.iter().filter_map(RepoPath::as_text).map(|file| edit(&root.join(file)));
        let tracked: Vec<ToolAction> = tracked.collect();
        Ok(if tracked.is_empty() { vec![edit(&place.join("*"))] } else { tracked })
    }

    /// Whether it may be done, and what the model is told.
    pub fn answer(&self, actions: &[ToolAction]) -> Answer {
        let mut edits = Vec::new();
        for action in actions {
            match action {
                ToolAction::Edit(edit) => edits.push(edit.clone()),
                ToolAction::Shell(line) => match self.commands(line) {
                    Ok(written) => edits.extend(written),
                    Err(why) => return self.unless_observed(Refusal::breach(why)),
                },
                ToolAction::Unreadable(why) => {
                    if let Some(refusal) = self.unreadable(why) {
                        return self.unless_observed(refusal);
                    }
                }
            }
        }
        match self.edits(&edits) {
            Answer::Refuse(refusal) => self.unless_observed(refusal),
            answer => answer,
        }
    }

    /// Why an action that cannot be identified is refused; `None` where there is no policy.
    pub fn unreadable(&self, why: &str) -> Option<Refusal> {
        self.is_governed().then(|| Refusal::undecided(why, Some("git lane doctor")))
    }

    /// A refusal, unless the policy only observes: then it is told, and the tool has its turn.
    fn unless_observed(&self, refusal: Refusal) -> Answer {
        let session = root_of(&self.folder).map(|root| Session::open_at(&root, self.environment));
        match session {
            Some(Ok(Some(session))) if session.loaded.plan.observes() => {
                Answer::Warn(format!("observed, would be refused: {}", refusal.text))
            }
            _ => Answer::Refuse(refusal),
        }
    }

    /// Whether the folder that it works in has a policy.
    fn is_governed(&self) -> bool {
        // One that cannot be read is one.
        root_of(&self.folder)
            .is_some_and(|root| !matches!(Session::open_at(&root, self.environment), Ok(None)))
    }

    /// The files that a line for a shell says plainly that it changes.
    fn commands(&self, line: &str) -> Result<Vec<Edit>, String> {
        let commands = shell::commands(line);
        let (subject, found) = match &commands {
            Some(commands) => ("this command", commands.iter().find_map(guard::bypass)),
            // The hooks of git look at what comes of it, where it lets them.
            None => {
                ("this line cannot be read as a shell does, and a command in it", guard::bypass_in_text(line))
            }
        };
        if let Some(found) = found.filter(|_| self.is_governed()) {
            return Err(format!("error: {subject} {}\nhelp: {}", found.what, found.help));
        }
        let mut edits = Vec::new();
        for edit in commands.iter().flatten().flat_map(guard::writes) {
            edits.extend(self.on_disk(edit));
        }
        Ok(edits)
    }

    /// What is copied into a folder, and what is in a folder that is taken away.
    fn on_disk(&self, edit: Edit) -> Vec<Edit> {
        let place = self.folder.join(&edit.path);
        if !place.is_dir() || edit.is_removed && place.is_symlink() {
            return vec![edit];
        }
        if edit.is_removed {
            return files_below(&place);
        }
        let mut copies = Vec::new();
        for source in &edit.sources {
            let from = self.folder.join(source);
            let Some(name) = from.file_name().and_then(|name| name.to_str()) else { continue };
            let to = join(&edit.path, name);
            if !from.is_dir() {
                copies.push(Edit::write(to));
                continue;
            }
            for file in files_below(&from) {
                let rest = Path::new(&file.path).strip_prefix(&from).ok().and_then(Path::to_str);
                copies.extend(rest.map(|rest| Edit::write(join(&to, rest))));
            }
        }
        copies
    }

    fn edits(&self, edits: &[Edit]) -> Answer {
        let mut roots: Vec<(PathBuf, EditSet)> = Vec::new();
        for edit in edits {
            let place = resolve_path(&self.folder.join(&edit.path), edit.is_removed);
            let Some(root) = root_of(&place) else { continue };
            let Ok(path) = place.strip_prefix(&root) else { continue };
            if path.as_os_str().is_empty() {
                continue;
            }
            let path = RepoPath(path.as_os_str().as_encoded_bytes().to_vec());
            let known = roots.iter().position(|(known, _)| *known == root);
            let at = known.unwrap_or_else(|| {
                roots.push((root, EditSet::default()));
                roots.len() - 1
            });
            let set = &mut roots[at].1;
            set.written.extend(edit.text.clone().map(|text| (path.clone(), text)));
            set.files.push((path, edit.is_removed));
        }
        let mut warnings = String::new();
        for (root, edited) in roots {
            match self.in_worktree(&root, edited) {
                Ok(Answer::Pass) => {}
                Ok(Answer::Warn(text)) => warnings.push_str(&text),
                Ok(refusal) => return refusal,
                Err(error) => {
                    let refusal = Refusal::undecided(&error.to_string(), error.help().as_deref());
                    return Answer::Refuse(refusal);
                }
            }
        }
        if warnings.is_empty() { Answer::Pass } else { Answer::Warn(warnings) }
    }

    /// Notes what is said. An edit that nothing is said of is not noted: the commit that has it tells what became of it.
    fn journal(&self, session: &Session, report: &Report) {
        if self.is_journaled {
            journal::note(session.repo.layout(), &session.loaded.plan.policy, report);
        }
    }

    fn in_worktree(&self, root: &Path, edited: EditSet) -> Result<Answer, Error> {
        let Some(session) = Session::open_at(root, self.environment)? else {
            return Ok(Answer::Pass);
        };
        let is_git = |(path, _): &(RepoPath, bool)| {
            path.0.split(|b| *b == b'/').any(|part| part.eq_ignore_ascii_case(b".git"))
        };
        if let Some((path, _)) = edited.files.iter().find(|file| is_git(file)) {
            return Ok(Answer::Refuse(Refusal::breach(format!(
                "error: {path} is git's own\nhelp: {}",
                guard::INTERNALS
            ))));
        }
        let layout = session.repo.layout();
        let own = self.own.as_ref().filter(|own| own.common_dir == layout.common_dir);
        let is_elsewhere = own.is_some_and(|own| own.agent.is_some() && own.root != root);
        let there = claims(&session.repo, &Environment { agent_id: None, ..self.environment.clone() }, None)?;
        // A subagent may have one more worktree of its agent.
        let is_its_own = own.is_some_and(|own| {
            layout.git_dir != layout.common_dir
                && there.first().map(|claim| &claim.agent) == own.agent.as_ref()
        });
        let is_elsewhere = is_elsewhere && !is_its_own;
        let elsewhere = own.filter(|_| is_elsewhere).map(|own| ForeignWorktree {
            agent: there.first().map(|claim| claim.agent.clone()),
            is_main: layout.git_dir == layout.common_dir,
            session_root: own.root.display().to_string(),
        });
        let agent = own.filter(|_| is_elsewhere).and_then(|own| own.agent.clone());
        let mut log = EditLog::read(&session.repo);
        let edited = EditSet { foreign: elsewhere, so_far: log.paths(), ..edited };
        let request =
            Request { event: Event::Edit, agent, branch: None, subject: Subject::Edited(edited.clone()) };
        let mut report = session.judge(&request)?;
        if report.verdict != Verdict::Pass {
            self.journal(&session, &report);
            let text = render(&report, Style::default());
            return Ok(Answer::Refuse(Refusal { verdict: report.verdict, text }));
        }
        if self.is_noted {
            if session.loaded.plan.limits_size() {
                log.add(&session.repo, edited.files);
            }
            report.findings.retain(|finding| log.is_news(finding, session.environment.now));
            log.write();
        }
        let is_silent = report.findings.is_empty();
        if !is_silent && (self.is_noted || report.spared().is_some()) {
            self.journal(&session, &report);
        }
        Ok(if is_silent { Answer::Pass } else { Answer::Warn(render(&report, Style::default())) })
    }
}

/// The worktree around a folder, and whose it is.
pub(super) fn session_worktree(folder: &Path, environment: &Environment) -> Option<SessionWorktree> {
    let root = root_of(folder)?;
    let session = Session::open_at(&root, environment).ok()??;
    let agent = match session.actor(None) {
        Ok(Actor::Agent(agent)) => Some(agent),
        _ => None,
    };
    Some(SessionWorktree { root, common_dir: session.repo.layout().common_dir.clone(), agent })
}

/// The root of the worktree that a path lies in; the path need not exist.
pub(super) fn root_of(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// Where a write to a path ends up: links followed as far as there is something, `..` taken away. Who removes a link, removes
/// the link.
fn resolve_path(path: &Path, is_removed: bool) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain = std::fs::canonicalize(&plain).unwrap_or(plain);
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    if !is_removed && let Ok(real) = std::fs::canonicalize(&plain) {
        return real;
    }
    let mut rest = Vec::new();
    let mut at = plain.as_path();
    while let (Some(parent), Some(name)) = (at.parent(), at.file_name()) {
        rest.push(name.to_owned());
        if let Ok(real) = std::fs::canonicalize(parent) {
            return rest.into_iter().rev().fold(real, |path, name| path.join(name));
        }
        at = parent;
    }
    plain
}

/// The files below a folder.
fn files_below(folder: &Path) -> Vec<Edit> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder {
                folders.push(entry.path());
            } else {
                found.push(Edit::delete(entry.path().to_string_lossy()));
            }
            if found.len() >= BELOW {
                return found;
            }
        }
    }
    found
}
