//! What a merge brings in of its own: not what git merges by itself where both sides have changed a file.

use std::collections::HashSet;

use lane_core::facts::{Commit, FileChange, FileVersion, Oid, RepoPath};
use lane_git::attributes::is_regular;
use lane_git::tree_diff::tree_diff;
use lane_git::{RawCommit, Read, Repository, find_in_tree, merged_file};

/// A file that is larger is merged with all others, in bytes.
const LARGEST: usize = 1 << 20;

/// Leaves out what git merges by itself: no one of the merge's parents has that, and yet it is nothing of its own.
///
/// The files are merged one by one; only where that gives another one are the trees, which takes far longer.
pub(super) fn leave_out_merged(repo: &dyn Repository, commit: &mut Commit) {
    // Where that cannot be found out, all of it counts.
    if let Ok(raw) = repo.commit(commit.oid)
        && let [ours, theirs] = raw.parents[..]
    {
        if let Ok(left) = not_merged_alone(repo, &raw, (ours, theirs), &commit.files) {
            commit.files = left;
        }
        if !commit.files.is_empty()
            && let Ok(own) = not_merged_together(repo, &raw, (ours, theirs))
        {
            commit.files.retain(|file| own.contains(&file.path));
        }
    }
}

/// The files that are not as a merge of each by itself gives them.
fn not_merged_alone(
    repo: &dyn Repository,
    merge: &RawCommit,
    (ours, theirs): (Oid, Oid),
    files: &[FileChange],
) -> Read<Vec<FileChange>> {
    let [base] = repo.merge_bases(ours, theirs)?[..] else {
        return Ok(files.to_vec()); // a base would have to be merged first
    };
    let mut trees = Vec::new();
    for commit in [base, ours, theirs] {
        trees.push(repo.commit(commit)?.tree);
    }
    trees.push(merge.tree);
    let mut left = Vec::new();
    for file in files {
        let mut versions = Vec::new();
        for tree in &trees {
            versions.extend(find_in_tree(repo, *tree, &file.path.0)?);
        }
        if !is_merged(repo, &versions)? {
            left.push(file.clone());
        }
    }
    Ok(left)
}

/// Whether the last of four versions is what a merge of the others gives: base, ours, theirs.
fn is_merged(repo: &dyn Repository, versions: &[FileVersion]) -> Read<bool> {
    let [base, ours, theirs, merged] = versions else {
        return Ok(false); // it may have been renamed
    };
    if !is_regular(merged.mode) || [base, ours, theirs].iter().any(|version| version.mode != merged.mode) {
        return Ok(false);
    }
    let mut texts = Vec::new();
    for version in [base, ours, theirs] {
        let Some(text) = repo.blob_up_to(version.oid, LARGEST)? else { return Ok(false) };
        texts.push(text);
    }
    let Some(text) = merged_file(&texts[0], &texts[1], &texts[2]) else { return Ok(false) };
    Ok(repo.blob_id(&text)? == merged.oid)
}

/// The paths that are not as git merges the trees.
fn not_merged_together(
    repo: &dyn Repository,
    merge: &RawCommit,
    (ours, theirs): (Oid, Oid),
) -> Read<HashSet<RepoPath>> {
    let (merged, open) = repo.merged(ours, theirs)?;
    let differ = tree_diff(repo, Some(merged), Some(merge.tree))?;
    Ok(differ.into_iter().map(|file| file.path).chain(open).collect())
}

#[cfg(test)]
mod tests {
    use super::super::files_of;
    use super::super::tests::git;
    use super::*;
    use lane_core::facts::{Fact, Message};
    use lane_git::Git2Repository;

    const BASE: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

    /// The files that a merge of two edits of `f` brings in: `merged` is what it has there, `None` as git merges it.
    fn own(more: &str, ours: &str, theirs: &str, merged: Option<&str>) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        let write = |name: &str, text: &str| std::fs::write(at.join(name), text).expect("a file");
        let run = |args: &[&str]| git(at, args, b"");
        run(&["init", "-q", "-b", "main"]);
        write("f", BASE);
        write(".gitattributes", more);
        run(&["add", "-A"]);
        run(&["commit", "-q", "-m", "base"]);
        for (branch, text) in [("one", ours), ("two", theirs)] {
            run(&["switch", "-q", "-c", branch, "main"]);
            write("f", text);
            run(&["commit", "-q", "-a", "-m", branch]);
        }
        run(&["switch", "-q", "one"]);
        if let Some(merged) = merged {
            run(&["merge", "-q", "--no-edit", "-s", "ours", "two"]);
            write("f", merged);
            run(&["commit", "-q", "-a", "--amend", "--no-edit"]);
        } else {
            run(&["merge", "-q", "--no-edit", "two"]);
        }
        let repo = Git2Repository::open_at(at).expect("a repository");
        let oid = Oid::from_hex(&run(&["rev-parse", "HEAD"])).expect("an id");
        let raw = repo.commit(oid).expect("a commit");
        let files = files_of(&repo, &raw).expect("files");
        let mut commit = Commit {
            oid,
            parents: 2,
            files,
            message: Message { text: String::new() },
            is_pushed: false,
            is_published: false,
            signature: Fact::NotGathered,
            people: Fact::NotGathered,
        };
        leave_out_merged(&repo, &mut commit);
        commit.files.iter().map(|file| file.path.to_string()).collect()
    }

    #[test]
    fn what_git_merges_is_nothing_of_the_merges_own() {
        let (one, nine) = (BASE.replace('1', "one"), BASE.replace('9', "nine"));
        let both = one.replace('9', "nine");
        let none: [&str; 0] = [];
        assert_eq!(own("", &one, &nine, None), none);
        assert_eq!(own("", &one, &nine, Some(&both)), none);
        assert_eq!(own("", &one, &nine, Some(&format!("{both}10\n"))), ["f"], "more than both");
        let other = BASE.replace('1', "uno");
        assert_eq!(own("", &one, &other, Some(&both)), ["f"], "a conflict");
        let union = BASE.replace('1', "one\nuno");
        assert_eq!(own("f merge=union\n", &one, &other, Some(&union)), none, "by an attribute");
        assert_eq!(own("", &format!("\0{one}"), &nine, Some(&format!("\0{both}"))), ["f"], "no text");
    }
}
