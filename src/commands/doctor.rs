//! `git lane doctor`

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::doctor::{self, Check, Health};
use crate::gather::{Environment, policy_source};
use lane_core::facts::Cause;
use lane_core::text::paint;
use lane_git::{GitRepo, Repository};

/// Check the installation, and show how to fix it
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Says what is wrong with an installation, and the command that mends it. Exit code 1 where
/// something is.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(_: &Args, output: &Output) -> Outcome {
    let repo = match GitRepo::open() {
        Err(why) if why.cause != Cause::NoRepository => return Err(why.into()),
        opened => opened.ok(),
    };
    let repo = repo.as_ref().map(|repo| repo as &dyn Repository);
    let loaded = match repo {
        Some(repo) => policy_source::find(repo),
        None => policy_source::from_file(None, std::path::Path::new(lane_core::policy::FILE)),
    };
    let path = std::env::var_os("PATH");
    let environment = Environment::of_process();
    let checks = doctor::examine(repo, loaded.as_ref(), &environment, path.as_deref());
    let is_ill = checks.iter().any(|check| check.state == Health::Problem);
    if output.is_json() {
        output.print_json(&checks.iter().map(as_json).collect::<Vec<_>>())?;
    } else {
        let mut text = String::new();
        for check in checks.iter().filter(|check| !output.is_quiet() || check.state != Health::Ok) {
            text.push_str(&as_text(check, output.color()));
        }
        output.page(&text)?;
    }
    Ok(u8::from(is_ill))
}

fn word(state: Health) -> &'static str {
    match state {
        Health::Ok => "ok",
        Health::Warning => "warning",
        Health::Problem => "problem",
    }
}

fn as_json(check: &Check) -> serde_json::Value {
    json!({ "name": check.name, "state": word(check.state), "detail": check.detail, "mend": check.help })
}

fn as_text(check: &Check, color: bool) -> String {
    let code = match check.state {
        Health::Ok => "32",
        Health::Warning => "1;33",
        Health::Problem => "1;31",
    };
    let padded = format!("{:7}", word(check.state));
    let state = if color { paint(code, &padded) } else { padded };
    let mut text = format!("{state}  {}: {}\n", check.name, check.detail);
    for line in check.help.iter().flat_map(|help| help.lines()) {
        text.push_str(&format!("         help: {line}\n"));
    }
    text
}
