use proptest::prelude::*;

use super::*;
use crate::policy::{FILE, Plan, Source, load};

fn github(text: &str) -> Codeowners {
    Codeowners::parse(Host::GitHub, text)
}

fn gitlab(text: &str) -> Codeowners {
    Codeowners::parse(Host::GitLab, text)
}

fn of(read: &Codeowners, path: &str) -> String {
    read.owners(path.as_bytes()).owners.join(" ")
}

#[test]
fn github_takes_the_last_line() {
    let read = github(
        "* @org/all\n*.js @js # inline\ndocs/* d@example.com\n/apps/ @Octo @org/apps\n/apps/free\nlogs/ @l\n/a\\ b/ @space\n\
         /*.md @top\n**/deep/x @deep\n",
    );
    for (path, owners) in [
        ("x", "@org/all"),
        ("a/b.js", "@js"),
        ("docs/a", "d@example.com"),
        ("docs/a/b", "@org/all"),
        ("x/docs/a", "@org/all"),
        ("apps/x/y", "@octo @org/apps"),
        ("apps/free/x", ""),
        ("x/logs/y", "@l"),
        ("logs", "@org/all"),
        ("a b/x", "@space"),
        ("a.md", "@top"),
        ("x/a.md", "@org/all"),
        ("x/y/deep/x/z", "@deep"),
    ] {
        assert_eq!(of(&read, path), owners, "{path}");
    }
    assert_eq!(read.notes, []);
}

#[test]
fn github_skips_what_it_does_not_know() {
    let read = github("\u{feff}* @all\n!/x @a\n\\#y @a\n*.[ch] @a\na***b @a\n/z nobody\n/w @a @@\n# c\n");
    assert_eq!(read.notes.iter().map(|note| note.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7]);
    assert!(read.notes[2].text.contains("`[` and `]`"), "{:?}", read.notes[2]);
    assert_eq!((of(&read, "a.c"), of(&read, "z")), ("@all".into(), "@all".into()));
}

#[test]
fn gitlab_takes_each_section() {
    let read = gitlab(
        "* @admin\n!pom.xml\n/pom.xml @late\n\n[Docs][2] @docs\ndocs/\nREADME.md @readme\n^[Maybe] @maybe\n*.rb\n\
         [docs]\n/config/ @@maintainer\n[Empty]\n/none\n",
    );
    for (path, owners, sections) in [
        ("x", "@admin", 1),
        ("pom.xml", "", 0),
        ("a/docs/x", "@admin @docs", 2),
        ("a/README.md", "@admin @readme", 2),
        ("a.rb", "@admin", 1),
        ("config/x", "@@maintainer @admin", 2),
        ("none", "@admin", 1),
    ] {
        let answer = read.owners(path.as_bytes());
        assert_eq!((answer.owners.join(" ").as_str(), answer.sections), (owners, sections), "{path}");
    }
    let lines: Vec<usize> = read.notes.iter().map(|note| note.line).collect();
    assert_eq!(lines, [5, 8, 13], "{:?}", read.notes);
}

#[test]
fn gitlab_matches_whole_paths() {
    let has = |pattern: &str, path: &str| of(&gitlab(&format!("{pattern} @x\n")), path) == "@x";
    for (pattern, path) in [
        ("/docs/", "docs/a/b"),
        ("docs/", "x/docs/a"),
        ("/docs/*", "docs/a"),
        ("/docs/**", "docs/a"),
        ("/a/**/b", "a/x/y/b"),
        ("internal/R", "x/internal/R"),
        ("\\#x", "#x"),
        ("a\\ b", "a b"),
        ("*.[ch]", "x.c"),
        ("*", ".x/y"),
    ] {
        assert!(has(pattern, path), "{pattern} {path}");
    }
    for (pattern, path) in
        [("/docs", "docs/a"), ("docs", "docs/a"), ("/docs/*", "docs/a/b"), ("/docs/**", "docs/a/b")]
    {
        assert!(!has(pattern, path), "{pattern} {path}");
    }
    // The same pattern once more keeps the first one's place.
    let read = gitlab("*.rb @a\n/x/ @b\n*.rb @c\n");
    assert_eq!((of(&read, "x/y.rb"), of(&read, "y.rb")), ("@b".into(), "@c".into()));
    assert_eq!(read.notes.len(), 1);
}

