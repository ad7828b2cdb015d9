//! What a policy costs: reading and compiling it, deciding paths with it; beside the same patterns in
//! a glob library. `cargo bench --bench policy`. Prints medians; one run has both sides.
#![allow(clippy::unwrap_used, missing_docs)]

mod timing;

use std::fmt::Write;
use std::hint::black_box;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use lane_core::policy::pathset::PathSet;
use lane_core::policy::pattern::Pattern;
use lane_core::policy::{Source, load};
use timing::median;

/// A policy of this many agents, ten patterns each, and the paths that are asked for.
fn policy(agents: usize) -> (String, Vec<String>, Vec<String>) {
    let mut text = String::from("version: 1\nservices: { paths: \"services/{service}/**\" }\nagents:\n");
    let (mut patterns, mut paths) = (Vec::new(), Vec::new());
    for n in 0..agents {
        let services: Vec<String> = (0..5).map(|s| format!("s{n}x{s}")).collect();
        let owned = [
            format!("/docs/team{n}/"),
            format!("team{n}.md"),
            format!("*.team{n}"),
            format!("**/team{n}/**"),
            format!("lib/*/team{n}_*.rs"),
        ];
        let quoted: Vec<String> = owned.iter().map(|p| format!("\"{p}\"")).collect();
        let _ = writeln!(
            text,
            "  a{n}: {{ services: [{}], owns: [{}] }}",
            services.join(", "),
            quoted.join(", ")
        );
        patterns.extend(services.iter().map(|s| format!("services/{s}/**")));
        patterns.extend(owned);
        paths.push(format!("services/s{n}x3/src/deep/main.py"));
        paths.push(format!("lib/x/team{n}_a.rs"));
        paths.push(format!("web/src/pages/p{n}.tsx"));
    }
    (text, patterns, paths)
}

/// gitignore semantics in globs: each pattern, and all that is below it.
fn glob_set(patterns: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let trimmed = pattern.trim_end_matches('/');
        let anchored = trimmed.contains('/');
        let glob = format!("{}{}", if anchored { "" } else { "**/" }, trimmed.trim_start_matches('/'));
        let below = format!("{glob}/**");
        for text in [glob, below] {
            set.add(GlobBuilder::new(&text).literal_separator(true).build().unwrap());
        }
    }
    set.build().unwrap()
}

fn main() {
    if std::env::args().any(|arg| arg == "--test") {
        return; // `cargo test --benches` only wants to know that it builds
    }
    println!(
        "{:>9} {:>12} {:>14} {:>14} {:>16} {:>16}",
        "patterns", "load policy", "compile: trie", "globset", "a path: trie", "globset"
    );
    for (agents, rounds) in [(4, 201), (100, 31), (1000, 9)] {
        let (text, patterns, paths) = policy(agents);
        let source = || Source::new("policy.yaml", text.clone());
        let loading = median(rounds, || {
            black_box(load(source(), false).unwrap());
        });
        let trie = || {
            let mut set = PathSet::new(false);
            for (id, text) in patterns.iter().enumerate() {
                set.insert(&Pattern::new(text).unwrap(), id);
            }
            set
        };
        let compile = median(rounds, || {
            black_box(trie());
        });
        let compile_globs = median(rounds.min(5), || {
            black_box(glob_set(&patterns));
        });
        let (set, globs) = (trie(), glob_set(&patterns));
        let each = u32::try_from(paths.len()).unwrap();
        let decide = median(rounds, || {
            for path in &paths {
                black_box(set.last_match(path.as_bytes(), false));
            }
        });
        let decide_globs = median(rounds.min(5), || {
            for path in &paths {
                black_box(globs.matches(path).last().copied());
            }
        });
        println!(
            "{:>9} {:>12.1?} {:>14.1?} {:>14.1?} {:>16.2?} {:>16.2?}",
            patterns.len(),
            loading,
            compile,
            compile_globs,
            decide / each,
            decide_globs / each
        );
    }
}
