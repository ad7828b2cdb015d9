use super::files::tracked;
use super::*;
use lane_core::policy::{Plan, Source, load};

fn survey(paths: &[&str]) -> Survey {
    Survey { name: "shop".into(), base: "main".into(), files: tracked(paths), ..Survey::default() }
}

/// The proposal, and the policy that it makes, which is held against the files.
fn check(survey: &Survey, count: Option<u16>) -> (Proposal, Plan) {
    let proposal = propose(survey, count);
    let text = proposal.policy_text();
    let source = Source::new("policy.yaml", text.clone());
    let plan = load(source, false).unwrap_or_else(|error| panic!("{text}\n{:#?}", error.diagnostics));
    for lane in &proposal.lanes {
        let owns = |file: &&TrackedPath| {
            let decision = plan.decide(file.path.as_bytes(), file.kind != Kind::File);
            decision.area().is_none() && decision.owner_ids() == [lane.agent()]
        };
        let files = survey.files.iter().filter(owns).count();
        assert_eq!(files, lane.files, "{}\n{text}", lane.agent());
        assert!(files > 0 || survey.files.is_empty(), "{}\n{text}", lane.agent());
    }
    (proposal, plan)
}

fn folders(proposal: &Proposal) -> Vec<Vec<&str>> {
    proposal
        .lanes
        .iter()
        .map(|lane| lane.folders.iter().map(|folder| folder.path.as_str()).collect())
        .collect()
}

#[test]
fn a_repository_without_files() {
    let (proposal, _) = check(&survey(&[]), None);
    assert_eq!(proposal.lanes.len(), 1);
    assert_eq!(proposal.notes, ["one agent has everything: git tracks no files here yet"]);
}

#[test]
fn files_at_the_root_alone() {
    let (proposal, plan) = check(&survey(&["main.py", "README.md", "package.json"]), Some(3));
    assert_eq!(folders(&proposal), [[""]]);
    assert_eq!(plan.decide(b"main.py", false).owner_ids(), ["a1"]);
    assert!(
        proposal.notes[0].starts_with("3 agents asked for, 1 proposed: no folders to divide"),
        "{:?}",
        proposal.notes
    );
}

#[test]
fn services_are_divided_by_size() {
    let mut paths = vec!["services/common/x", "services/no/x", "services/e f/x", "services/x*/x"];
    let many: Vec<String> = (0..3).map(|at| format!("services/big/{at}")).collect();
    paths.extend(many.iter().map(String::as_str));
    let (proposal, plan) = check(&survey(&paths), Some(2));
    assert_eq!(
        folders(&proposal),
        [vec!["services/big"], vec!["services/e f", "services/no", "services/x*"]]
    );
    assert!(plan.decide(b"services/common/x", false).area().is_some());
    assert_eq!(plan.policy.agents.0[1].services.len(), 3);
}

#[test]
fn folders_of_one_name_are_told_apart() {
    let paths = ["apps/web/x", "apps/api/x", "packages/web/x", "packages/ui/x", "frontend/package.json"];
    let (proposal, plan) = check(&survey(&paths), Some(2));
    assert!(plan.policy.services.paths.is_none());
    assert_eq!(
        folders(&proposal),
        [vec!["apps/api", "apps/web", "frontend"], vec!["packages/ui", "packages/web"]]
    );
}

#[test]
fn owners_stay_together() {
    let mut survey = survey(&["services/a/x", "services/b/x", "services/c/x", "services/d/x"]);
    let text = "* @all\n/services/a/ @one\n/services/b/ @two\n/services/c/ @one\n/services/d/ @two\n";
    survey.texts = vec![Text { path: "CODEOWNERS".into(), content: Ok(text.into()) }];
    let (proposal, _) = check(&survey, Some(2));
    assert_eq!(folders(&proposal), [["services/a", "services/c"], ["services/b", "services/d"]]);
}

#[test]
fn codeowners_divides_what_is_not_divided() {
    let mut survey = survey(&["src/net/x", "src/ui/x", "src/main.c", "README.md"]);
    survey.texts = vec![Text {
        path: ".github/CODEOWNERS".into(),
        content: Ok("/src/net/ @net\n/src/ui/ @ui\n".into()),
    }];
    let (proposal, _) = check(&survey, None);
    assert_eq!(folders(&proposal), [["src/net"], ["src/ui"]]);
}

