//! `policy-mistake`

use super::{Context, Draft, Findings, Need, Rule};
use crate::engine::try_case;
use crate::facts::{Event, Fact, PolicyTexts, RepoPath, Stage, Unavailable};
use crate::policy::cases::{self, Case};
use crate::policy::model::Level;
use crate::policy::{self, Diagnostic, FILE, Plan, Source, Spanned};

pub static RULE: Rule = Rule {
    id: "policy-mistake",
    summary: "a changed policy that has mistakes, or tests that fail",
    docs: "\
## What it finds
A commit, or the tip of a pushed branch, with a changed `policy.yaml`, a changed file that it extends or includes, or a changed `policy.tests.yaml`, that
`git lane policy check` or `git lane policy test` would refuse, or with a rule of its own (`custom`) whose command the same tree does not have. The new text is only read here: what judges the change is the base's policy, as always.

## Why
With a broken policy on the base no verdict is possible: each commit and each push is blocked until it
is fixed. And a failing test shows that the policy does not say what its authors meant.

## Example
A maintainer writes `areass:` instead of `areas:`, and commits.

## How to get on
`git lane policy check` shows all mistakes, each at its place, and `git lane policy test` all sentences that do not hold. Fix
the file, stage it, and commit again. Where the broken policy is pushed already, a maintainer's commit that fixes it is let
through, though the policy that should judge it cannot be read. A policy that is removed is a warning.
",
    level: Level::Error,
    // A server refuses a base whose policy cannot be used by itself, whatever the levels of rules.
    at: &[Stage::Commit, Stage::Push, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files],
    is_wanted: |_| true,
    check,
};

/// How many mistakes are told.
const TOLD: usize = 10;

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let texts = match &context.change.policy {
        Fact::Known(Some(texts)) => texts,
        Fact::Known(None) | Fact::NotGathered => return Ok(()),
        Fact::Unavailable(why) => return Err(why.clone()),
    };
    if is_removed(context, texts) {
        findings.add(removed());
        return Ok(());
    }
    let drafts = match mistakes(texts, context.plan.folds_case()) {
        Ok(failing) => failing.into_iter().map(|told| draft(context, told, "test")).collect::<Vec<_>>(),
        Err(told) => told.into_iter().map(|told| draft(context, told, "check")).collect(),
    };
    let more = drafts.len().saturating_sub(TOLD);
    for (at, mut draft) in drafts.into_iter().take(TOLD).enumerate() {
        if at + 1 == TOLD && more > 0 {
            draft.headline.push_str(&format!(" (and {more} more)"));
        }
        findings.add(draft);
    }
    Ok(())
}

fn is_removed(context: &Context<'_>, texts: &PolicyTexts) -> bool {
    let files = [&context.change.files, &context.change.staged].into_iter().filter_map(Fact::known).flatten();
    let mut own = files.filter(|file| file.path.0 == FILE.as_bytes());
    texts.policy.is_none() && own.any(|file| file.new.is_none())
}

/// A maintainer may want it so, and is told what follows.
fn removed() -> Draft {
    Draft {
        headline: "that is removed: without a policy nothing can be decided, and agents' commits are blocked"
            .to_owned(),
        help: "where git-lane is to go as well: git lane uninstall --all".to_owned(),
        path: Some(RepoPath(FILE.as_bytes().to_vec())),
        at_most: Some(Level::Warn),
        ..Draft::default()
    }
}

/// One thing that is wrong: in which file, and how.
struct Diagnosis {
    path: String,
    headline: String,
}

fn draft(context: &Context<'_>, told: Diagnosis, command: &str) -> Draft {
    let on = match context.facts.event {
        event if event.is_commit() => "then fix it, stage it, and commit again: git add -- {paths}",
        Event::CheckStaged => "then fix it, and stage it: git add -- {paths}",
        _ => "then fix it, and commit that: git commit -- {paths}",
    };
    Draft {
        headline: told.headline,
        help: format!("see all of them in place: git lane policy {command}\n{on}"),
        path: Some(RepoPath(told.path.into_bytes())),
        // One that cannot be read does not say that it only observes.
        always_binds: command == "check",
        ..Draft::default()
    }
}

/// The tests that fail.
///
/// # Errors
/// The mistakes because of which there is nothing to test.
fn mistakes(texts: &PolicyTexts, fold: bool) -> Result<Vec<Diagnosis>, Vec<Diagnosis>> {
    let PolicyTexts { policy, tests, absent } = texts;
    let Some(source) = policy else { return Ok(Vec::new()) };
    let plan = policy::load(source.clone(), fold).map_err(|error| told(&error.text, error.diagnostics))?;
    let missing = policy::missing_where(&plan, &|path| !absent.iter().any(|absent| absent == path));
    if !missing.is_empty() {
        return Err(told(&plan.source, missing));
    }
    let mut failing = Vec::new();
    for sentence in &plan.policy.tests.sentences {
        if let Ok(case) = Case::parse(&sentence.value, &plan.policy) {
            failing.extend(failed(&plan, &plan.source, sentence, &case));
        }
    }
    if let Some(text) = tests {
        let all = cases::load(cases::FILE, text, &plan.policy)
            .map_err(|error| told(&error.text, error.diagnostics))?;
        let source = Source::new(cases::FILE, text.as_str());
        for (sentence, case) in &all {
            failing.extend(failed(&plan, &source, sentence, case));
        }
    }
    Ok(failing)
}

