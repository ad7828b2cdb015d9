//! A branch on top of its base: what it lands as.

use std::fs;
use std::time::Duration;

use super::tree::{Workspace, cannot_write};
use crate::ops::Session;
use crate::stack;
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_core::landings::record::{LandingEnd, Reason};
use lane_core::landings::squash;
use lane_git::command::{command, run};
use lane_git::{Repository, config_bool};

/// How long git may take to write a commit, which may have to be signed.
const LIMIT: Duration = Duration::from_secs(120);

/// The commits of a branch on top of a base, or all of them as one; its tip. A branch on top of the base stays as it is.
///
/// # Errors
/// git cannot do it, for reasons that are not the branch's.
pub fn onto(
    session: &Session,
    workspace: &Workspace,
    base: Oid,
    head: Oid,
    squash: bool,
) -> Result<Result<Oid, LandingEnd>, Error> {
    let repo = &session.repo;
    if repo.layout().common_dir.join("shallow").exists() {
        let reason = "this clone is shallow: what a branch is based on may be missing";
        return Err(Unavailable::new(reason, "fetch all of it: git fetch --unshallow").into());
    }
    let landed = stack::landed(repo, base, head)?;
    let Some(fork) = repo.merge_base(base, &[head])? else {
        return Ok(Err(refused("it shares no history with the base", "rebase it: git lane sync")));
    };
    let upstream = landed.unwrap_or(fork);
    let own = repo.commits(&[head], &[base, upstream])?;
    if squash && own.len() > 1 {
        return squashed(session, workspace, base, head, &own);
    }
    if fork == base && landed.is_none() {
        return Ok(Ok(head));
    }
    for oid in &own {
        if repo.commit(*oid)?.parents.len() > 1 {
            let reason = format!("it has a merge, {}, which a rebase would leave out", oid.short());
            return Ok(Err(refused(
                &reason,
                "rebase it yourself, and look at what comes of it: git lane sync",
            )));
        }
    }
    workspace.check_out(head)?;
    let ran = workspace.rebase(base, upstream)?;
    if ran.ok {
        return Ok(Ok(lane_git::GitRepo::open_at(&workspace.tree())?.resolve("HEAD")?));
    }
    let conflicts = workspace.conflicts();
    if conflicts.is_empty() {
        let reason = format!("it could not be rebased on the base: {}", ran.error_text());
        return Err(Unavailable::new(reason, "see if it can be done by hand: git lane sync").into());
    }
    Ok(Err(conflict(&conflicts)))
}

fn conflict(paths: &[String]) -> LandingEnd {
    let reason = match paths {
        [one] => format!("it conflicts with the base in {one}"),
        many => format!("it conflicts with the base in {} files", many.len()),
    };
    let listed = if paths.len() > 1 { paths.join("\n") } else { String::new() };
    let help = "rebase it and resolve that: git lane sync\nthen push: git lane push --force-with-lease";
    LandingEnd::Refused(Reason::new(reason, help).output(listed))
}

/// One commit for all: what a merge of the branch makes of the base.
fn squashed(
    session: &Session,
    workspace: &Workspace,
    base: Oid,
    head: Oid,
    own: &[Oid],
) -> Result<Result<Oid, LandingEnd>, Error> {
    let repo = &session.repo;
    let tree = match workspace.merge(base, head)? {
        Ok(tree) => tree,
        Err(paths) => return Ok(Err(conflict(&paths))),
    };
    if tree == repo.commit(base)?.tree {
        return Ok(Ok(base));
    }
    let mut messages = Vec::new();
    for oid in own {
        let commit = repo.commit(*oid)?;
        if commit.parents.len() < 2 {
            messages.push((*oid, commit.message));
        }
    }
    let people: Vec<Person> =
        messages.iter().map(|(oid, _)| Person::of(session, *oid)).collect::<Result<_, _>>()?;
    let Some(first) = people.first() else {
        return Ok(Err(refused("it has nothing but merges", "rebase it: git lane sync")));
    };
    let texts: Vec<&str> = messages.iter().map(|(_, text)| text.as_str()).collect();
    let mut authors: Vec<String> = Vec::new();
    for author in people.iter().map(|person| format!("{} <{}>", person.name, person.email)) {
        if !authors.contains(&author) {
            authors.push(author);
        }
    }
    let file = workspace.folder().join("message");
    fs::write(&file, squash::message(&texts, &authors)).map_err(|error| cannot_write(&file, &error))?;
    let mut git = command(&repo.layout().common_dir);
    git.arg("commit-tree");
    if config_bool(repo, "commit.gpgSign")? {
        git.arg("-S");
    }
    git.arg(tree.to_string()).args(["-p", &base.to_string(), "-F"]).arg(&file);
    git.env("GIT_AUTHOR_NAME", &first.name).env("GIT_AUTHOR_EMAIL", &first.email);
    git.env("GIT_AUTHOR_DATE", &first.date);
    let ran = run(git, None, LIMIT)?;
    match Oid::from_hex(ran.stdout.trim()).filter(|_| ran.ok) {
        Some(oid) => Ok(Ok(oid)),
        None => {
            let reason = format!("the commit could not be written: {}", ran.error_text());
            Err(Unavailable::new(
                reason,
                "set who commits:\ngit config user.name NAME\ngit config user.email ADDRESS",
            )
            .into())
        }
    }
}

/// The author of a commit.
struct Person {
    name: String,
    email: String,
    date: String,
}

impl Person {
    fn of(session: &Session, oid: Oid) -> Result<Self, Error> {
        let mut git = command(&session.repo.layout().common_dir);
        git.args([
            "log",
            "-1",
            "--no-show-signature",
            "--format=%an%n%ae%n%ad",
            "--date=raw",
            &oid.to_string(),
        ]);
        let ran = run(git, None, LIMIT)?;
        let mut lines = ran.stdout.lines().map(str::to_owned);
        match (lines.next(), lines.next(), lines.next()) {
            (Some(name), Some(email), Some(date)) if ran.ok => Ok(Self { name, email, date }),
            _ => {
                let reason = format!("who wrote {} cannot be read: {}", oid.short(), ran.error_text());
                Err(Unavailable::new(reason, "check the repository: git fsck").into())
            }
        }
    }
}

fn refused(reason: &str, help: &str) -> LandingEnd {
    LandingEnd::Refused(Reason::new(reason, help))
}
