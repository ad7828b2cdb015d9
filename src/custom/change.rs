//! A change as commands are told of it.

use lane_core::custom::{CommitFacts, FileFacts, Program, Request, Side, Status, in_repository};
use lane_core::facts::{Change, Facts, FileChange, FileVersion, Oid, RefUpdate, RepoPath};
use lane_core::identity::{Actor, resolve};
use lane_core::policy::model::CustomRule;
use lane_core::policy::{FILE, Plan};
use lane_git::lines::{FileLines, of_files};
use lane_git::{Read, Repository};

use crate::gather::Subject;

/// A change that there is something to say about.
pub(super) struct Judged<'c> {
    change: &'c Change,
    agent: Option<String>,
    /// The change begins here.
    from: Side,
    /// And ends here.
    pub(super) to_tree: Oid,
    to_commit: Option<Oid>,
    files: Vec<FileLines<'c>>,
    has_commits: bool,
    is_maintainers: bool,
}

impl<'c> Judged<'c> {
    /// `None` where nothing is there to be looked at: a ref goes away, a record of git-lane's own, nobody known.
    pub(super) fn of(
        repo: &dyn Repository,
        plan: &Plan,
        facts: &Facts,
        change: &'c Change,
        subject: &Subject,
    ) -> Read<Option<Self>> {
        let is_record = change.reference.as_deref().is_some_and(|name| plan.always_binds(name));
        let actor = resolve(plan, facts, change);
        let Some(to_tree) = change.tree else { return Ok(None) };
        if is_record || change.update == Some(RefUpdate::Delete) || matches!(actor, Actor::Unclear { .. }) {
            return Ok(None);
        }
        let is_commit = matches!(subject, Subject::Staged);
        let files = if is_commit { change.staged.get()? } else { change.files.get()? };
        let commit = if is_commit { change.head } else { change.merge_base.map(|base| base.oid) };
        let from = Side { commit, tree: commit.map(|oid| repo.commit(oid)).transpose()?.map(|it| it.tree) };
        let head = match change.head {
            Some(oid) => Some((oid, repo.commit(oid)?.tree)),
            None => None,
        };
        let base = change.merge_base.map(|base| repo.commit(base.oid)).transpose()?.map(|it| it.tree);
        let is_asked = |old: Option<&FileChange>, new: Option<&FileChange>| {
            let entries = plan.policy.custom.iter().enumerate();
            let mut entries = entries.filter(|(_, rule)| rule.applies(facts.event.stages()));
            entries.any(|(entry, _)| is_about(plan, entry, old, new))
        };
        Ok(Some(Self {
            change,
            agent: actor.agent().map(str::to_owned),
            from,
            to_tree,
            to_commit: head.filter(|(_, tree)| *tree == to_tree).map(|(oid, _)| oid),
            files: of_files(repo, files, base, &is_asked)?,
            has_commits: !is_commit,
            is_maintainers: actor == Actor::Maintainer,
        }))
    }

    /// Whether a maintainer changes the policy, or what the rule's command consists of.
    pub(super) fn is_repair(&self, plan: &Plan, rule: &CustomRule) -> bool {
        let program = match Program::of(&rule.run.value) {
            Ok(Program::File(path)) => Some(path),
            _ => None,
        };
        let needs = rule.needs.iter().filter_map(|path| in_repository(&path.value));
        let files = plan.source.files().iter().map(|part| part.path.clone());
        let own: Vec<String> =
            program.into_iter().chain(needs).chain([FILE.to_owned()]).chain(files).collect();
        let is_own = |file: &FileChange| {
            own.iter().any(|own| {
                let rest = file.path.0.strip_prefix(own.as_bytes());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            })
        };
        let sides = [&self.change.files, &self.change.staged].into_iter().filter_map(|files| files.known());
        self.is_maintainers && sides.flatten().any(is_own)
    }

    /// The tree that the change begins at.
    pub(super) fn start_tree(&self) -> Option<Oid> {
        self.from.tree
    }
}

fn is_about(plan: &Plan, entry: usize, old: Option<&FileChange>, new: Option<&FileChange>) -> bool {
    [old, new].into_iter().flatten().any(|file| plan.custom.is_about(entry, file))
}

/// What a rule is told, and the paths in it; `None` where the change has none of its files.
pub(super) fn request(
    plan: &Plan,
    judged: &Judged<'_>,
    facts: &Facts,
    entry: usize,
    rule: &CustomRule,
) -> Option<(Request, Vec<RepoPath>)> {
    let change = judged.change;
    let own = judged.files.iter().filter(|file| is_about(plan, entry, file.old, file.new));
    let files: Vec<FileFacts> = own.filter_map(file_facts).collect();
    if files.is_empty() && !rule.when.is_empty() {
        return None;
    }
    let told = files.iter().flat_map(|file| [Some(&file.path), file.old_path.as_ref()]).flatten();
    let told = told.cloned().collect();
    let commits = change.commits.known().filter(|_| judged.has_commits);
    let request = Request {
        version: 1,
        rule: rule.id.value.clone(),
        event: facts.event.name(),
        agent: judged.agent.clone(),
        branch: change.branch.clone(),
        reference: change.reference.clone(),
        base_ref: change.base_ref.as_ref().or(facts.base_ref.as_ref()).cloned(),
        base: change.base,
        from: judged.from.clone(),
        to: Side { commit: judged.to_commit, tree: Some(judged.to_tree) },
        files,
        commits: commits
            .into_iter()
            .flatten()
            .map(|commit| CommitFacts {
                oid: commit.oid,
                parents: commit.parents,
                message: commit.message.text.clone(),
            })
            .collect(),
    };
    Some((request, told))
}

fn file_facts(file: &FileLines<'_>) -> Option<FileFacts> {
    let old = file.old.and_then(|file| Some((&file.path, file.old?)));
    let new = file.new.and_then(|file| Some((&file.path, file.new?)));
    let path = new.or(old)?.0.clone();
    let mode = |side: Option<(&RepoPath, FileVersion)>| side.map(|(_, it)| format!("{:06o}", it.mode));
    let is_plain = path.as_text().is_some_and(|text| text == path.to_string());
    let hex = || path.0.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(FileFacts {
        path_hex: (!is_plain).then(hex),
        status: match (old, new) {
            (None, _) => Status::Added,
            (_, None) => Status::Deleted,
            (Some((old, _)), Some((new, _))) if old != new => Status::Renamed,
            _ => Status::Modified,
        },
        old_path: old.map(|(old, _)| old.clone()).filter(|old| *old != path),
        old_mode: mode(old),
        old_oid: old.map(|(_, version)| version.oid),
        mode: mode(new),
        oid: new.map(|(_, version)| version.oid),
        added: file.lines.map(|(added, _)| added),
        deleted: file.lines.map(|(_, deleted)| deleted),
        path,
    })
}
