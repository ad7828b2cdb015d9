//! Merge bases with a commit graph, beside `git merge-base`.

use std::fmt::Write as _;

use crate::support::Scratch;
use lane_core::facts::Oid;
use lane_git::{Git2Repository, Repository};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// A commit: which earlier ones are its parents, and when it says it was made.
type Made = (Vec<prop::sample::Index>, u32);

/// How a graph is written.
#[derive(Debug, Clone, Copy)]
enum Graph {
    None,
    /// Of the first so many commits.
    Whole(usize),
    /// In two files, of which the second builds on the first.
    Chain(usize, usize),
    /// As older gits wrote it: generations alone, without dates that are corrected.
    Old(usize),
}

fn made() -> impl Strategy<Value = Made> {
    let parents = prop_oneof![1 => Just(0_usize), 8 => Just(1), 5 => Just(2), 1 => Just(3)];
    let parents = parents.prop_flat_map(|count| prop::collection::vec(any::<prop::sample::Index>(), count));
    // Dates that say nothing, among them some before all others.
    (parents, prop_oneof![3 => 1000..1010_u32, 1 => 1..2000_u32])
}

fn any_graph() -> impl Strategy<Value = Graph> {
    prop_oneof![
        1 => Just(Graph::None),
        4 => (1..14_usize).prop_map(Graph::Whole),
        2 => (1..7_usize, 7..14_usize).prop_map(|(first, all)| Graph::Chain(first, all)),
        1 => (1..14_usize).prop_map(Graph::Old),
    ]
}

/// Makes the commits, in branches `b0`, `b1` …; their ids.
fn make(scratch: &Scratch, history: &[Made]) -> Vec<Oid> {
    let mut text = String::new();
    for (at, (parents, time)) in history.iter().enumerate() {
        let message = format!("{at:02}");
        write!(text, "reset refs/heads/b{at}\n\ncommit refs/heads/b{at}\nmark :{}\n", at + 1).unwrap();
        write!(text, "committer T <t@example.com> {time} +0000\ndata 2\n{message}\n").unwrap();
        let mut parents: Vec<usize> =
            parents.iter().filter(|_| at > 0).map(|parent| parent.index(at) + 1).collect();
        parents.dedup();
        for (nth, parent) in parents.iter().enumerate() {
            writeln!(text, "{} :{parent}", if nth == 0 { "from" } else { "merge" }).unwrap();
        }
        text.push('\n');
    }
    scratch.main().git_stdin(&["fast-import", "--quiet", "--force"], text.as_bytes()).ok();
    (0..history.len()).map(|at| oid(scratch, &format!("b{at}"))).collect()
}

fn oid(scratch: &Scratch, name: &str) -> Oid {
    Oid::from_hex(scratch.git(&["rev-parse", name]).ok().out.trim()).unwrap()
}

fn write_graph(scratch: &Scratch, graph: Graph, oids: &[Oid]) {
    let write = |count: usize, args: &[&str]| {
        let commits: String = oids.iter().take(count).map(|oid| format!("{oid}\n")).collect();
        let args = [&["commit-graph", "write", "--stdin-commits", "--no-progress"], args].concat();
        scratch.main().git_stdin(&args, commits.as_bytes()).ok();
    };
    match graph {
        Graph::None => {}
        Graph::Whole(count) => write(count, &[]),
        Graph::Chain(first, all) => {
            write(first, &["--split"]);
            write(all, &["--split=no-merge"]);
        }
        Graph::Old(count) => {
            scratch.git(&["config", "commitGraph.generationVersion", "1"]).ok();
            write(count, &[]);
        }
    }
}

/// What git says; nothing where two commits share no history.
fn gits(scratch: &Scratch, args: &[&str]) -> Vec<String> {
    let ran = scratch.git(&[&["merge-base"], args].concat());
    assert!(ran.code == 0 || ran.err.is_empty(), "{}", ran.err);
    ran.out.lines().map(str::to_owned).collect()
}