#[test]
fn hosts_are_told_apart() {
    for (place, text, remote, host) in [
        (".github/CODEOWNERS", "[a]\n", None, Host::GitHub),
        (".gitlab/CODEOWNERS", "", None, Host::GitLab),
        ("CODEOWNERS", "* @a\n^[Docs]\n", None, Host::GitLab),
        ("CODEOWNERS", "[ab]*.rb @x\n", None, Host::GitHub),
        ("CODEOWNERS", "", Some("git@gitlab.com:a/b"), Host::GitLab),
        ("docs/CODEOWNERS", "", Some("https://github.com/a/b"), Host::GitHub),
    ] {
        assert_eq!(Host::of(place, text, remote), host, "{place} {text}");
    }
}

fn plan(text: &str) -> Plan {
    let source = Source::new(FILE, text);
    load(source, false).unwrap_or_else(|error| panic!("{text}\n{:#?}", error.diagnostics))
}

const AGENTS: &str = "version: 1\nmaintainers: [github:boss]\n\
                      agents: { a1: { owner: '@org/one', owns: [/web/] }, a2: { identity: { github: [two] } }, a3: {} }\n";

#[test]
fn a_policy_is_written() {
    let plan = plan(&format!(
        "{AGENTS}areas:\n  - {{ name: m, paths: ['**/migrations/**', /docs/*], access: owner, owner: [a1, a2] }}\n  \
         - {{ name: free, paths: ['*.md', 'a b'], access: open }}\n  - {{ name: p, paths: [/policy.yaml], access: maintainer }}\n  \
         - {{ name: odd, paths: ['*.[ch]', 'C#/'], access: owner, owner: a3 }}\n"
    ));
    let files = vec![(b"policy.yaml".to_vec(), false)];
    let written = write(&plan, Host::GitHub, &files);
    let lines: Vec<&str> = written.text.lines().filter(|line| !line.is_empty()).skip(2).collect();
    assert_eq!(
        lines,
        [
            "# the lane of a1",
            "/web/ @org/one",
            "# the area m",
            "migrations/ @org/one @two",
            "/docs/ @org/one @two",
            "# the area free",
            "*.md",
            "a\\ b",
            "# the area p",
            "/policy.yaml @boss",
            "# the area odd",
            "# not said here: *.[ch]: patterns of GitHub cannot have `[` and `]`",
            "# not said here: C#/: GitHub takes `#` for the start of a comment",
        ]
    );
    assert_eq!(written.warnings.len(), 3, "{:?}", written.warnings);
    let written = write(&plan, Host::GitLab, &files);
    for line in ["/web/ @org/one", "migrations/ @org/one", "*.md", "*.md/", "/policy.yaml", "*.[ch]", "C#/"] {
        assert!(written.text.lines().any(|known| known == line), "{line} in\n{}", written.text);
    }
}

#[test]
fn a_space_behind_a_backslash_that_means_itself_is_escaped() {
    let plan = plan(&format!(
        "{AGENTS}areas: [{{ name: x, paths: ['/a\\\\ b', '/c\\ d'], access: owner, owner: a1 }}]\n"
    ));
    for host in [Host::GitHub, Host::GitLab] {
        let written = write(&plan, host, &[]);
        for line in [r"/a\\\ b @org/one", r"/c\ d @org/one"] {
            assert!(written.text.lines().any(|known| known == line), "{line} in\n{}", written.text);
        }
        let read = Codeowners::parse(host, &written.text);
        assert_eq!(
            (read.owners(br"a\ b").owners, read.owners(b"c d").owners),
            (vec!["@org/one"], vec!["@org/one"])
        );
    }
    let plan =
        self::plan(&format!("{AGENTS}areas: [{{ name: x, paths: ['/a\\\\'], access: owner, owner: a1 }}]\n"));
    assert!(write(&plan, Host::GitHub, &[]).text.contains(r"/a\\ @org/one"));
    assert!(write(&plan, Host::GitLab, &[]).text.contains("# not said here: "));
}

