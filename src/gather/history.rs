//! The commits of a change: message, signature, files.
//!
//! Trees are compared in process where there are few commits, and by git's plumbing where there are many:
//! see `stream`. Both give the same facts.

use std::collections::HashSet;

use super::collector::Collector;
use lane_core::facts::{Commit, Fact, FileChange, Message, Oid, People, Unavailable};
use lane_core::rules::Need;
use lane_core::signature::{self, Signature};
use lane_git::stream::Stream;
use lane_git::tree_diff::{merge_diff, tree_diff};
use lane_git::{RawCommit, Read, Repository, shallow_edge};

mod own_files;

/// From how many commits on a git of its own is started for their files. Up to here it is no sooner done on a repository
/// like git's own, takes more of the processors, and four times as long in one of 200,000 files.
const STREAMED: usize = 250;

/// Commits whose files may still be missing.
pub(super) struct CommitRead {
    commits: Vec<Commit>,
    stream: Option<Stream>,
}

impl Collector<'_> {
    /// The commits that `include` reach and `exclude` do not. `unpushed`: those of them that the
    /// remote does not have.
    pub(super) fn commits(
        &self,
        include: &[Oid],
        exclude: &[Oid],
        unpushed: Option<&HashSet<Oid>>,
    ) -> Read<Vec<Commit>> {
        self.begin_commits(include, exclude, unpushed)?.all(self)
    }

    /// The same, with files that git may still be looking for: other things can be done meanwhile.
    pub(super) fn begin_commits(
        &self,
        include: &[Oid],
        exclude: &[Oid],
        unpushed: Option<&HashSet<Oid>>,
    ) -> Read<CommitRead> {
        let edge = shallow_edge(self.repo)?;
        let oids = self.repo.commits(include, exclude)?;
        let wants_files = self.wants(Need::Files);
        let wants_prose = self.wants(Need::Prose);
        let is_long = wants_files && oids.len() >= STREAMED;
        let mut stream = is_long.then(|| Stream::new(self.repo.layout(), self.repo.budget().remaining()));
        let commits: Read<Vec<Commit>> = oids
            .into_iter()
            .map(|oid| {
                if edge.contains(&oid) {
                    return Err(self.too_shallow(&format!("the parent of commit {}", oid.short())));
                }
                let raw = self.repo.commit(oid)?;
                let files = match &mut stream {
                    Some(stream) => {
                        stream.ask(oid, &raw.parents);
                        Vec::new()
                    }
                    None if wants_files => files_of(self.repo, &raw)?,
                    None => Vec::new(),
                };
                self.repo.budget().text(self.repo, "commit", oid, raw.message.len())?;
                let message = Message { text: raw.message };
                let message = if wants_prose { message } else { message.without_prose() };
                self.repo.budget().commit(self.repo, message.text.len())?;
                Ok(Commit {
                    oid,
                    parents: raw.parents.len(),
                    files,
                    message,
                    is_pushed: unpushed.is_some_and(|unpushed| !unpushed.contains(&oid)),
                    is_published: false,
                    signature: self.signature_of(oid),
                    people: self.people_of(oid),
                })
            })
            .collect();
        Ok(CommitRead { commits: commits?, stream })
    }

    /// Notes which commits of `tip` the remote's own edition of the branch has.
    fn mark_published(&self, commits: &mut [Commit], tip: Oid, edition: Option<Oid>) -> Read<()> {
        let Some(edition) = edition.filter(|_| !commits.is_empty()) else {
            return Ok(());
        };
        let new: HashSet<Oid> = self.repo.commits(&[tip], &[edition])?.into_iter().collect();
        for commit in commits {
            commit.is_published = !new.contains(&commit.oid);
        }
        Ok(())
    }

    /// Author and committer of a commit, as it stores them.
    fn people_of(&self, oid: Oid) -> Fact<People> {
        if !self.wants(Need::People) {
            return Fact::NotGathered;
        }
        let read = |raw: Vec<u8>| {
            People::of_commit(&raw).ok_or_else(|| {
                Unavailable::new(
                    format!("author and committer of commit {} could not be read", oid.short()),
                    "make that commit again; `git fsck` has the details",
                )
            })
        };
        self.repo.commit_bytes(oid).and_then(read).into()
    }

    /// The signature of a commit, where it is asked for.
    fn signature_of(&self, oid: Oid) -> Fact<Signature> {
        if !self.wants(Need::Signatures) || !self.plan.reads_signatures() {
            return Fact::NotGathered;
        }
        let is_sha256 = oid.as_bytes().len() == 32;
        self.repo.commit_bytes(oid).map(|raw| signature::of_commit(&raw, is_sha256)).into()
    }
}

impl CommitRead {
    /// The commits with all of their files. `edition`: what the remote has of the branch whose tip is given.
    pub(super) fn finish(
        self,
        collector: &Collector<'_>,
        tip: Oid,
        edition: Option<Oid>,
    ) -> Read<Vec<Commit>> {
        let mut commits = self.all(collector)?;
        collector.mark_published(&mut commits, tip, edition)?;
        Ok(commits)
    }

    fn all(self, collector: &Collector<'_>) -> Read<Vec<Commit>> {
        let Self { mut commits, stream } = self;
        if let Some(stream) = stream {
            stream_files(collector, stream, &mut commits)?;
        }
        for commit in commits.iter_mut().filter(|commit| commit.parents == 2 && !commit.files.is_empty()) {
            own_files::leave_out_merged(collector.repo, commit);
        }
        Ok(commits)
    }
}

/// Puts into the commits the files that git found meanwhile.
fn stream_files(collector: &Collector<'_>, stream: Stream, commits: &mut [Commit]) -> Read<()> {
    let (mut count, mut bytes) = (0, 0);
    let is_whole = stream.finish(|at, files| {
        count += files.len();
        bytes += files.iter().map(|file| file.path.0.len()).sum::<usize>();
        commits[at].files = files;
    });
    if is_whole {
        return collector.repo.budget().files(collector.repo, count, bytes);
    }
    // A git that is missing, too old or broken does not keep anybody from a verdict.
    commits.iter_mut().for_each(|commit| commit.files = Vec::new());
    for commit in commits {
        commit.files = files_of(collector.repo, &collector.repo.commit(commit.oid)?)?;
    }
    Ok(())
}

/// What a commit changes; of a merge, what it alone brings in.
fn files_of(repo: &dyn Repository, commit: &RawCommit) -> Read<Vec<FileChange>> {
    let trees: Read<Vec<Option<Oid>>> =
        commit.parents.iter().map(|parent| Ok(Some(repo.commit(*parent)?.tree))).collect();
    match trees?.as_slice() {
        [] => tree_diff(repo, None, Some(commit.tree)),
        [parent] => tree_diff(repo, *parent, Some(commit.tree)),
        parents => merge_diff(repo, parents, commit.tree),
    }
}

#[cfg(test)]
mod tests;
