//! How commands open the repository.

use std::path::Path;

use super::output::{Output, print_error};
use crate::install::in_force;
use crate::ops::Session;
use lane_core::error::Error;
use lane_git::Repository;

/// The repository around the current folder; `policy` instead of the one in force.
///
/// # Errors
/// No repository, no policy, or one with mistakes.
pub fn open(output: &Output, policy: Option<&Path>) -> Result<Session, Error> {
    Session::open(*output, policy)
}

/// The same for commands that agents and people work with: they are told where git does not run the hooks.
///
/// # Errors
/// As [`open`].
pub fn open_to_work(output: &Output, policy: Option<&Path>) -> Result<Session, Error> {
    let repo = Session::repository()?;
    // What cannot be read is for the command itself to say.
    if !output.is_quiet()
        && let Ok(found) = in_force::survey(repo.layout())
    {
        print_error(&in_force::warnings(repo.layout(), &found, true));
    }
    Session::open_in(repo, *output, policy)
}