#[test]
fn many_agents() {
    let paths: Vec<String> = (0..300).map(|at| format!("crates/c{at}/x")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let (proposal, _) = check(&survey(&paths), Some(200));
    assert_eq!((proposal.lanes.len(), proposal.notes.len()), (200, 0));
    let (proposal, _) = check(&survey(&paths[..2]), Some(200));
    assert_eq!(proposal.lanes.len(), 2);
    assert!(proposal.notes[0].starts_with("200 agents asked for, 2 proposed: "));
}

#[test]
fn worktrees_become_agents_as_long_as_there_is_something_for_them() {
    let mut survey = survey(&["services/a/x", "services/b/x"]);
    survey.worktrees = vec![
        ("../wt-a1-b".into(), Some("feat/a1/main".into())),
        ("../wt-a2-genai".into(), Some("topic".into())),
        ("../wt-odd name".into(), None),
    ];
    let (proposal, plan) = check(&survey, None);
    assert_eq!(plan.policy.agent_ids().collect::<Vec<_>>(), ["a1", "a2"]);
    assert_eq!(folders(&proposal), [["services/b"], ["services/a"]], "a1 works on b, as its worktree says");
    assert!(proposal.notes[0].contains("`../wt-odd name`"), "{:?}", proposal.notes);
    assert!(proposal.policy_text().contains("# a3 (../wt-odd name): no folders left for it"));
}

#[test]
fn migrations_belong_to_whoever_has_their_service() {
    let (_, plan) = check(&survey(&["services/a/x", "services/b/x", "services/b/alembic/1.py"]), None);
    assert_eq!(plan.decide(b"services/b/alembic/2.py", false).owner_ids(), ["a2"]);
}

#[test]
fn what_an_area_has_whole_is_no_lane() {
    let (proposal, _) =
        check(&survey(&["services/a/x", "services/b/x", "services/m/migrations/1.sql"]), None);
    assert_eq!(folders(&proposal), [["services/a"], ["services/b"]]);
}

#[test]
fn many_folders_of_one_lane_are_one() {
    let plugins = ["plugins/x/a/go.mod", "plugins/x/b/go.mod", "plugins/y/c/go.mod", "plugins/y/d/go.mod"];
    let api = ["api/go.mod", "api/1", "api/2", "api/3"];
    let paths = [plugins, api].concat();
    let (proposal, _) = check(&survey(&paths), Some(2));
    assert_eq!(folders(&proposal), [["api"], ["plugins"]]);
    assert_eq!(proposal.lanes[1].folders[0].count, 4);
}

#[test]
fn submodules_are_folders() {
    let mut survey = survey(&["services/a/x"]);
    survey.files.push(TrackedPath { path: "services/b".into(), kind: Kind::Submodule });
    let (proposal, _) = check(&survey, None);
    assert_eq!(folders(&proposal), [["services/a"], ["services/b"]]);
}

#[test]
fn hostile_names() {
    let mut survey = survey(&[
        "services/\u{1b}[31m/x",
        "services/a\nb: c/x",
        "services/{service}/x",
        "services/\u{202e}x/x",
        "services/# x/x",
        "services/' \"/x",
        "services/**/x",
        "services/-/x",
        "{a}/x",
        "a}/package.json",
    ]);
    survey.name = "\u{1b}]0;x".into();
    survey.base = "a\u{202e}b".into();
    survey.worktrees = vec![("../\u{1b}x".into(), None)];
    assert_eq!(propose(&survey, None).notes.len(), 2);
    let (proposal, _) = check(&survey, Some(3));
    let text = proposal.policy_text();
    assert!(!text.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{text:?}");
    let again = propose(&survey, Some(3)).policy_text();
    assert_eq!(text, again);
}

#[test]
fn thousands_of_packages() {
    let packages = |groups: usize| {
        let path = |at| format!("packages/g{}/p{at:04}/package.json", at % groups);
        let paths: Vec<String> = (0..5_000).map(path).collect();
        let mut survey = survey(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        let text = r#"{"workspaces": ["packages/*/*"]}"#;
        survey.texts = vec![Text { path: "package.json".into(), content: Ok(text.into()) }];
        check(&survey, None).0
    };
    let proposal = packages(100);
    assert_eq!((proposal.lanes.len(), proposal.notes.len()), (4, 0));
    assert!(proposal.lanes.iter().all(|lane| lane.files == 1250), "by their folders");
    let proposal = packages(1);
    assert_eq!(proposal.lanes.len(), 4);
    assert!(proposal.notes[0].starts_with("4000 small packages are in no lane"), "{:?}", proposal.notes);
}
