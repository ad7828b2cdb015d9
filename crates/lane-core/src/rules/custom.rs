//! Rules of the team's own: what their commands have found, as any other rule finds it.

use super::context::{Context, Draft, Findings, Words};
use crate::facts::{OwnFinding, Unavailable};
use crate::policy::model::{CustomRule, Level};

/// How many lines of a message stand below its headline.
const MOST_LINES: usize = 40;

/// Adds what an entry of `custom` found in the change.
///
/// # Errors
/// Why that is not known.
pub fn check(
    context: &Context<'_>,
    entry: usize,
    rule: &CustomRule,
    findings: &mut Findings,
) -> Result<(), Unavailable> {
    // What is not among them is not concerned: no file of the change is one of its own.
    let Some(run) = context.change.custom.get()?.iter().find(|run| run.entry == entry) else {
        return Ok(());
    };
    let found = match &run.found {
        Err(why) if run.is_repair => {
            findings.add(Draft {
                headline: why.reason.clone(),
                help: "check that this change mends it: git lane check".to_owned(),
                span: rule.id.span,
                words: Some(Words { sentence: why.reason.clone(), details: Vec::new() }),
                at_most: Some(Level::Warn),
                ..Draft::default()
            });
            return Ok(());
        }
        found => found.as_ref().map_err(Clone::clone)?,
    };
    found.iter().for_each(|finding| findings.add(draft(context, rule, finding)));
    Ok(())
}

fn draft(context: &Context<'_>, rule: &CustomRule, finding: &OwnFinding) -> Draft {
    let mut lines = finding.message.lines().map(str::to_owned);
    let headline = lines.next().unwrap_or_default();
    let mut details: Vec<String> = lines.take(MOST_LINES + 1).collect();
    if details.len() > MOST_LINES {
        details[MOST_LINES] = "…".to_owned();
    }
    let place = match (&finding.path, finding.line) {
        (Some(path), Some(line)) => format!("{path}:{line}: "),
        (Some(path), None) => format!("{path}: "),
        _ => String::new(),
    };
    Draft {
        headline,
        help: help(context, rule, finding),
        path: finding.path.clone(),
        line: finding.line,
        span: rule.id.span,
        words: Some(Words { sentence: format!("{place}{}", finding.message), details }),
        ..Draft::default()
    }
}

/// What the command says to do, or else the policy; and how that gets into the change.
fn help(context: &Context<'_>, rule: &CustomRule, finding: &OwnFinding) -> String {
    let message = rule.message.as_ref().map(|message| message.value.trim());
    let said = finding.help.as_deref().or(message);
    let (before, fix) = match said {
        // A text of several lines, or with a full stop, stands by itself.
        Some(said) if said.contains('\n') || said.ends_with(['.', '!']) => (format!("{said}\n"), "fix it"),
        Some(said) => (String::new(), said),
        None => (String::new(), "fix it"),
    };
    let touched = context.touched().ok().and_then(|all| {
        all.iter().find(|touched| Some(touched.path) == finding.path.as_ref() && touched.is_present)
    });
    let event = context.facts.event;
    let then = match touched {
        Some(touched) => context.fix_lines(touched, fix, false),
        None if event.is_commit() => format!("{fix}, then commit again"),
        None if event.is_push() => format!("{fix}, then push again"),
        None => format!("{fix}, and commit that"),
    };
    format!("{before}{then}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::facts::Event::{PreCommit, PrePush};
    use crate::facts::{Event, Fact, OwnFinding, OwnRun, RepoPath, Unavailable};
    use crate::rules::testing::Scene;

    const POLICY: &str = "version: 1\ncustom: [{ id: no-todo, run: ./x, at: [commit, ci], when: docs/ }]\n";

    fn found(path: Option<&str>, line: Option<u64>, message: &str, help: Option<&str>) -> OwnFinding {
        let path = path.map(|path| RepoPath(path.into()));
        OwnFinding { path, line, message: message.into(), help: help.map(str::to_owned) }
    }

    fn scene(event: Event, policy: &str, found: Result<Vec<OwnFinding>, Unavailable>) -> Scene {
        let runs = vec![OwnRun { entry: 0, found, time: Duration::ZERO, is_repair: false }];
        Scene::new(event, "")
            .files(&["docs/a"])
            .with("version: 1\n", policy)
            .change(|change| change.custom = Fact::Known(runs))
    }

    #[test]
    fn findings_and_their_next_steps() {
        for (finding, line, headline, help) in [
            (
                found(Some("docs/a"), Some(3), "a TODO", None),
                "error no-todo docs/a",
                "a TODO",
                "fix it, and stage the file again: git add -- docs/a",
            ),
            (
                found(Some("docs/a"), None, "x\ny", Some("file a ticket")),
                "error no-todo docs/a",
                "x",
                "file a ticket, and stage the file again: git add -- docs/a",
            ),
            (
                found(Some("docs/b"), None, "x", Some("Ask.\nWait")),
                "error no-todo docs/b",
                "x",
                "Ask.\nWait\nfix it, then commit again",
            ),
            (found(None, None, "x", None), "error no-todo", "x", "fix it, then commit again"),
        ] {
            let scene = scene(PreCommit, POLICY, Ok(vec![finding]));
            assert_eq!(scene.of("no-todo"), [line]);
            assert_eq!(
                (scene.headlines(), scene.helps()),
                (vec![headline.to_owned()], vec![help.to_owned()])
            );
        }
    }

    #[test]
    fn levels_and_places() {
        let finding = || Ok(vec![found(None, None, "x", None)]);
        let with = |more: &str| POLICY.replace("run: ./x", &format!("run: ./x, {more}"));
        assert_eq!(scene(PreCommit, &with("level: warn"), finding()).of("no-todo"), ["warn no-todo"]);
        assert_eq!(scene(PreCommit, &with("level: observe"), finding()).of("no-todo"), ["warn no-todo"]);
        assert!(scene(PreCommit, &with("level: off"), finding()).of("no-todo").is_empty());
        assert!(scene(PrePush, POLICY, finding()).of("no-todo").is_empty(), "not one of its places");
        let observing = POLICY.replace("version: 1\n", "version: 1\nmode: observe\n");
        assert_eq!(scene(PreCommit, &observing, finding()).of("no-todo"), ["warn no-todo"]);
    }

    #[test]
    fn what_is_not_known_is_no_pass() {
        let why = Unavailable::without_help("it was ended after 10s");
        assert_eq!(scene(PreCommit, POLICY, Err(why)).findings(), ["undecided: it was ended after 10s"]);
        let repair = scene(PreCommit, POLICY, Err(Unavailable::without_help("x"))).change(|change| {
            let Fact::Known(runs) = &mut change.custom else { panic!("they were run") };
            runs[0].is_repair = true;
        });
        assert_eq!(repair.findings(), ["warn no-todo"], "or nobody could mend it");
        let scene =
            scene(PreCommit, POLICY, Ok(Vec::new())).change(|change| change.custom = Fact::NotGathered);
        assert!(scene.findings()[0].starts_with("undecided: "), "nobody ran it");
        let scene = scene.facts(|facts| facts.leaves_out_custom = true);
        assert!(scene.findings().is_empty(), "whoever asks says so");
    }
}
