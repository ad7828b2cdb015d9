//! A proposal as the text of a `policy.yaml`, in which each thing says where it was read.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::areas::folder_pattern;
use super::names::{quoted, sanitize_name};
use super::{Folder, Lane, Proposal, size_of};
use lane_core::policy::pattern::escape;
use lane_core::policy::schema;

/// How wide a line of a list may become.
const WIDTH: usize = 100;
/// How many folders a comment lists.
const LISTED: usize = 12;

impl Proposal {
    /// The text of the policy.
    pub fn policy_text(&self) -> String {
        let mut out = schema::modeline();
        out.push_str(
            "# Who may change what in this repository. `git lane policy check` finds mistakes in this file,\n\
             # `git lane who PATH` shows who may change a path. Written by `git lane init`: edit it as needed.\n",
        );
        for note in &self.notes {
            let _ = writeln!(out, "# note: {note}");
        }
        let _ = write!(
            out,
            "version: 1\nbase: {}\nremote: {}\n\
             maintainers: []                   # empty: everyone without an agent identity is one\n\
             unidentified: maintainer          # or: deny\n",
            quoted(&self.base),
            quoted(&self.remote)
        );
        self.write_services(&mut out);
        out.push_str("\nagents:\n");
        for (at, lane) in self.lanes.iter().enumerate() {
            self.write_lane(&mut out, lane, at);
        }
        for agent in &self.without {
            let _ = writeln!(
                out,
                "  # {} ({}): no folders left for it",
                sanitize_name(&agent.id),
                sanitize_name(&agent.worktree)
            );
        }
        self.write_areas(&mut out);
        self.write_defaults(&mut out);
        if !self.harnesses.is_empty() {
            let harnesses = self.harnesses.join(", ");
            let _ = writeln!(
                out,
                "harness: [{harnesses}]   # `git lane setup` writes their hooks: docs/agents.md"
            );
        }
        self.write_tests(&mut out);
        out
    }

    fn write_services(&self, out: &mut String) {
        let Some(root) = &self.service_root else { return };
        let folders = self.lanes.iter().flat_map(|lane| &lane.folders);
        let folders = folders.filter(|folder| self.service(folder).is_some());
        let sources: BTreeSet<&str> = folders.map(|folder| folder.source.as_str()).collect();
        let sources = sources.into_iter().collect::<Vec<_>>().join("; ");
        let paths = quoted(&format!("{}/{{service}}/**", escape(root)));
        let _ = write!(out, "\nservices:\n  paths: {paths}  # where a service lives ({sources})\n");
    }

    /// The folders that no lane has, and what is the same in every proposal.
    fn write_defaults(&self, out: &mut String) {
        let open: Vec<String> =
            self.open.iter().take(LISTED).map(|folder| format!("{}/", sanitize_name(folder))).collect();
        let more = self.open.len() - open.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let open =
            if open.is_empty() { String::new() } else { format!("\n# such as: {}{more}", open.join(", ")) };
        defaults(out, &self.base, &open);
    }

