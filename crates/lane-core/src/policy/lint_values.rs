//! Mistakes in branch names, tags and limits.

use super::diagnostic::Diagnostic;
use super::lint::at;
use super::model::{Access, Area};
use super::pattern::Pattern;
use super::plan::Plan;
use super::source::Spanned;
use crate::signature::Key;

/// All that is wrong with them.
pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    names(plan, diagnostics);
    super::lint_branches::check(plan, diagnostics);
    ref_names(plan, diagnostics);
    tags(plan, diagnostics);
    limits(plan, diagnostics);
    locks(plan, diagnostics);
    signing_keys(plan, diagnostics);
    wanted_proofs(plan, diagnostics);
}

/// They stand in headings, in shell files and on terminals, in one line each.
fn names(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for agent in &plan.policy.agents.0 {
        let texts = agent.name.iter().chain(&agent.services).chain(&agent.worktree);
        for text in texts.filter(|text| text.value.contains(char::is_control)) {
            diagnostics.push(
                Diagnostic::error(
                    at(text),
                    format!("`{}` contains a control character", text.value.escape_debug()),
                    "one line of plain text",
                )
                .help("remove the line break, tab or escape"),
            );
        }
    }
}

/// Where proofs are wanted, whoever has none could never push.
fn wanted_proofs(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    if !plan.wants_proof() {
        return;
    }
    for agent in &plan.policy.agents.0 {
        let proofs =
            agent.identity.as_ref().map_or(0, |identity| identity.github.len() + identity.signing_keys.len());
        if proofs == 0 {
            diagnostics.push(
                Diagnostic::error(
                    at(&agent.id),
                    format!("`{}` cannot be proven, but `identity.require` asks for proof", agent.id.value),
                    "no keys, no accounts",
                )
                .related(at(&plan.policy.identity.require), "proof is required here")
                .help("list its keys: `identity: { signing_keys: [\"ssh-ed25519 AAAA…\"] }`"),
            );
        }
    }
}

/// The message does not quote what stands there: it might be a private key.
fn signing_keys(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for agent in &plan.policy.agents.0 {
        for text in agent.identity.iter().flat_map(|identity| &identity.signing_keys) {
            let Err(reason) = Key::parse(&text.value) else {
                continue;
            };
            diagnostics.push(
                Diagnostic::error(
                    at(text),
                    format!("a signing key of `{}` {reason}", agent.id.value),
                    "not a usable key",
                )
                .help(
                    "write the line of its .pub file: `ssh-ed25519 AAAA…`, as `ssh-keygen -y -f PRIVATE_KEY` \
                     prints it",
                ),
            );
        }
    }
}

/// Whether git would take a name for a branch: the part of git-check-ref-format(1) that people trip over.
pub fn is_branch_name(name: &str) -> bool {
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    !name.is_empty()
        // git would take it, for a branch that lies at `refs/heads/refs/heads/…`.
        && !name.starts_with("refs/")
        && !name.contains(is_bad)
        && !name.contains("..")
        && !name.contains("@{")
        && !name.starts_with('-')
        && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
        && !name.ends_with('.')
}

fn ref_names(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let policy = &plan.policy;
    let branches = policy.agents.0.iter().filter_map(|agent| agent.branch.as_ref());
    for name in std::iter::once(&policy.base).chain(branches) {
        if !is_branch_name(&name.value) {
            diagnostics.push(
                Diagnostic::error(
                    at(name),
                    format!("`{}` is not a valid branch name", name.value),
                    "this name",
                )
                .help(match name.value.strip_prefix("refs/heads/") {
                    Some(short) => format!("write only the branch name: `{short}`"),
                    None => "git check-ref-format --branch NAME says what git takes".to_owned(),
                }),
            );
        }
    }
    for glob in &policy.branch.protected {
        if let Err(error) = Pattern::new(&glob.value) {
            diagnostics.push(
                Diagnostic::error(
                    at(glob),
                    format!("`{}`: {}", glob.value, error.reason),
                    "not a usable glob",
                )
                .help(error.help),
            );
        }
    }
}

fn tags(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for text in &plan.policy.message.tag {
        let Ok(template) = super::template::Template::new(&text.value) else {
            continue; // reported when it was compiled
        };
        let usable = template.names_agent()
            && template.others().next().is_none()
            && (template.is_bracketed() || template.as_trailer().is_some());
        if !usable {
            diagnostics.push(
                Diagnostic::error(at(text), format!("`{}` is not a valid tag", text.value), "this form")
                    .help("write `[{AGENT}]` for the subject, or a trailer: `Agent: {agent}`"),
            );
        }
    }
}

