//! What a hook does about the other ones: it says which of them git does not run any more, and judges in place of those
//! that it can stand for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::cli::output::print_error;
use crate::gather::{Environment, Invocation};
use crate::install::chain::Turn;
use crate::install::in_force::{self, HookGap};
use crate::install::verdict_notes;
use lane_core::facts::Event;
use lane_core::hooks::{Action, Hook, Subject};
use lane_core::text::help_block;
use lane_git::in_progress::in_progress;
use lane_git::{GitRepo, Repository};

/// Who was told that hooks are missing.
const TOLD: &str = "told";

/// Looks whether git still runs our other hooks, of this worktree and of the others, and says so where it does not. Those
/// of this worktree that git does not start itself, as far as this hook has to care.
pub(in crate::commands) fn missing_hooks(repo: &GitRepo, hook: &Hook) -> Vec<&'static str> {
    let layout = repo.layout();
    let Some(folder) = folder(repo) else {
        return Vec::new();
    };
    // The first hook of ours that git starts for a commit speaks for all of them.
    let before = hook.watched_before();
    let foreign = in_force::foreign(&folder, before.clone());
    let is_spoken_for = foreign.len() < before.count();
    if is_spoken_for && !is_first_started(hook) {
        return foreign;
    }
    let replaced = in_force::replaced(layout, &folder);
    let mut said = String::new();
    if !replaced.is_empty() {
        said = format!(
            "warning: git-lane's hooks are not all in force: {}\n{}",
            HookGap::Scripts(replaced.clone()).words(),
            help_block("git lane install", false)
        );
    }
    if let Ok(found) = in_force::survey_with(layout, Some((&folder, &replaced))) {
        said.push_str(&in_force::warnings(layout, &found, false));
    }
    // The hook from the configuration, or a script that a manager renamed, may have said it a moment ago.
    let is_told = || verdict_notes::is_judged(layout, TOLD, &parent());
    if !said.is_empty() && !is_told() {
        print_error(&said);
        // A rebase starts it for each commit.
        if is_spoken_for {
            verdict_notes::has_judged(layout, TOLD, &parent());
        }
    }
    // Nothing stands for another one there.
    if hook.is_first() { Vec::new() } else { in_force::foreign(&folder, hook.watched_with()) }
}

/// Whether git starts a hook without those before it, as far as its command line tells: `--no-verify` leaves them out, and
/// picks have none.
fn is_first_started(hook: &Hook) -> bool {
    let started = Invocation::of_process();
    hook.subject == Subject::Draft && (started.skips_hooks || started.has_no_pre_commit)
}

/// Tells whoever made a worktree what it lacks. Nothing that goes wrong here keeps git from anything.
pub(in crate::commands) fn after_checkout(args: &[OsString]) {
    let is_new = args.first().is_some_and(|old| old.as_encoded_bytes().iter().all(|byte| *byte == b'0'));
    if !is_new {
        return;
    }
    let Ok(repo) = GitRepo::open() else { return };
    let layout = repo.layout();
    if let Ok(mut found) = in_force::survey(layout) {
        found.retain(|(tree, _)| tree.git_dir == layout.git_dir);
        print_error(&in_force::warnings(layout, &found, true));
    }
}

/// The same for a hook from the configuration, which judges whatever the scripts do: a git before 2.54 does not start it.
pub(in crate::commands) fn warn_missing_hooks(repo: &GitRepo, hook: &Hook) {
    let layout = repo.layout();
    let folder = folder(repo);
    if !hook.is_first() {
        folder.iter().for_each(|folder| in_force::note_turn(layout, folder, hook.name));
        return;
    }
    let Ok(found) = in_force::survey(layout) else { return };
    // Of what a manager has put there since, nobody knows yet what it runs, and this hook judges in any case.
    let tried = found.into_iter().filter_map(|(tree, lack)| match &folder {
        Some(folder) => in_force::without_untried(layout, folder, lack).map(|lack| (tree, lack)),
        None => Some((tree, lack)),
    });
    let mut found: Vec<_> = tried.collect();
    folder.iter().for_each(|folder| in_force::note_turn(layout, folder, hook.name));
    if hook.action != Action::Push {
        found.retain(|(_, lack)| *lack != HookGap::NotInstalled);
    }
    let said = in_force::warnings(layout, &found, true);
    if !said.is_empty() {
        print_error(&said);
        verdict_notes::has_judged(layout, TOLD, &parent());
    }
}

