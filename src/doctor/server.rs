//! Whether a bare repository judges what is pushed to it.

use std::path::Path;

use super::Check;
use super::hooks::{INSTALL, of_binary};
use crate::custom::{self, CustomUse};
use crate::install::block::{Block, split};
use crate::install::os::{is_executable, read};
use crate::install::places::{Places, previous_folder};
use crate::install::scripts::{binary_of, hooks_in, present};
use crate::install::server::{files, is_ours};
use lane_core::error::Error;
use lane_core::facts::Event;
use lane_core::policy::Plan;
use lane_git::Repository;

const NAME: &str = "server hooks";

/// Nothing where none are installed.
pub(super) fn examine(repo: &dyn Repository) -> Result<Vec<Check>, Error> {
    let layout = repo.layout();
    if layout.worktree.is_some() {
        return Ok(Vec::new());
    }
    let help = format!("{INSTALL} --server");
    let mut checks = Vec::new();
    for path in files(layout)? {
        let text = read(&path)?.unwrap_or_default();
        checks.push(if is_executable(&path) {
            Check::ok(NAME, format!("installed as {}", path.display()))
        } else {
            Check::problem(NAME, format!("{} is not executable", path.display()), &help)
        });
        checks.extend(binary_of(&text).map(|binary| of_binary(&binary, &help)));
    }
    let places = Places::of_server(layout);
    let config = read(&places.common.join("config"))?;
    if !split(config.as_deref(), Block::Server).is_present {
        return Ok(checks);
    }
    let values = repo.config("core.hooksPath")?;
    let scripts = present(&places.hooks)?;
    checks.push(match values.last() {
        Some(value) if !is_ours(value.as_bytes()) => Check::problem(
            NAME,
            format!("core.hooksPath is {value}, so git does not run git-lane's hooks"),
            &help,
        ),
        _ if !is_executable(&places.hooks.join(Event::PreReceive.name())) => {
            Check::problem(NAME, "the scripts are missing", &help)
        }
        _ => Check::ok(NAME, format!("installed; the scripts are in {}", places.hooks.display())),
    });
    if let Some(binary) = scripts.first().and_then(|(_, text)| binary_of(text)) {
        checks.push(of_binary(&binary, &help));
    }
    checks.extend(hidden(&previous_folder(&values, layout), &scripts, &help));
    Ok(checks)
}

/// Whether the policy's own rules are run here, where they would have to be.
pub(super) fn custom_rules(repo: &dyn Repository, plan: &Plan) -> Option<Check> {
    const NAME: &str = "custom rules";
    if repo.layout().worktree.is_some() {
        return None;
    }
    match custom::use_at(repo, plan, Event::PreReceive) {
        Ok(CustomUse::Nothing) => None,
        Ok(CustomUse::Run) => Some(Check::ok(NAME, "commands of the policy are run on this server")),
        Ok(CustomUse::LeftOut(why)) => Some(Check {
            help: Some(
                "to run them here, once you trust who may change the base: git config lane.custom true"
                    .to_owned(),
            ),
            ..Check::ok(NAME, why)
        }),
        Err(why) => Some(Check::error(NAME, &why.into())),
    }
}

/// Hooks that came later, and that ours hide.
fn hidden(folder: &Path, scripts: &[(String, Vec<u8>)], help: &str) -> Option<Check> {
    // An `update` is passed on by `pre-receive` as soon as it is there.
    let is_hidden =
        |name: &&str| *name != Event::Update.name() && !scripts.iter().any(|(script, _)| script == name);
    let names: Vec<&str> = hooks_in(folder).into_iter().filter(is_hidden).collect();
    let detail = format!("git no longer runs {} of {}", names.join(", "), folder.display());
    (!names.is_empty()).then(|| Check::warning("earlier hooks", detail, help))
}