#[test]
fn where_the_two_part() {
    let plan = plan(&format!("{AGENTS}areas: [{{ name: x, paths: [/x/], access: owner, owner: a3 }}]\n"));
    let files: Vec<(Vec<u8>, bool)> =
        ["web/a", "web/b", "x/a", "y"].iter().map(|path| (path.as_bytes().to_vec(), false)).collect();
    let found = partings(&plan, &github("* @all\n/web/a @ORG/one\n"), &files);
    let shown: Vec<(String, String, usize)> =
        found.iter().map(|it| (it.policy.join(" "), it.codeowners.join(" "), it.count)).collect();
    assert_eq!(shown, [(String::new(), "@all".into(), 1), ("@org/one".into(), "@all".into(), 1)]);
    assert_eq!(found[1].first, ["web/b"]);
}

/// Patterns of few names, so that they meet.
fn pattern() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "*", "**", "a*", "*.x", "?", "b.x", "c d"]);
    (prop::collection::vec(name, 1..4), any::<bool>(), any::<bool>()).prop_map(|(names, rooted, folder)| {
        let text = names.join("/").replace("**/**", "**");
        format!("{}{text}{}", if rooted { "/" } else { "" }, if folder { "/" } else { "" })
    })
}

fn tree() -> impl Strategy<Value = Vec<String>> {
    let name = prop::sample::select(vec!["a", "b", "ab", "b.x", "a.x", "c d", "z"]);
    prop::collection::vec(prop::collection::vec(name, 1..5).prop_map(|names| names.join("/")), 1..20)
}

proptest! {
    /// Both hosts read what is written as the policy says it.
    #[test]
    fn what_is_written_is_read_alike(patterns in prop::collection::vec((pattern(), 0..3_usize), 1..8), tree in tree()) {
        let mut text = "version: 1\nagents: { a0: { owner: '@a0' }, a1: { owner: '@a1' } }\nareas:\n".to_owned();
        for (at, (pattern, owner)) in patterns.iter().enumerate() {
            let access = if *owner < 2 { format!("owner, owner: a{owner}") } else { "open".to_owned() };
            text.push_str(&format!("  - {{ name: n{at}, paths: ['{pattern}'], access: {access} }}\n"));
        }
        let source = Source::new(FILE, text);
        // Some patterns never apply: that is no policy.
        let Ok(plan) = load(source, false) else { return Ok(()) };
        let files: Vec<(Vec<u8>, bool)> = tree.iter().map(|path| (path.clone().into_bytes(), false)).collect();
        for host in [Host::GitHub, Host::GitLab] {
            // What the tree has is a file or a folder there, and not both.
            let is_tree = |path: &String| !tree.iter().any(|other| other.starts_with(&format!("{path}/")));
            let known: Vec<(Vec<u8>, bool)> = files.iter().zip(&tree).filter(|(_, path)| is_tree(path)).map(|(file, _)| file.clone()).collect();
            let written = write(&plan, host, &known);
            prop_assert!(!written.text.contains("not said here"), "{}", written.text);
            let read = Codeowners::parse(host, &written.text);
            for (path, is_folder) in &known {
                let ours = policy_owners(&plan, host, &plan.decide(path, *is_folder));
                prop_assert_eq!(ours.unwrap_or_default(), read.owners(path).owners.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>(),
                    "{:?}: {}\n{}\n{}", host, String::from_utf8_lossy(path), plan.source.text, written.text);
            }
        }
    }
}