fn sorted(oids: impl IntoIterator<Item = Oid>) -> Vec<String> {
    let mut names: Vec<String> = oids.into_iter().map(|oid| oid.to_string()).collect();
    names.sort();
    names
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(5),
        ..ProptestConfig::default()
    })]

    #[test]
    fn merge_bases_are_gits(history in prop::collection::vec(made(), 2..14), graph in any_graph()) {
        let scratch = Scratch::empty();
        scratch.git(&["init", "-q", "-b", "main"]).ok();
        let oids = make(&scratch, &history);
        write_graph(&scratch, graph, &oids);
        let repo = Git2Repository::open_at(&scratch.root()).unwrap();
        let pairs = (0..oids.len()).flat_map(|at| (0..=at).map(move |other| (at, other)));
        for (one, two) in pairs.map(|(one, two)| (oids[one], oids[two])) {
            let mut theirs = gits(&scratch, &["--all", &one.to_string(), &two.to_string()]);
            theirs.sort();
            prop_assert_eq!(sorted(repo.merge_bases(one, two).unwrap()), theirs, "{:?} {:?}", history, graph);
        }
        for all in oids.windows(3) {
            let names: Vec<String> = all.iter().map(Oid::to_string).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let theirs = gits(&scratch, &[&["--all"], &names[..]].concat());
            match repo.merge_base(all[0], &all[1..]).unwrap() {
                Some(base) => prop_assert!(theirs.contains(&base.to_string()), "{:?} {:?}", history, graph),
                None => prop_assert!(theirs.is_empty(), "{:?} {:?}", history, graph),
            }
        }
    }

    #[test]
    fn what_is_reached_is_gits(
        mut history in prop::collection::vec(made(), 2..14),
        graph in any_graph(),
        is_in_order in any::<bool>(),
    ) {
        if is_in_order {
            for (at, (_, time)) in history.iter_mut().enumerate() {
                *time = 1000 + u32::try_from(at / 3).unwrap();
            }
        }
        let scratch = Scratch::empty();
        scratch.git(&["init", "-q", "-b", "main"]).ok();
        let oids = make(&scratch, &history);
        write_graph(&scratch, graph, &oids);
        let repo = Git2Repository::open_at(&scratch.root()).unwrap();
        for at in 0..oids.len() {
            let (include, exclude) = ([oids[at], oids[(at + 3) % oids.len()]], [oids[(at * 5 + 1) % oids.len()]]);
            let exclude = if at % 4 == 0 { &[][..] } else { &exclude[..] };
            let ours = repo.commits(&include, exclude).unwrap();
            let named = include.iter().map(Oid::to_string).chain(exclude.iter().map(|oid| format!("^{oid}")));
            let named: Vec<String> = named.collect();
            let args = [&["rev-list", "--topo-order"][..], &named.iter().map(String::as_str).collect::<Vec<_>>()];
            let mut theirs: Vec<Oid> =
                scratch.git(&args.concat()).ok().out.lines().map(|line| Oid::from_hex(line).unwrap()).collect();
            // Where clocks are wrong git may list too much, and so may we; never too little.
            if is_in_order {
                theirs.reverse();
                prop_assert_eq!(&ours, &theirs, "{:?} {:?}", history, graph);
            } else {
                let left_out = exclude.first().map(|oid| repo.commits(&[*oid], &[]).unwrap()).unwrap_or_default();
                let all = repo.commits(&include, &[]).unwrap();
                for oid in all.iter().filter(|oid| !left_out.contains(oid)) {
                    prop_assert!(ours.contains(oid), "{} {:?} {:?}", oid, history, graph);
                }
            }
            for (place, oid) in ours.iter().enumerate() {
                for parent in repo.commit(*oid).unwrap().parents {
                    let parents_place = ours.iter().position(|other| *other == parent);
                    prop_assert!(parents_place.is_none_or(|before| before < place), "{:?} {:?}", history, graph);
                }
            }
        }
    }
}

/// A line of commits and the middle one of its objects, which is taken away; a graph is written before.
fn with_a_gap(args: &[&str]) -> (Scratch, [Oid; 2]) {
    let scratch = Scratch::new();
    for at in 0..5 {
        scratch.git(&["commit", "-q", "--allow-empty", "-m", &at.to_string()]).ok();
        if args.contains(&"--split=no-merge") {
            scratch.git(&[&["commit-graph", "write", "--reachable"], args].concat()).ok();
        }
    }
    scratch.git(&[&["commit-graph", "write", "--reachable"], args].concat()).ok();
    let gap = oid(&scratch, "HEAD~2").to_string();
    let ends = [oid(&scratch, "HEAD"), oid(&scratch, "HEAD~4")];
    std::fs::remove_file(scratch.root().join(".git/objects").join(&gap[..2]).join(&gap[2..])).unwrap();
    (scratch, ends)
}

fn base(scratch: &Scratch, [tip, first]: [Oid; 2]) -> Option<Option<Oid>> {
    Git2Repository::open_at(&scratch.root()).unwrap().merge_base(tip, &[first]).ok()
}

