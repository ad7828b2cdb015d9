use super::super::files::tracked;
use super::*;
use lane_core::codeowners::{Host, policy_owners};
use lane_core::policy::{Plan, Source, load};
use proptest::prelude::*;

fn convert(host: Host, text: &str, paths: &[String]) -> Converted {
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let survey =
        Survey { name: "shop".into(), base: "main".into(), files: tracked(&paths), ..Survey::default() };
    from_codeowners(&survey, "CODEOWNERS", &Codeowners::parse(host, text))
}

fn paths(list: &[&str]) -> Vec<String> {
    list.iter().map(|path| (*path).to_owned()).collect()
}

fn plan(text: &str) -> Plan {
    let source = Source::new(FILE, text);
    load(source, false).unwrap_or_else(|error| panic!("{text}\n{:#?}", error.diagnostics))
}

/// Each path has the owners that the file gives it.
fn holds(host: Host, text: &str, paths: &[String]) -> Result<(), String> {
    let made = convert(host, text, paths);
    let plan = plan(&made.text);
    let read = Codeowners::parse(host, text);
    for path in paths {
        let decision = plan.decide(path.as_bytes(), false);
        let mut ours = policy_owners(&plan, host, &decision).unwrap_or_else(|| vec!["?".into()]);
        ours.sort();
        let theirs = read.owners(path.as_bytes()).owners;
        if ours != theirs {
            return Err(format!("{path}: {theirs:?}, not {ours:?}\n{text}\n{}", made.text));
        }
    }
    Ok(())
}

#[test]
fn a_file_of_github() {
    let tree =
        paths(&["web/a.ts", "web/b.md", "api/x/y.go", "api/z.go", "docs/a", "docs/deep/b", "README.md"]);
    let text = "* @org/all\n/web/ @org/web\n/api/x/ @gone\n/api/ @org/api @Alice\n/docs/* @org/docs\n*.md\n*.[ch] @x\n";
    holds(Host::GitHub, text, &tree).unwrap();
    let made = convert(Host::GitHub, text, &tree);
    assert_eq!((made.agents, made.owned), (5, 5));
    for part in [
        "  all:\n    owner: \"@org/all\"\n    worktree: \"../shop-all\"\n    branch: feat/all/main\n",
        "  # line 5\n  - { name: docs, paths: [\"/docs/*\"], access: owner, owner: docs }\n",
        "  # line 6\n  - { name: all-2, paths: [\"*.md\"], access: open }\n",
        "paths: [/docs/deep/], access: owner, owner: all }",
        "owner: [alice, api]",
        "# note: CODEOWNERS:7: `*.[ch] @x`: patterns cannot have",
        "# note: CODEOWNERS: 1 line left out, as others decide over all that they have: 3\n",
    ] {
        assert!(made.text.contains(part), "{part}\n{}", made.text);
    }
}

#[test]
fn a_file_of_gitlab() {
    let tree =
        paths(&["web/a.ts", "web/internal/b", "pom.xml", "docs", "x/docs", "README.md", "x/README.md"]);
    let text = "* @admin\n!pom.xml\n[Docs][2] @docs\ndocs\nREADME.md @readme\n^[Hints]\n*.ts @hint\n";
    holds(Host::GitLab, text, &tree).unwrap();
    let made = convert(Host::GitLab, text, &tree);
    assert!(
        made.notes.iter().any(|note| note.starts_with("4 files have owners in several sections")),
        "{:?}",
        made.notes
    );
    assert!(made.notes.iter().any(|note| note.contains(":3: `[Docs][2]`")), "{:?}", made.notes);
    assert_eq!(made.agents, 3);
}

#[test]
fn what_git_lane_has_of_its_own_stays_its_own() {
    let tree = paths(&["policy.yaml", "a.local", "x"]);
    holds(Host::GitHub, "* @a\n/policy.yaml @b\n", &tree).unwrap();
    let made = convert(Host::GitHub, "* @@maintainer @a\n", &paths(&["x"]));
    let plan = plan(&made.text);
    assert!(plan.decide(b"policy.yaml", false).owner_ids().is_empty());
    assert!(plan.policy.agent("maintainer-role").is_some());
}

fn pattern() -> impl Strategy<Value = String> {
    let name =
        prop::sample::select(vec!["a", "b", "*", "**", "a*", "*.x", "?", "b.x", "c\\ d", "[ab]", "!a"]);
    (prop::collection::vec(name, 1..4), any::<bool>(), any::<bool>()).prop_map(|(names, rooted, folder)| {
        format!("{}{}{}", if rooted { "/" } else { "" }, names.join("/"), if folder { "/" } else { "" })
    })
}

fn line() -> impl Strategy<Value = String> {
    let owners = prop::sample::select(vec!["", " @o/a", " @b", " @o/a @b", " c@d.ef", " @B # @x"]);
    let section = prop::sample::select(vec!["[S]", "^[T] @t", "[s][2] @b", "[U] @o/a"]);
    prop_oneof![
        6 => (pattern(), owners).prop_map(|(pattern, owners)| format!("{pattern}{owners}")),
        1 => section.prop_map(str::to_owned),
    ]
}

fn tree() -> impl Strategy<Value = Vec<String>> {
    let name = prop::sample::select(vec!["a", "b", "ab", "b.x", "a.x", "c d", "z"]);
    let paths = prop::collection::btree_set(
        prop::collection::vec(name, 1..5).prop_map(|names| names.join("/")),
        1..20,
    );
    // A path is a file or a folder, and not both.
    paths.prop_map(|paths| {
        let is_file = |path: &&String| !paths.iter().any(|other| other.starts_with(&format!("{path}/")));
        paths.iter().filter(is_file).cloned().collect()
    })
}

proptest! {
    #[test]
    fn every_path_has_the_same_owners(lines in prop::collection::vec(line(), 1..10), tree in tree()) {
        let text = lines.join("\n");
        for host in [Host::GitHub, Host::GitLab] {
            if let Err(why) = holds(host, &text, &tree) {
                prop_assert!(false, "{host:?}: {why}");
            }
        }
    }
}