fn locks(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let locks = &plan.policy.locks;
    let (min, ttl, max) = (&locks.min_ttl, &locks.ttl, &locks.max_ttl);
    let pairs =
        [(min, "min_ttl", ttl, "ttl"), (ttl, "ttl", max, "max_ttl"), (min, "min_ttl", max, "max_ttl")];
    for (low, low_name, high, high_name) in pairs {
        // What nobody wrote gives way to what somebody did, so that only written ones can clash; the outer two
        // are told by way of the middle one where that is written too.
        let is_told = low_name == "min_ttl" && high_name == "max_ttl" && ttl.span.is_some();
        let are_written = low.span.is_some() && high.span.is_some();
        if are_written && !is_told && low.value.seconds > high.value.seconds {
            diagnostics.push(
                Diagnostic::error(
                    at(high),
                    format!("`locks.{high_name}` is shorter than `locks.{low_name}`"),
                    format!("shorter than {}", low.value),
                )
                .related(at(low), format!("`{low_name}`"))
                .help("`min_ttl` is at most `ttl`, and `ttl` at most `max_ttl`"),
            );
        }
    }
    let prefix = &locks.prefix;
    let parts: Vec<&str> = prefix.value.split('/').collect();
    let is_own = parts.len() >= 3 && !matches!(parts[1], "remotes" | "tags" | "notes" | "stash" | "replace");
    if parts[0] != "refs" || !is_own || !is_branch_name(&parts[1..].join("/")) {
        diagnostics.push(
            Diagnostic::error(
                at(prefix),
                format!("`{}` is not a valid ref prefix for locks", prefix.value),
                "here",
            )
            .help("write for example `refs/lane/locks`, or `refs/heads/lane/locks` for a host that takes only branches"),
        );
    } else if let Some(with) = clash(plan, locks.locks_prefix()) {
        diagnostics.push(
            Diagnostic::error(
                at(prefix),
                format!("`{}` is used for {with}", prefix.value),
                "not a separate prefix",
            )
            .help("write for example `refs/lane/locks`, or `refs/heads/lane/locks`"),
        );
    }
    if let Some(remote) = &locks.remote
        && (remote.value.starts_with('-') || remote.value.contains(char::is_whitespace))
    {
        diagnostics.push(
            Diagnostic::error(
                at(remote),
                format!("`{}` is not a valid remote name", remote.value),
                "this name",
            )
            .help("name one of `git remote`, such as `origin`"),
        );
    }
}

/// What else has its refs where locks are to lie, or below.
fn clash(plan: &Plan, prefix: &str) -> Option<&'static str> {
    let is_near = |other: &str| {
        other == prefix
            || other.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
            || prefix.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
    };
    if ["refs/lane/remotes", "refs/lane/kept"].into_iter().any(is_near) {
        return Some("other records of git-lane");
    }
    let policy = &plan.policy;
    let branches = policy.agents.0.iter().filter_map(|agent| agent.branch.as_ref());
    let branches = branches
        .chain(&policy.branch.protected)
        .chain([&policy.base])
        .chain(&policy.branch.pattern)
        .chain(&policy.branch.example);
    // Of a pattern, what stands before its first wildcard or placeholder.
    let fixed = |name: &str| {
        let at = name.find(['*', '?', '[', '{']);
        let folder = at.map_or(name, |at| name[..at].rsplit_once('/').map_or("", |(folder, _)| folder));
        format!("refs/heads/{folder}").trim_end_matches('/').to_owned()
    };
    let mut branches = branches.map(|name| fixed(&name.value)).filter(|name| name != "refs/heads");
    branches.any(|name| is_near(&name)).then_some("branches")
}

fn limits(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let change = &plan.policy.change;
    if let Some(max) = change.max_lines.as_ref().filter(|max| max.value == 0) {
        diagnostics.push(
            Diagnostic::error(at(max), "`max_lines: 0` allows no change", "allows no lines")
                .help("write the maximum number of lines of a change, or omit `max_lines` for no limit"),
        );
    }
    for area in &plan.policy.areas {
        area_limits(area, change.max_lines.as_ref(), diagnostics);
    }
    if let (Some(max), Some(warn)) = (&change.max_lines, &change.warn_at)
        && warn.value > max.value
    {
        diagnostics.push(
            Diagnostic::error(at(warn), "`warn_at` is above `max_lines`: it would never warn", "too high")
                .related(at(max), "the limit")
                .help("warn below the limit, or omit `warn_at`"),
        );
    }
}

/// A limit of an area that allows nothing, or has no effect.
fn area_limits(area: &Area, whole: Option<&Spanned<u64>>, diagnostics: &mut Vec<Diagnostic>) {
    let name = &area.name.value;
    let limits = [("max_lines", &area.max_lines), ("max_files", &area.max_files)];
    for (key, limit) in limits.into_iter().filter_map(|(key, limit)| Some((key, limit.as_ref()?))) {
        if limit.value == 0 {
            diagnostics.push(
                Diagnostic::error(at(limit), format!("`{key}: 0` allows no change"), "allows nothing")
                    .help(format!("write `access: maintainer`, or omit `{key}` for no limit")),
            );
        }
        if matches!(area.access.value, Access::Maintainer | Access::Never) {
            let message = format!("the area `{name}` has `{key}`, but no agent may change it");
            diagnostics.push(
                Diagnostic::error(at(limit), message, "has no effect")
                    .related(at(&area.access), "this decides")
                    .help(format!("remove `{key}`: limits bind agents")),
            );
        }
    }
    if let (Some(max), Some(whole)) = (&area.max_lines, whole)
        && max.value > whole.value
    {
        let message = format!("`max_lines` of the area `{name}` is above that of the whole change");
        diagnostics.push(
            Diagnostic::error(at(max), message, "has no effect")
                .related(at(whole), "the limit of the whole change")
                .help("write a lower number, or omit it"),
        );
    }
}
