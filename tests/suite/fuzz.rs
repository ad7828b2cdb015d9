//! The targets of `fuzz/` without a fuzzer: all seeds, and a few thousand changes of them, the same ones each time. See
//! docs/fuzzing.md.

use std::path::Path;

/// What the targets need of the program.
mod program {
    pub use git_lane::{ci, gather};
}

#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

/// How many changed inputs each target runs.
const CHANGES: usize = 300;

/// Numbers that look random and are the same each time: xorshift, from Marsaglia's "Xorshift RNGs".
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}

/// One of the inputs with one to four changes: bytes replaced, removed, doubled, or taken from another one.
fn changed(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    const BYTES: &[u8] = b"\0\n\t */\\[]!?'\"$(){}#:;,-=<>&|@~ab01\xc3\xff";
    let mut input = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(input.len() + 1);
        let end = (at + numbers.below(12)).min(input.len());
        let other = &seeds[numbers.below(seeds.len())];
        let from = numbers.below(other.len() + 1);
        let new = match numbers.below(5) {
            0 => Vec::new(),
            1 => input[at..end].repeat(2),
            2 => other[from..(from + numbers.below(40)).min(other.len())].to_vec(),
            _ => vec![BYTES[numbers.below(BYTES.len())]],
        };
        input.splice(at..end, new);
    }
    input
}

/// The seeds of a target, by name.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Runs one input; what a target panics with is followed by the input.
fn run(name: &str, target: fn(&[u8]), input: &[u8]) {
    if std::panic::catch_unwind(|| target(input)).is_err() {
        panic!("the target {name} fails for:\n{}", input.escape_ascii());
    }
}

#[test]
fn every_target_holds_for_its_seeds_and_for_changes_of_them() {
    for (name, target) in targets::TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        seeds.iter().for_each(|seed| run(name, target, seed));
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for _ in 0..CHANGES {
            run(name, target, &changed(&seeds, &mut numbers));
        }
    }
}

#[test]
fn every_target_is_a_program_of_cargo_fuzz() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
    for (name, _) in targets::TARGETS {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        let program = std::fs::read_to_string(root.join(format!("fuzz/fuzz_targets/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("targets::{name}::run")), "{name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), targets::TARGETS.len());
}
