//! Findings about lines and forms of files, which more than one rule has.

use super::context::{Context, Draft, Findings, TouchedPath};
use crate::facts::{CommitForm, Event, Form, Found, NewHit, Unavailable};
use crate::policy::Span;

/// How many lines are named in one finding.
const NAMED: usize = 5;

/// What a rule says of a find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HitDraft {
    /// What it is: `a GitHub token`.
    pub what: String,
    /// What is to be done about the line, as a command: `take it out`.
    pub fix: String,
    /// The words of the policy that decided.
    pub span: Option<Span>,
}

impl HitDraft {
    /// Of a rule without words but its level.
    pub fn of(what: &str, fix: &str, span: Option<Span>) -> Self {
        Self { what: what.to_owned(), fix: fix.to_owned(), span }
    }
}

impl Context<'_> {
    /// Where the policy gives a rule its level.
    pub fn level_span(&self, rule: &str) -> Option<Span> {
        self.plan.policy.rules.0.get(rule).and_then(|level| level.span)
    }

    /// Adds one finding for each file, and each commit that alone has it, and each thing that a rule calls by one name.
    /// `in_history`: what a later commit took out is found too.
    ///
    /// # Errors
    /// What stands in the files is not known.
    pub fn hit_findings(
        &self,
        findings: &mut Findings,
        in_history: bool,
        of: impl Fn(&Found, &str) -> Option<HitDraft>,
    ) -> Result<(), Unavailable> {
        self.check_read()?;
        let hits = &self.change.content.get()?.hits;
        let wanted = |hit: &&NewHit| hit.in_whole || in_history;
        let mut groups: Vec<(HitDraft, Vec<&NewHit>)> = Vec::new();
        for hit in hits.iter().filter(wanted) {
            let Some(draft) = of(&hit.hit.found, &hit.hit.shown) else { continue };
            let is_same = |(known, hits): &&mut (HitDraft, Vec<&NewHit>)| {
                let first = hits[0];
                *known == draft
                    && first.path == hit.path
                    && first.in_whole == hit.in_whole
                    && (hit.in_whole || first.commits == hit.commits)
            };
            match groups.iter_mut().rev().find(is_same) {
                Some((_, hits)) => hits.push(hit),
                None => groups.push((draft, vec![hit])),
            }
        }
        let touched = self.touched()?;
        for (draft, hits) in groups {
            let first = hits[0];
            let Some(touched) =
                touched.iter().find(|touched| *touched.path == first.path && !touched.is_elsewhere)
            else {
                continue;
            };
            let commit = if first.in_whole { None } else { first.commits.first().copied() };
            let of_commit = commit.map(|oid| format!(" of commit {}", oid.short())).unwrap_or_default();
            // Only a part of the file may be known.
            let is_edit = self.facts.form == CommitForm::Edit;
            let place = if is_edit { "what is to be written".to_owned() } else { line_numbers(&hits) };
            findings.add(Draft {
                headline: format!("with {} in {place}{of_commit}", draft.what),
                help: self.fix_lines(touched, &draft.fix, in_history),
                path: Some(touched.path.clone()),
                line: (commit.is_none() && !is_edit).then_some(first.hit.line),
                span: draft.span,
                commit,
                commits: first.commits.clone(),
                ..Draft::default()
            });
        }
        Ok(())
    }

    /// Adds a finding for each file of a form that a rule has words for: what it is, and the next step where it is staged,
    /// and where it is committed already.
    ///
    /// # Errors
    /// What the files are is not known.
    pub fn form_findings(
        &self,
        findings: &mut Findings,
        rule: &str,
        of: impl Fn(Form) -> Option<(&'static str, String, String)>,
    ) -> Result<(), Unavailable> {
        let forms = &self.change.content.get()?.forms;
        let touched = self.touched()?;
        for (path, form) in forms {
            let Some((headline, staged, command)) = of(*form) else { continue };
            let Some(touched) = touched.iter().find(|touched| touched.path == path && !touched.is_elsewhere)
            else {
                continue;
            };
            let help = if self.facts.event.is_commit() {
                format!("{staged}\nthen commit again")
            } else {
                format!("change its mode: {command}\nthen commit that, and try again: git commit")
            };
            let span = self.level_span(rule);
            let draft = Draft { headline: headline.to_owned(), help, span, ..Draft::default() };
            self.path_finding(touched, draft, findings);
        }
        Ok(())
    }

    /// Whether all files were read whose lines are asked about.
    ///
    /// # Errors
    /// One was not.
    fn check_read(&self) -> Result<(), Unavailable> {
        match self.change.content.get()?.unread.first() {
            None => Ok(()),
            Some((path, bytes)) => Err(Unavailable::new(
                format!(
                    "{path} is a text of {} MB; lines are read of files of up to {} MB",
                    bytes / 1_000_000,
                    crate::content::MAX_FILE / 1_000_000
                ),
                "leave it out, or ask a maintainer for a pattern under `except`, or for one in .gitattributes: PATTERN -diff",
            )),
        }
    }

    /// What is to be done about lines of a file.
    pub(super) fn fix_lines(&self, touched: &TouchedPath<'_>, fix: &str, in_history: bool) -> String {
        let event = self.facts.event;
        if matches!(event, Event::PreMergeCommit | Event::RefUpdate) {
            return self.take_out(touched);
        }
        let is_committed = !touched.commits.is_empty() || (touched.in_whole && !touched.in_staged);
        match self.facts.form {
            CommitForm::Edit => format!("{fix}, then write the file again"),
            CommitForm::Worktree if !is_committed => format!("{fix}, before you commit the file"),
            CommitForm::All | CommitForm::Include | CommitForm::Paths if !is_committed => {
                format!("{fix}, then commit again")
            }
            _ if !is_committed => format!("{fix}, and stage the file again: git add -- {{pathspecs}}"),
            _ if in_history => {
                format!("{}\n{fix}, and add the file again: git add -- {{pathspecs}}", self.take_out(touched))
            }
            _ => format!("{fix}, and commit the file: git commit -- {{pathspecs}}"),
        }
    }
}

/// `line 3`, `lines 3, 7`, `lines 1, 2, 3, 4, 5 and 20 more`.
fn line_numbers(hits: &[&NewHit]) -> String {
    let named: Vec<String> = hits.iter().take(NAMED).map(|hit| hit.hit.line.to_string()).collect();
    match hits.len() {
        1 => format!("line {}", named[0]),
        count if count <= NAMED => format!("lines {}", named.join(", ")),
        count => format!("lines {} and {} more", named.join(", "), count - NAMED),
    }
}
