//! The whole flow against a mock server that somebody else wrote, made from GitHub's whole description:
//! `scripts/github-mock` starts it and this.

use lane_github::{
    Annotation, CheckRun, Comment, Conclusion, GitHub, Level, NewPull, Permission, RepositoryName, Settings,
};

#[test]
#[ignore = "needs a server: scripts/github-mock"]
fn the_whole_flow_against_prism() {
    let address = std::env::var("LANE_PRISM_URL").expect("LANE_PRISM_URL: run scripts/github-mock");
    let vars = [
        ("GITHUB_API_URL", address.as_str()),
        ("GITHUB_REPOSITORY", "octocat/Hello-World"),
        ("GITHUB_TOKEN", "a-token"),
    ];
    let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    let github = GitHub::connect(&Settings::read(var, None).unwrap()).unwrap();

    assert_eq!(github.viewer().unwrap(), "octocat");
    let new = NewPull { title: "[A1] X", head: "new-topic", base: "master", body: "Why.", is_draft: true };
    let created = github.create_pull(&new).unwrap();
    assert_eq!(github.pull_request(created.number).unwrap(), created);
    assert!(!github.pull_requests_for("new-topic", "octocat").unwrap().is_empty());
    github.ensure_label("agent-a1", "0e8a16", "Of agent a1").unwrap();
    github.add_labels(created.number, &["agent-a1"]).unwrap();
    github.label_events(created.number).unwrap();
    assert_eq!(github.permission("octocat").unwrap(), Permission::Admin);
    let repository = RepositoryName::parse("octocat/Hello-World").unwrap();
    github.pushes(&repository, "new-topic", Some(&created.head_sha)).unwrap();

    let annotation = |line: u64| Annotation {
        path: "services/x/main.py".to_owned(),
        start_line: line,
        end_line: line,
        level: Level::Failure,
        message: "This is in another lane.".to_owned(),
        title: "foreign-path".to_owned(),
    };
    let run = CheckRun {
        name: "lanes".to_owned(),
        head_sha: created.head_sha.clone(),
        conclusion: Conclusion::Failure,
        title: "60 findings".to_owned(),
        summary: "A summary.".to_owned(),
        text: Some("A text.".to_owned()),
        annotations: (1..=60).map(annotation).collect(),
        details_url: Some("https://example.com/".to_owned()),
        external_id: "ci/1".to_owned(),
    };
    assert!(github.publish_check(&run).unwrap().id > 0);
    assert_eq!(github.publish_comment(created.number, "git-lane", Some("body")).unwrap(), Comment::Created);
}
