use super::*;
use crate::policy::pathset::PathSet;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn pattern(text: &str) -> Pattern {
    Pattern::new(text).expect("a pattern")
}

/// Whether they meet, with every claim about the witness checked.
fn meet(one: &str, two: &str, fold: bool) -> bool {
    let (a, b) = (pattern(one), pattern(two));
    let path = a.common_path(&b, fold);
    assert_eq!(path.is_some(), b.intersects(&a, fold), "{one} and {two} the other way about");
    if let Some(path) = &path {
        let shown = String::from_utf8_lossy(path);
        assert!(a.matches(path, false, fold) && b.matches(path, false, fold), "{one}, {two}: {shown}");
        assert!(path.split(|b| *b == b'/').all(is_name), "{one}, {two}: {shown}");
    }
    path.is_some()
}

fn in_set(text: &str, path: &[u8], is_folder: bool, fold: bool) -> bool {
    let mut set = PathSet::new(fold);
    set.insert(&pattern(text), 0);
    set.last_match(path, is_folder).is_some()
}

macro_rules! cases {
    ($($name:ident, $fold:literal: $pattern:literal, [$($yes:literal),*], [$($no:literal),*];)*) => {$(
        #[test]
        fn $name() {
            $(assert!(meet($pattern, $yes, $fold), "{} meets {}", $pattern, $yes);)*
            $(assert!(!meet($pattern, $no, $fold), "{} does not meet {}", $pattern, $no);)*
        }
    )*};
}

cases! {
    a_suffix, false: "src/*.rs",
        ["src/a*", "src/*.rs/foo", "src/**", "*.rs", "*", "/src", "**/b/c", "src/?*.*", "src/*/"],
        ["src/*.py", "src/a*.py", "lib/*.rs", "src/a", "src/*.r", "/*.rs"];
    at_or_above, false: "a/b", ["a/b/c", "a", "a/", "/a/**", "b", "**/c"], ["b/b", "a/c", "a/bb", "/b"];
    any_depth, false: "**/x", ["a/**", "x", "y", "/a/b", "a/**/b"], [];
    in_the_middle, false: "a/**/b",
        ["a/b", "a/c/d", "a/*", "a/b/c", "**/b", "a/c/**/d"], ["b/**/a", "/b"];
    below_only, false: "/a/**", ["a/b", "/a", "/a/", "/*", "/*/**", "b/", "**/a/**"], ["/b", "b/**"];
    a_folder_only, false: "helm/", ["/helm", "helm", "/a", "helm/x.yaml", "a/helm/**"], [];
    an_anchored_folder, false: "/helm/",
        ["/helm", "helm/", "*.yaml", "/helm/*/", "**/"], ["/a", "/elm/x"];
    folders_below, false: "/a/**/", ["/a", "/a/b", "/a/*", "a/"], ["/b"];
    everything, false: "**", ["**", "*", "a", "a/**", "**/"], [];
    classes, false: "[ab]*", ["[^a-z]*/x", "[b-d]", "?c", "b"], [];
    anchored_classes, false: "/[ab]*",
        ["/[b-d]", "/?c", "/b", "/[!a]?"], ["/[^a-z]*", "/[!ab]", "/[c-d]*", "/c"];
    classes_fold, true: "/[a-b]x",
        ["/[A]x", "/[B-C]X", "/[[:upper:]]?", "/AX"], ["/[[:digit:]]x", "/[!A-B]?", "/[!a]b"];
    named_classes, false: "/[[:upper:]]",
        ["/[A-Z]", "/[!a]", "/?"], ["/[[:lower:]]", "/[[:digit:]]", "/a", "/??"];
    literals_fold, true: "/src/Main.rs", ["/SRC/main.rs", "/Src/*.RS", "src/M?in*"], ["/srd/main.rs"];
    literals, false: "/src/Main.rs", ["/src/Main.rs"], ["/SRC/main.rs", "/src/*.RS", "/src/m*"];
    one_byte, false: "/a?", ["/ab", "/??", "/*", "/*b", "/a\\*"], ["/a", "/abc", "/b?"];
    escapes, false: "/\\*\\[*", ["/\\*\\[", "/\\*?x", "/[*]?", "/*]"], ["/a*", "/\\*", "/x[[]"];
    stars, false: "/a*b*c",
        ["/*c", "/a**c", "/abc", "/*bb*", "/ac*", "/a*x*y*c"], ["/a*d", "/b*c", "/ac"];
    no_name_of_git, false: "/.?", ["/?a", "/.*", "/.[!.]/.a"], ["/..?*", "/?.", "/[.][.]", "/\\."];
    nothing_has_it, false: "\\.", [], ["\\.", "*", "**", "/a/.*"];
    not_in_a_name, false: "/[.-0]", ["/[!a]", "/0", "/?"], ["/[!0]"];
}

