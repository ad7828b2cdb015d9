//! Who makes the commit that is being made.

use lane_core::facts::{People, Person, Unavailable};
use lane_git::command::{cannot_start, command, in_worktree};
use lane_git::{Read, Repository};

use super::environment::Environment;

/// Author and committer as git will write them: `git commit` tells its hooks the author, which an amended commit keeps.
///
/// # Errors
/// git itself cannot tell.
pub(super) fn of_commit_in_progress(repo: &dyn Repository, environment: &Environment) -> Read<People> {
    let author = match &environment.author {
        Some((name, email)) => Person { name: name.clone(), email: email.clone() },
        None => ident(repo, "GIT_AUTHOR_IDENT", "author")?,
    };
    Ok(People { author, committer: ident(repo, "GIT_COMMITTER_IDENT", "committer")? })
}

/// What git-var(1) says of one of the two.
fn ident(repo: &dyn Repository, variable: &str, role: &str) -> Read<Person> {
    let layout = repo.layout();
    let mut git = match &layout.worktree {
        Some(root) => in_worktree(root),
        None => command(&layout.common_dir),
    };
    let output = git.args(["var", variable]).output().map_err(|error| cannot_start(&error))?;
    let person = output.status.success().then(|| Person::of_ident(&output.stdout)).flatten();
    person.ok_or_else(|| {
        Unavailable::new(
            format!("the {role} of the commit could not be determined"),
            "tell git who you are: git config user.email ADDRESS",
        )
    })
}
