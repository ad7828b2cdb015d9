//! `git lane init`

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use super::Outcome;
use super::args::Init;
use super::output::Output;
use crate::error::Error;
use crate::gather::{Opened, Repository, survey};
use crate::init;
use crate::policy::{self, FILE, Source};

/// Writes a first `policy.yaml`; never over one that is there.
///
/// # Errors
/// There is one already, or it cannot be written.
pub fn run(args: &Init, output: &Output) -> Outcome {
    let repo = Opened::open()?;
    let Some(root) = repo.layout().worktree.clone() else {
        return Err(Error::usage(
            "a bare repository has no place for a policy.yaml",
            "run this in a worktree of it",
        ));
    };
    let text = init::policy_text(&survey(&repo)?, args.agents);
    let source = Source { name: FILE.to_owned(), text: text.clone() };
    let plan = policy::load(source, false)?;
    if args.stdout {
        output.print(&text)?;
        return Ok(0);
    }
    write_new(&root.join(FILE), &text)?;
    if !output.is_quiet() {
        let policy = &plan.policy;
        let services: usize = policy.agents.0.iter().map(|agent| agent.services.len()).sum();
        let base = &policy.base.value;
        output.print(&format!(
            "wrote {FILE}: {} agents, {services} services, {} areas\n\
             next: read it and make it yours, then\n  \
             git lane policy check && git lane policy test\n  \
             git add {FILE} && git commit -m 'chore: a policy for our agents' && git push   # on {base}\n  \
             git lane install --all   # hooks into the worktrees\n",
            policy.agents.0.len(),
            policy.areas.len()
        ))?;
        if services == 0 {
            output.print("no services were found: only folders that are committed are looked at\n")?;
        }
    }
    Ok(0)
}

fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let mut file = File::create_new(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            Error::usage(
                format!("{} is there already", path.display()),
                "edit it, or look at a fresh one: git lane init --stdout",
            )
        } else {
            Error::write(
                format!("{} cannot be written: {error}", path.display()),
                "look at the folder's permissions",
            )
        }
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        // The file is ours, made a moment ago; half of it helps nobody.
        let _ = std::fs::remove_file(path);
        Error::write(format!("{} cannot be written: {error}", path.display()), "make room on the disk")
    })
}