#[test]
fn what_is_common_reads_well() {
    for (one, two, expected) in [
        ("src/**", "*.rs", "src/a.rs"),
        ("helm/", "/helm", "helm/x"),
        ("helm/", "/helm/values.yaml", "helm/values.yaml"),
        ("a/**/b", "**/c/*", "a/c/b"),
        ("**", "**/", "x/x"),
        ("/.*", "/*.", ".a."),
    ] {
        let path = pattern(one).common_path(&pattern(two), false).expect("a path");
        assert_eq!(String::from_utf8_lossy(&path), expected, "{one} and {two}");
    }
}

#[test]
fn many_stars_end_quickly() {
    let name = |end: &str| format!("/{}{end}", "*a".repeat(200));
    assert!(!meet(&name("c"), &name("d"), false));
    assert!(meet(&name("c"), &format!("{}*c", "b*".repeat(200)), true));
    // No path is at `\.`, so every pair of places has to be seen.
    let path = |end: &str| format!("{}{end}", "**/a*/*b/".repeat(50));
    assert!(!meet(&path("\\."), &path("*b*/\\."), false));
    assert!(meet(&path("c"), &path("*d"), false));
}

fn any_pattern() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        3 => "[abxA.]{1,2}",
        4 => r"([abx.]|\*|\?|\[ab\]|\[!a\]|\[\^.x\]|\[A-B\]|\[\[:upper:\]\]|\\\.|\\\*){1,3}",
        1 => Just("*".to_owned()),
        2 => Just("**".to_owned()),
    ];
    let pattern = ("/?", prop::collection::vec(name, 1..4), "/?");
    pattern
        .prop_map(|(first, names, last)| format!("{first}{}{last}", names.join("/")))
        .prop_filter("a pattern", |text| Pattern::new(text).is_ok())
}

/// Every path of up to three of these names.
fn small_paths() -> Vec<Vec<u8>> {
    let names = ["a", "b", "x", "B", ".a", "a.", "bx", "axb", "..b"];
    let mut paths: Vec<String> = names.map(str::to_owned).into();
    let mut from = 0;
    for _ in 0..2 {
        let end = paths.len();
        for at in from..end {
            paths.extend(names.map(|name| format!("{}/{name}", paths[at])));
        }
        from = end;
    }
    paths.into_iter().map(String::into_bytes).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(7),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_pattern_matches_as_a_set_of_it_does(
        text in any_pattern(),
        paths in prop::collection::vec("[abxA.]{1,3}(/[abxA.]{1,3}){0,3}/?", 20),
        is_folder: bool,
        fold: bool,
    ) {
        for path in paths {
            let matched = pattern(&text).matches(path.as_bytes(), is_folder, fold);
            let expected = in_set(&text, path.as_bytes(), is_folder, fold);
            prop_assert_eq!(matched, expected, "{} {}", text, path);
        }
    }

    #[test]
    fn an_example_is_a_path_of_the_pattern(text in any_pattern(), fold: bool) {
        let pattern = pattern(&text);
        let path = pattern.example(fold);
        prop_assert_eq!(path.is_some(), pattern.intersects(&pattern, fold), "{}", text);
        if let Some(path) = path {
            prop_assert!(pattern.matches(&path, false, fold), "{} {:?}", text, path);
            prop_assert!(path.split(|b| *b == b'/').all(is_name), "{} {:?}", text, path);
        }
    }

    #[test]
    fn patterns_meet_where_they_share_a_path(
        one in any_pattern(),
        two in any_pattern(),
        fold: bool,
    ) {
        let (a, b) = (pattern(&one), pattern(&two));
        let is_shared = |path: &Vec<u8>| {
            [true, false].iter().any(|is| a.matches(path, *is, fold) && b.matches(path, *is, fold))
        };
        // `meet` checks the path behind a yes.
        let shared = small_paths().into_iter().find(is_shared);
        prop_assert!(meet(&one, &two, fold) || shared.is_none(), "{} {} {:?}", one, two, shared);
    }
}
