//! Our patterns held against git's own answers.

use std::io::Write;
use std::process::Stdio;

use crate::support::{Scratch, command};
use lane_core::policy::pathset::PathSet;
use lane_core::policy::pattern::Pattern;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Which of the paths git ignores under one pattern; a folder ends in a slash.
fn ignored(scratch: &Scratch, pattern: &str, paths: &[String], fold: bool) -> Vec<bool> {
    std::fs::write(scratch.home().join("excludes"), format!("{pattern}\n")).unwrap();
    let mut git = command("git", &scratch.root(), &scratch.home());
    git.args(["-c", "core.excludesFile=../excludes", "-c", &format!("core.ignoreCase={fold}")]);
    git.args(["check-ignore", "--no-index", "--stdin", "-z", "-v", "-n"]);
    let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all((paths.join("\0") + "\0").as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap().stdout;
    let fields: Vec<&[u8]> = out.split(|b| *b == 0).collect();
    fields.chunks_exact(4).map(|record| !record[2].is_empty()).collect()
}

fn ours(pattern: &Pattern, path: &str, fold: bool) -> bool {
    let mut set = PathSet::new(fold);
    set.insert(pattern, 0);
    let folder = path.strip_suffix('/');
    set.last_match(folder.unwrap_or(path).as_bytes(), folder.is_some()).is_some()
}

fn compare(scratch: &Scratch, pattern: &str, paths: &[String], fold: bool) {
    let Ok(compiled) = Pattern::new(pattern) else {
        return;
    };
    let theirs = ignored(scratch, pattern, paths, fold);
    assert_eq!(theirs.len(), paths.len(), "{pattern}");
    for (path, theirs) in paths.iter().zip(theirs) {
        // Given `a/`, check-ignore lets `**` match the nothing after the slash, which no walk of a
        // folder does.
        if path.ends_with('/') && pattern.contains("**") {
            continue;
        }
        assert_eq!(ours(&compiled, path, fold), theirs, "pattern `{pattern}`, path `{path}`, fold {fold}");
    }
}

#[test]
fn patterns_match_what_git_ignores() {
    let scratch = Scratch::empty();
    let part = prop_oneof![
        4 => "[abA]{1,2}",
        2 => "[ab]?\\*[ab]?",
        1 => "[ab]\\?",
        1 => Just("**".to_owned()),
        1 => Just("[!a]b".to_owned()),
        1 => Just("[a-b]*".to_owned()),
        1 => Just("[b-a]".to_owned()),
        1 => Just("[[:upper:]]".to_owned()),
        1 => Just("a\\*".to_owned()),
        1 => Just("a**b".to_owned()),
    ];
    let pattern = (proptest::collection::vec(part, 1..4), any::<bool>(), any::<bool>()).prop_map(
        |(parts, first, last)| {
            format!("{}{}{}", if first { "/" } else { "" }, parts.join("/"), if last { "/" } else { "" })
        },
    );
    let name = prop_oneof![4 => "[abA]{1,3}", 1 => Just("a*".to_owned())];
    let path = (proptest::collection::vec(name, 1..5), any::<bool>())
        .prop_map(|(names, folder)| format!("{}{}", names.join("/"), if folder { "/" } else { "" }));
    let paths = proptest::collection::vec(path, 60);
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config { cases: 250, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    runner
        .run(&(pattern, paths, any::<bool>()), |(pattern, paths, fold)| {
            compare(&scratch, &pattern, &paths, fold);
            Ok(())
        })
        .unwrap();
}

#[test]
fn one_pattern_covers_another_only_if_it_has_all_its_paths() {
    let part =
        prop_oneof![3 => "[ab]{1,2}", 1 => Just("*".to_owned()), 1 => Just("**".to_owned()), 1 => "[ab]\\*"];
    let pattern = (proptest::collection::vec(part, 1..4), any::<bool>(), any::<bool>()).prop_map(
        |(parts, first, last)| {
            format!("{}{}{}", if first { "/" } else { "" }, parts.join("/"), if last { "/" } else { "" })
        },
    );
    let path = (proptest::collection::vec("[ab]{1,2}", 1..5), any::<bool>())
        .prop_map(|(names, folder)| format!("{}{}", names.join("/"), if folder { "/" } else { "" }));
    let inputs = (pattern.clone(), pattern, proptest::collection::vec(path, 40));
    let config = Config { cases: 1500, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let covering = std::cell::Cell::new(0);
    runner
        .run(&inputs, |(wide, narrow, paths)| {
            let (Ok(a), Ok(b)) = (Pattern::new(&wide), Pattern::new(&narrow)) else {
                return Ok(());
            };
            if a.covers(&b) {
                covering.set(covering.get() + 1);
                for path in &paths {
                    prop_assert!(!ours(&b, path, false) || ours(&a, path, false), "{wide} {narrow} {path}");
                }
            }
            Ok(())
        })
        .unwrap();
    assert!(covering.get() > 50, "only {} pairs cover", covering.get());
}