/// The git that started this hook.
fn parent() -> verdict_notes::Subject {
    verdict_notes::Subject::default().bytes(&lane_os::parent_id().to_be_bytes())
}

fn folder(repo: &GitRepo) -> Option<PathBuf> {
    in_force::folder_of(&repo.config("core.hooksPath").ok()?, repo.layout())
}

/// Notes that the file which stands where our script was runs it.
pub(in crate::commands) fn note_runner(repo: &GitRepo, name: &str) {
    if let Some(folder) = folder(repo) {
        in_force::note_runner(repo.layout(), &folder, name);
    }
}

/// Whether prepare-commit-msg has to judge what is staged: nothing that could does run, and git was not told to run none.
/// Picks of a rebase run this hook alone even where all is well.
pub(in crate::commands) fn is_alone(repo: &GitRepo, hook: &Hook, missing: &[&str]) -> bool {
    let mut judging = hook.watched_with().filter(|hook| hook.event.is_some());
    judging.all(|hook| missing.contains(&hook.name))
        && in_progress(&repo.layout().git_dir).is_none()
        && !Invocation::of_process().skips_hooks
}

/// Whether `git commit` has started this hook, opens no editor, and starts commit-msg as well: nobody sees the message
/// before that one does, which puts tag and locks in. Where the command line cannot be seen, that is unknown.
pub(in crate::commands) fn is_edited_by_nobody(environment: &Environment) -> bool {
    let invocation = Invocation::of_process();
    environment.no_editor && invocation.is_parent_commit && !invocation.skips_hooks
}

/// Whether the git that has started our script of a folder finds all other ones of ours for the same there: then each does
/// its own part.
pub(in crate::commands) fn are_others_in_force(repo: &GitRepo, hook: &Hook) -> bool {
    let Ok(hooks_paths) = repo.config("core.hooksPath") else { return false };
    let root = repo.layout().worktree.as_deref().unwrap_or(&repo.layout().common_dir);
    let folder = in_force::folder_of(&hooks_paths, repo.layout());
    let is_named =
        |folder: &Path| hooks_paths.last().is_some_and(|value| in_force::is_folder(value, root, folder));
    let others = hook.watched_with().filter(|other| other.name != hook.name);
    folder.is_some_and(|folder| is_named(&folder) && in_force::foreign(&folder, others).is_empty())
}

/// Whether a hook manager, and not git, starts our pre-push: in a turn of its own after ours, or in its place.
pub(in crate::commands) fn is_started_by_another(repo: &GitRepo) -> bool {
    let name = Event::PrePush.name();
    Turn::begin(repo.layout(), name).is_none()
        || folder(repo).is_some_and(|folder| !in_force::is_script(&folder, name))
}

/// What a hook of a commit judges, so that it is known again.
pub(in crate::commands) fn subject(repo: &GitRepo, hook: &Hook, args: &[OsString]) -> verdict_notes::Subject {
    let mut subject = verdict_notes::Subject::default().bytes(hook.name.as_bytes());
    for arg in args {
        subject = subject.bytes(arg.as_encoded_bytes());
    }
    match (hook.subject, args.first()) {
        (Subject::Message, Some(message)) => subject.file(Path::new(message)),
        _ => staged(repo, subject),
    }
}

fn staged(repo: &GitRepo, subject: verdict_notes::Subject) -> verdict_notes::Subject {
    let index = Environment::of_process().index_file;
    subject.file(&index.unwrap_or_else(|| repo.layout().git_dir.join("index")))
}

/// What pre-commit judges, as commit-msg sees it.
pub(in crate::commands) fn staged_subject(repo: &GitRepo) -> verdict_notes::Subject {
    staged(repo, verdict_notes::Subject::default().bytes(Event::PreCommit.name().as_bytes()))
}