#[test]
fn commits_of_the_graph_are_not_read() {
    let (scratch, ends) = with_a_gap(&["--split=no-merge"]);
    assert_eq!(base(&scratch, ends), Some(Some(ends[1])), "a chain");
    let (scratch, ends) = with_a_gap(&[]);
    assert_eq!(base(&scratch, ends), Some(Some(ends[1])));
    let graph = scratch.root().join(".git/objects/info/commit-graph");
    let whole = std::fs::read(&graph).unwrap();
    let mut damaged = whole.clone();
    damaged[0] ^= 1;
    for bytes in [&damaged, &whole[..40], &[]] {
        std::fs::remove_file(&graph).unwrap();
        std::fs::write(&graph, bytes).unwrap();
        assert_eq!(base(&scratch, ends), None, "one that is damaged is not read");
    }
    std::fs::write(&graph, &whole).unwrap();
    assert_eq!(base(&scratch, ends), Some(Some(ends[1])));
    scratch.git(&["config", "core.commitGraph", "false"]).ok();
    assert_eq!(base(&scratch, ends), None, "git would not read it either");
}

#[test]
fn a_graph_from_before_a_history_was_cut_off_is_not_read() {
    let (scratch, ends) = with_a_gap(&[]);
    std::fs::write(scratch.root().join(".git/shallow"), format!("{}\n", ends[0])).unwrap();
    assert_ne!(base(&scratch, ends), Some(Some(ends[1])));
    let theirs = gits(&scratch, &ends.map(|oid| oid.to_string()).each_ref().map(String::as_str));
    assert_eq!(theirs, Vec::<String>::new());
}

/// The file of a graph, with all of its commits once more, as one that builds on a file of `count` commits: gits before 2.30
/// left such chains. gitformat-commit-graph(5).
fn on_top(file: &[u8], count: u32, below: &str) -> Vec<u8> {
    let word = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
    let chunks = usize::from(file[6]);
    let starts: Vec<(u32, usize)> =
        (0..=chunks).map(|nth| (word(8 + nth * 12), word(16 + nth * 12) as usize)).collect();
    let chunk = |name: &[u8; 4]| {
        let nth = starts.iter().position(|(id, _)| id.to_be_bytes() == *name).unwrap();
        file[starts[nth].1..starts[nth + 1].1].to_vec()
    };
    let mut data = chunk(b"CDAT");
    for place in data.chunks_exact_mut(36).flat_map(|commit| commit[20..28].chunks_exact_mut(4)) {
        let parent = u32::from_be_bytes(place.try_into().unwrap());
        if parent < 0x7000_0000 {
            place.copy_from_slice(&(parent + count).to_be_bytes());
        }
    }
    let below = Oid::from_hex(below).unwrap().as_bytes().to_vec();
    let bodies =
        [(*b"OIDF", chunk(b"OIDF")), (*b"OIDL", chunk(b"OIDL")), (*b"CDAT", data), (*b"BASE", below)];
    let mut made = [b"CGPH".as_slice(), &[1, 1, 4, 1]].concat();
    let mut at = 8 + 5 * 12;
    for (name, body) in bodies.iter().map(|(name, body)| (*name, body.len())).chain([([0; 4], 0)]) {
        made.extend(name);
        made.extend((at as u64).to_be_bytes());
        at += body;
    }
    made.extend(bodies.iter().flat_map(|(_, body)| body));
    made.extend([7; 20]);
    made
}

#[test]
fn a_commit_in_two_files_of_a_chain_is_one() {
    let scratch = Scratch::new();
    for at in 0..5 {
        scratch.git(&["commit", "-q", "--allow-empty", "-m", &at.to_string()]).ok();
    }
    let info = scratch.root().join(".git/objects/info");
    scratch.git(&["commit-graph", "write", "--reachable"]).ok();
    let whole = std::fs::read(info.join("commit-graph")).unwrap();
    std::fs::remove_file(info.join("commit-graph")).unwrap();
    let lower = scratch.git(&["rev-list", "HEAD~2"]).ok().out;
    let args = ["commit-graph", "write", "--stdin-commits", "--split"];
    scratch.main().git_stdin(&args, lower.as_bytes()).ok();
    let chain = info.join("commit-graphs/commit-graph-chain");
    let below = std::fs::read_to_string(&chain).unwrap();
    let upper = on_top(&whole, lower.lines().count() as u32, below.trim());
    std::fs::write(info.join(format!("commit-graphs/graph-{}.graph", "07".repeat(20))), upper).unwrap();
    let mut permissions = std::fs::metadata(&chain).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    std::fs::set_permissions(&chain, permissions).unwrap();
    std::fs::write(&chain, format!("{below}{}\n", "07".repeat(20))).unwrap();
    let oids: Vec<Oid> = (0..5).map(|at| oid(&scratch, &format!("HEAD~{at}"))).collect();
    for (at, older) in oids.iter().enumerate() {
        for newer in &oids[..=at] {
            assert_eq!(base(&scratch, [*newer, *older]), Some(Some(*older)));
            assert_eq!(base(&scratch, [*older, *newer]), Some(Some(*older)));
        }
    }
}