    /// The service that a folder is.
    pub fn service<'f>(&self, folder: &'f Folder) -> Option<&'f str> {
        let root = self.service_root.as_deref()?;
        folder.path.strip_prefix(root)?.strip_prefix('/').filter(|name| !name.contains('/'))
    }

    fn write_lane(&self, out: &mut String, lane: &Lane, at: usize) {
        let agent = &lane.agent;
        let size = lane.size();
        let _ = writeln!(out, "{:<33} # {size}", format!("  {}:", quoted(&agent.id)));
        let services: Vec<&str> = lane.folders.iter().filter_map(|folder| self.service(folder)).collect();
        if !services.is_empty() {
            write_list(out, "services", &services.iter().map(|name| quoted(name)).collect::<Vec<_>>());
        }
        let rest: Vec<&Folder> =
            lane.folders.iter().filter(|folder| self.service(folder).is_none()).collect();
        if rest.is_empty() {
            out.push_str("    owns: []                      # further paths of this lane\n");
        } else {
            out.push_str("    owns:\n");
        }
        for folder in rest {
            let pattern = if folder.path.is_empty() { "*".to_owned() } else { folder_pattern(&folder.path) };
            let many = if folder.count > 1 { format!(", {} folders", folder.count) } else { String::new() };
            let owners =
                folder.owners.as_deref().map(|owners| format!("; {} in CODEOWNERS", sanitize_name(owners)));
            let (pattern, size) =
                (format!("- {}", quoted(&pattern)), size_of(folder.files, folder.uncounted));
            let _ = writeln!(
                out,
                "      {pattern:<27} # {size}: {}{many}{}",
                folder.source,
                owners.unwrap_or_default()
            );
        }
        let branch = agent.branch.clone().unwrap_or_else(|| format!("feat/{}/main", agent.id));
        let _ = write!(
            out,
            "    worktree: {}\n    branch: {}\n    database: {{ schema: {} }}\n",
            quoted(&agent.worktree),
            quoted(&branch),
            quoted(&agent.schema)
        );
        if let Ok(at) = u16::try_from(at)
            && let Some(first) = at.checked_mul(100).and_then(|offset| offset.checked_add(8080))
        {
            let _ = writeln!(out, "    ports: {first}-{}", first + 19);
        }
    }

    fn write_areas(&self, out: &mut String) {
        out.push_str("\n# As in CODEOWNERS, the LAST area that matches a path decides; every lane comes before the first.\nareas:\n");
        for area in &self.areas {
            let owner = match (area.access, self.lanes.get(self.migrations)) {
                ("owner", Some(lane)) => format!(", owner: {}", quoted(&lane.agent.id)),
                _ => String::new(),
            };
            let paths: Vec<String> = area.paths.iter().map(|path| quoted(path)).collect();
            let _ = writeln!(out, "  # {}", area.about);
            let line = format!(
                "  - {{ name: {}, paths: [{}], access: {}{owner} }}",
                area.name,
                paths.join(", "),
                area.access
            );
            if line.len() <= WIDTH + 20 {
                let _ = writeln!(out, "{line}");
                continue;
            }
            let _ = writeln!(out, "  - name: {}", area.name);
            write_list(out, "paths", &paths);
            let owner = owner.strip_prefix(", ").map(|owner| format!("    {owner}\n")).unwrap_or_default();
            let _ = write!(out, "    access: {}\n{owner}", area.access);
        }
    }

    fn write_tests(&self, out: &mut String) {
        out.push_str("\n# Proven by `git lane policy test`.\ntests:\n");
        if let Some((lane, path)) = self.lanes.iter().find_map(|lane| Some((lane, lane.example.as_ref()?))) {
            let _ = writeln!(out, "  - {}", quoted(&format!("{} may change {path}", lane.agent.id)));
            if let Some(other) = self.lanes.iter().find(|other| other.agent.id != lane.agent.id) {
                let _ = writeln!(out, "  - {}", quoted(&format!("{} may not change {path}", other.agent.id)));
            }
        }
        if let Some(lane) = self.lanes.first() {
            let _ = writeln!(out, "  - {}", quoted(&format!("{} may not change policy.yaml", lane.agent.id)));
        }
    }
}

/// What is the same in every policy. `open`: a comment on what is unowned.
pub(super) fn defaults(out: &mut String, base: &str, open: &str) {
    let _ = write!(
        out,
        "unowned: allow                    # paths in no lane and no area: allow | warn | deny{open}\n\n\
             branch:  {{ pattern: \"feat/{{agent}}/{{feature}}\", protected: [{}, \"release/*\"] }}\n\
             message: {{ tag: [\"[{{AGENT}}]\", \"Agent: {{agent}}\"], types: [] }}   # any one form satisfies\n\
             change:  {{ max_lines: 300, warn_at: 240, exclude: [\"*.lock\", package-lock.json, pnpm-lock.yaml, go.sum] }}\n\
             history: {{ merges: deny, max_age: 3h }}\n\
             locks:   {{ ttl: 2h }}\n\
             metrics: {{ velocity: 1..2, conflicts: 2/week, build: 5m, coverage: 80%, integration: 95% }}   # goals of `git lane report`\n\n\
             rules: {{ stale-base: warn }}       # error | warn | off, by rule; `git lane rule` lists them\n",
        quoted(base)
    );
}

/// A list on as many lines as it takes.
pub(super) fn write_list(out: &mut String, key: &str, items: &[String]) {
    let mut line = format!("    {key}: [");
    for (at, item) in items.iter().enumerate() {
        let end = if at + 1 == items.len() { "]" } else { "," };
        if line.len() + item.len() > WIDTH && !line.ends_with('[') && !line.trim().is_empty() {
            let _ = writeln!(out, "{}", line.trim_end());
            line = " ".repeat(6);
        }
        let _ = write!(line, "{item}{end} ");
    }
    let _ = writeln!(out, "{}", line.trim_end());
}