/// Mistakes in words. The files of a change are named by their paths in it.
fn told(text: &Source, all: Vec<Diagnostic>) -> Vec<Diagnosis> {
    all.into_iter()
        .map(|Diagnostic { message, span, help, .. }| {
            let place = text.place(span.start);
            let help = help.map(|help| format!("; {help}")).unwrap_or_default();
            let headline = format!("with a mistake at {place}: {message}{help}");
            Diagnosis { path: place.file.to_owned(), headline }
        })
        .collect()
}

fn failed(plan: &Plan, source: &Source, sentence: &Spanned<String>, case: &Case) -> Option<Diagnosis> {
    let (holds, findings) = try_case(plan, case);
    if holds {
        return None;
    }
    let place = source.place(sentence.span.unwrap_or_default().start);
    let why = findings.first().map_or_else(
        || "nothing forbids it".to_owned(),
        |finding| format!("{}: {}", finding.rule, finding.message),
    );
    let headline = format!("with a test that fails at {place}: `{}`: {why}", sentence.value);
    Some(Diagnosis { path: place.file.to_owned(), headline })
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{self, Ci, CommitMsg, PreCommit, PrePush};
    use crate::facts::{Fact, PolicyTexts};
    use crate::policy::{FILE, Source};
    use crate::rules::testing::Scene;

    const SOUND: &str = "version: 1\nbase: main\nagents: { a1: {}, a2: {} }\nunowned: deny\n";

    fn headlines(event: Event, policy: &str, tests: Option<&str>) -> Vec<String> {
        let tests = tests.map(str::to_owned);
        let texts = PolicyTexts { policy: Some(Source::new(FILE, policy)), tests, absent: Vec::new() };
        let scene = Scene::new(event, "").change(|change| change.policy = Fact::Known(Some(texts)));
        scene.headlines()
    }

    #[test]
    fn a_sound_policy_may_be_committed() {
        assert_eq!(headlines(PreCommit, SOUND, None), [] as [&str; 0]);
        let tests = "- a1 may not change x\n- a maintainer may change x\n";
        assert_eq!(headlines(PreCommit, SOUND, Some(tests)), [] as [&str; 0]);
    }

    #[test]
    fn mistakes_bind_maintainers_too() {
        for event in [PreCommit, PrePush, Ci] {
            let told = headlines(event, &format!("{SOUND}areass: []\n"), None);
            assert_eq!(
                told,
                [
                    "with a mistake at policy.yaml:5:1: unknown key `areass` in the policy; did you mean `areas`?"
                ]
            );
        }
        assert_eq!(headlines(CommitMsg, "areass: []\n", None), [] as [&str; 0]);
    }

    #[test]
    fn a_command_that_is_not_there() {
        let text = format!("{SOUND}custom: [{{ id: no-todo, run: ./scripts/no-todo, needs: [lib/a] }}]\n");
        let of = |absent: &[&str]| {
            let absent = absent.iter().map(|path| (*path).to_owned()).collect();
            let texts = PolicyTexts {
                policy: Some(Source::new(FILE, text.as_str())),
                absent,
                ..PolicyTexts::default()
            };
            Scene::new(PreCommit, "").change(|change| change.policy = Fact::Known(Some(texts))).headlines()
        };
        assert_eq!(of(&[]), [] as [&str; 0]);
        let told = of(&["scripts/no-todo"]);
        assert!(
            told[0].contains("`scripts/no-todo`, which `no-todo` needs, is not in the repository"),
            "{told:?}"
        );
        assert_eq!(of(&["scripts/no-todo", "lib/a"]).len(), 2);
    }

    #[test]
    fn tests_that_fail() {
        let told = headlines(PreCommit, &format!("{SOUND}tests: [a1 may change x]\n"), None);
        assert!(
            told[0].starts_with("with a test that fails at policy.yaml:5:9: `a1 may change x`: unowned-path")
        );
        let told = headlines(PreCommit, SOUND, Some("- a maintainer may not change x\n"));
        assert_eq!(
            told,
            [
                "with a test that fails at policy.tests.yaml:1:3: `a maintainer may not change x`: nothing forbids it"
            ]
        );
        let told = headlines(PreCommit, SOUND, Some("- a3 may change x\n"));
        assert!(
            told[0].starts_with("with a mistake at policy.tests.yaml:1:3: unknown agent `a3`"),
            "{told:?}"
        );
    }
}
