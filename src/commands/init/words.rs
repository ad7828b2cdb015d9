//! What was done, what to do next, and how to take it back.

use std::fmt::Write as _;

use super::carry_out::Done;
use super::draft::Draft;
use super::found::FoundThings;
use crate::commands::policy::counted;
use crate::init::sanitize_name;
use lane_core::policy::{FILE, Plan};

/// All of it. `landing`: the commands that bring it onto the base. `was_tried`: whoever reads this has seen the policy and
/// what it would have refused.
pub(super) fn summary(
    draft: &Draft,
    plan: &Plan,
    done: &Done,
    found: &FoundThings,
    landing: &[String],
    was_tried: bool,
) -> String {
    let agents = &plan.policy.agents.0;
    let services: usize = agents.iter().map(|agent| agent.services.len()).sum();
    let paths: usize = agents.iter().map(|agent| agent.owns.len()).sum();
    let mut counts = vec![counted(agents.len(), "agent")];
    for (count, what) in [(services, "service"), (paths, "path")] {
        if count > 0 {
            counts.push(counted(count, what));
        }
    }
    counts.push(counted(plan.policy.areas.len(), "area"));
    let mut out = format!("wrote {FILE}: {}\n", counts.join(", "));
    if !was_tried {
        out.push_str(&draft.lines);
        for note in &draft.notes {
            let _ = writeln!(out, "note: {note}");
        }
    }
    if let Some(path) = done.job {
        let _ = writeln!(out, "wrote {path}");
    }
    if let Some(hooks) = &done.hooks {
        let _ = writeln!(out, "{}", hooks.to_string().trim_end());
    }
    for change in &done.harnesses {
        let _ = writeln!(out, "{change}");
    }
    next(&mut out, draft, plan, done, found, landing, was_tried);
    if was_tried || done.hooks.is_some() || !done.harnesses.is_empty() {
        take_back(&mut out, done, found);
    }
    out
}

fn next(
    out: &mut String,
    draft: &Draft,
    plan: &Plan,
    done: &Done,
    found: &FoundThings,
    landing: &[String],
    was_tried: bool,
) {
    let git = &found.git;
    let base = sanitize_name(&plan.policy.base.value);
    let _ = writeln!(out, "next: review and edit it, then, on {base}:");
    if !was_tried {
        let _ = writeln!(out, "  {git} lane policy check\n  {git} lane policy test");
        if found.has_history {
            let _ = writeln!(out, "  {git} lane policy try");
        }
    }
    for step in landing {
        let _ = writeln!(out, "  {step}");
    }
    if !draft.is_of_worktrees {
        let _ = writeln!(out, "then create a worktree for each agent:\n  {git} lane setup");
    } else if done.hooks.is_none() {
        let _ = writeln!(out, "then install hooks in the worktrees:\n  {git} lane install --all");
    }
    for step in &done.left {
        let _ = writeln!(out, "then, {step}");
    }
    if plan.observes() {
        let _ = writeln!(
            out,
            "nothing is refused yet: `git lane report` says what would have been; then write `mode: enforce`"
        );
    }
}

fn take_back(out: &mut String, done: &Done, found: &FoundThings) {
    let files = [Some(FILE), done.job].into_iter().flatten().collect::<Vec<_>>().join(" and ");
    let _ = match done.hooks.is_some() || !done.harnesses.is_empty() {
        true => writeln!(
            out,
            "to take it back before it is committed, delete {files}, and:\n  {} lane uninstall --all",
            found.git
        ),
        false => writeln!(out, "to take it back before it is committed, delete {files}"),
    };
}
