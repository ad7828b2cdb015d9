//! History: git-rev-parse(1), git-rev-list(1), git-merge-base(1), git-merge-tree(1).

use super::process::{Git, command_error, run};
use crate::repository::Read;
use lane_core::facts::{Oid, RepoPath, Unavailable};

/// Object ids, one a line.
pub(super) fn oids(text: &str) -> Read<Vec<Oid>> {
    let oid =
        |line: &str| Oid::from_hex(line).ok_or_else(|| command_error("git's answer", &format!("`{line}`")));
    text.lines().map(oid).collect()
}

/// The commit that an expression names.
pub(super) fn resolve(git: &Git, expression: &str) -> Read<Oid> {
    let peeled = format!("{expression}^{{commit}}");
    let unknown = |said: &str| {
        Unavailable::new(
            format!("`{expression}` is not a commit here: {said}"),
            format!("check it with `git rev-parse --verify '{peeled}'`; it may have to be fetched first"),
        )
    };
    if expression.starts_with('-') {
        return Err(unknown("it looks like an option"));
    }
    let ran = git.run(&["rev-parse", "--verify", &peeled])?;
    match (ran.code, Oid::from_hex(ran.text().trim())) {
        (Some(0), Some(oid)) => Ok(oid),
        _ => Err(unknown(&ran.error_text())),
    }
}

/// The best common ancestors of `base` and a merge of `tips`: all of them, or one.
pub(super) fn merge_bases(git: &Git, all: bool, base: Oid, tips: &[Oid]) -> Read<Vec<Oid>> {
    let mut command = git.command(&["merge-base"]);
    if all {
        command.arg("--all");
    }
    command.arg(base.to_string()).args(tips.iter().map(Oid::to_string));
    let ran = run(command, b"")?;
    if ran.code == Some(1) && ran.stdout.is_empty() && ran.stderr.is_empty() {
        return Ok(Vec::new());
    }
    oids(&String::from_utf8_lossy(&ran.ok("the merge base")?))
}

/// The commits that `include` reach and `exclude` do not, parents before children.
pub(super) fn commits(git: &Git, include: &[Oid], exclude: &[Oid]) -> Read<Vec<Oid>> {
    if include.is_empty() {
        return Ok(Vec::new());
    }
    let mut lines: String = include.iter().map(|oid| format!("{oid}\n")).collect();
    exclude.iter().for_each(|oid| lines.push_str(&format!("^{oid}\n")));
    let command = git.command(&["rev-list", "--topo-order", "--reverse", "--stdin"]);
    let out = run(command, lines.as_bytes())?.ok("the history of the change")?;
    oids(&String::from_utf8_lossy(&out))
}

/// The tree that a merge has, and the paths in conflict. `<tree> NUL [<path> NUL]…`: git-merge-tree(1), OUTPUT.
pub(super) fn merged(git: &Git, ours: Oid, theirs: Oid) -> Read<(Oid, Vec<RepoPath>)> {
    let (ours, theirs) = (ours.to_string(), theirs.to_string());
    let ran =
        git.run(&["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", &ours, &theirs])?;
    if ran.stderr.contains("usage:") {
        return Err(Unavailable::new("this git has no `merge-tree --write-tree`", "use git 2.39 or newer"));
    }
    let mut words = ran.stdout.split(|byte| *byte == 0);
    let tree = words.next().and_then(|hex| Oid::from_hex(std::str::from_utf8(hex).ok()?));
    let (Some(0 | 1), Some(tree)) = (ran.code, tree) else {
        return Err(command_error("the result of a merge", &ran.stderr));
    };
    let mut open: Vec<RepoPath> =
        words.filter(|path| !path.is_empty()).map(|path| RepoPath(path.to_vec())).collect();
    open.sort();
    open.dedup();
    Ok((tree, open))
}
