//! `git lane policy codeowners`

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;

use super::{counted, named};
use crate::cli::Outcome;
use crate::cli::output::{Output, print_error, warn};
use crate::gather::{codeowners, inventory};
use lane_core::codeowners::{HEADER, Host, Parting, partings, write};
use lane_core::error::Error;
use lane_core::policy::{Inventory, Plan};
use lane_git::{GitRepo, Repository};

/// How many kinds of paths are listed where CODEOWNERS says otherwise.
const SHOWN: usize = 8;

/// What to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy: a file, or REV:PATH [default: this worktree's policy.yaml]
    pub policy: Option<String>,
    /// Who is to read it [default: as PATH and the address of origin show]
    #[arg(long, value_enum)]
    pub host: Option<HostName>,
    /// Write this file instead of printing it
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    pub write: Option<PathBuf>,
}

/// Whose CODEOWNERS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HostName {
    /// As GitHub reads it
    Github,
    /// As GitLab reads it
    Gitlab,
}

impl From<HostName> for Host {
    fn from(name: HostName) -> Self {
        match name {
            HostName::Github => Self::GitHub,
            HostName::Gitlab => Self::GitLab,
        }
    }
}

/// Writes CODEOWNERS from a policy.
///
/// # Errors
/// The policy or the files cannot be read, or somebody else wrote the file that is there.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let repo = GitRepo::open()?;
    let loaded = named(&repo, args.policy.as_deref())?;
    let host = match args.host {
        Some(host) => host.into(),
        None => {
            let place = args.write.as_ref().map(|path| path.display().to_string().replace('\\', "/"));
            Host::of(&place.unwrap_or_default(), "", codeowners::remote(&repo)?.as_deref())
        }
    };
    let files = inventory(&repo, loaded.base.as_ref())?.files;
    let written = write(&loaded.plan, host, &files);
    if let Some(path) = &args.write {
        put(path, &written.text)?;
    }
    if output.is_json() {
        let file = args.write.as_ref().map(|path| path.display().to_string());
        output.print_json(&json!({
            "host": host.name(), "file": file, "text": written.text, "warnings": written.warnings,
        }))?;
        return Ok(0);
    }
    for warning in &written.warnings {
        print_error(&format!("warning: {warning}\n"));
    }
    match &args.write {
        None => output.print(&written.text)?,
        Some(path) if !output.is_quiet() => {
            let lines =
                written.text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
            output.print(&format!(
                "wrote {} for {}: {}\n",
                path.display(),
                host.name(),
                counted(lines, "line")
            ))?;
        }
        Some(_) => {}
    }
    Ok(0)
}

/// Writes the file, never over one that somebody wrote by hand.
fn put(path: &Path, text: &str) -> Result<(), Error> {
    let cannot = |error: std::io::Error| {
        Error::write(
            format!("{} cannot be written: {error}", path.display()),
            "check the permissions of the folder",
        )
    };
    match path.symlink_metadata() {
        Ok(data) if !data.is_file() => {
            return Err(Error::usage(format!("{} is not a plain file", path.display()), "name another file"));
        }
        Ok(_) => {
            let there = std::fs::read(path).map_err(cannot)?;
            if !there.is_empty() && !there.starts_with(HEADER.as_bytes()) {
                return Err(Error::usage(
                    format!("{} exists, and git-lane did not write it", path.display()),
                    "move it away first; or name another file, and compare the two",
                ));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(cannot(error)),
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let beside = path.with_extension("lane-new");
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path)).map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        cannot(error)
    })
}

/// Where a policy that says who its agents are on the host, and the CODEOWNERS file of the working tree, give paths to different owners;
/// with the file's place.
///
/// # Errors
/// The file cannot be read.
pub(super) fn held_against(
    repo: &GitRepo,
    plan: &Plan,
    inventory: &Inventory,
) -> Result<Option<(String, Vec<Parting>)>, Error> {
    if plan.policy.agents.0.iter().all(|agent| agent.owner.is_empty()) || repo.layout().worktree.is_none() {
        return Ok(None);
    }
    let Some(found) = codeowners::find(repo, None)? else { return Ok(None) };
    let mut files = inventory.files.clone();
    files.sort();
    files.dedup();
    let partings = partings(plan, &found.read, &files);
    Ok((!partings.is_empty()).then_some((found.place, partings)))
}

/// Says it.
pub(super) fn warn_of(place: &str, partings: &[Parting]) {
    let total: usize = partings.iter().map(|parting| parting.count).sum();
    let mut text = format!("{place} and the policy give {} to different owners", counted(total, "file"));
    for parting in partings.iter().take(SHOWN) {
        let more = parting.count - parting.first.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.push_str(&format!(
            "\n    {}{more}: {} in the policy, {} in {place}",
            parting.first.join(", "),
            owners(&parting.policy),
            owners(&parting.codeowners)
        ));
    }
    if partings.len() > SHOWN {
        text.push_str(&format!("\n    and {} others", partings.len() - SHOWN));
    }
    warn(&text, "see what the policy says: git lane policy codeowners");
}

fn owners(owners: &[String]) -> String {
    if owners.is_empty() { "nobody".to_owned() } else { owners.join(" ") }
}

/// For programs.
pub(super) fn as_json(held: Option<&(String, Vec<Parting>)>) -> serde_json::Value {
    let Some((place, partings)) = held else { return serde_json::Value::Null };
    let partings = partings.iter().map(|parting| {
        json!({
            "policy": parting.policy, "codeowners": parting.codeowners,
            "files": parting.count, "first": parting.first,
        })
    });
    json!({ "file": place, "differences": partings.collect::<Vec<_>>() })
}
