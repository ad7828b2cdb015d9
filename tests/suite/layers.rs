//! The order of the layers inside the program: what stands further down in `LAYERS` may use what stands above it, and
//! nothing runs back. Between the crates the compiler holds the same. See ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The modules of `src`, each of which may use those before it.
const LAYERS: [&str; 30] = [
    "served",
    "ci",
    "init",
    "ports",
    "run",
    "notify",
    "web",
    "machine",
    "event_log",
    "journal",
    "locks",
    "requests",
    "landings",
    "gather",
    "custom",
    "rewrite",
    "conflicts",
    "install",
    "setup",
    "harness",
    "stack",
    "affected",
    "health",
    "status",
    "inbox",
    "doctor",
    "metrics",
    "ops",
    "cli",
    "commands",
];

/// Where files of the program are allowed to be beside those modules.
const ROOTS: [&str; 3] = ["lib", "main", "hook"];

#[test]
fn no_import_runs_against_the_order_of_the_layers() {
    let src = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut back = Vec::new();
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files(src) {
        let name = file.strip_prefix(src).unwrap().to_string_lossy().replace('\\', "/");
        let layer = name.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        if ROOTS.contains(&layer.as_str()) {
            continue;
        }
        let own = place(&layer).unwrap_or_else(|| panic!("{name}: `{layer}` has no place in LAYERS"));
        for used in used(&std::fs::read_to_string(&file).unwrap()) {
            // Macros and items of lib.rs itself are nobody's layer.
            let Some(other) = place(&used).filter(|_| used != layer) else { continue };
            if other > own {
                back.push(format!("{name} uses crate::{used}, which stands above {layer}"));
            }
            arrows.entry(layer.clone()).or_default().insert(used);
        }
    }
    for (layer, used) in &arrows {
        println!("{layer:>10} -> {}", used.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    }
    assert!(back.is_empty(), "imports that run back:\n  {}", back.join("\n  "));
}

/// What only one system has, and who may use it: the crate that has the like of it for every other.
const OF_ONE_SYSTEM: [&str; 7] =
    ["cfg(unix)", "cfg(not(unix))", "cfg!(unix)", "cfg(windows)", "std::os::unix", "rustix::", "signal_hook"];

#[test]
fn what_only_one_system_has_is_in_one_crate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of_system = root.join("crates/lane-os");
    let mut found = Vec::new();
    for file in [files(&root.join("src")), files(&root.join("crates"))].concat() {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let is_test = file.ends_with("tests.rs") || file.starts_with(&of_system);
        let lines = code.lines().filter(|line| !line.contains('"'));
        for line in lines.filter(|line| !is_test && OF_ONE_SYSTEM.iter().any(|word| line.contains(word))) {
            found.push(format!("{}: {}", file.display(), line.trim()));
        }
    }
    assert!(found.is_empty(), "put these into crates/lane-os: {found:#?}");
    let names = |folder: &str| -> BTreeSet<_> {
        let files = files(&of_system.join("src").join(folder));
        files.into_iter().map(|file| file.file_name().unwrap().to_owned()).collect()
    };
    assert_eq!(names("unix"), names("other"));
}

/// What only the command line knows: how arguments are read, and where text goes.
const OF_THE_COMMAND_LINE: [&str; 8] =
    ["clap", "println!", "eprintln!", "print!(", "eprint!(", "stdout()", "stderr()", "ExitCode"];

#[test]
fn nothing_below_the_command_line_reads_arguments_or_writes_to_a_terminal() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cli = place("cli").unwrap();
    let mut sources = files(&root.join("crates"));
    // Tests that are programs of their own tell what they find.
    let is_test = |file: &PathBuf| {
        file.strip_prefix(root)
            .is_ok_and(|file| file.components().nth(2).is_some_and(|part| part.as_os_str() == "tests"))
    };
    sources.retain(|file| !is_test(file));
    for layer in &LAYERS[..cli] {
        let file = root.join(format!("src/{layer}.rs"));
        sources.extend(file.is_file().then_some(file));
        let folder = root.join("src").join(layer);
        if folder.is_dir() {
            sources.extend(files(&folder));
        }
    }
    let mut found = Vec::new();
    for file in sources {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in lines.filter(|line| OF_THE_COMMAND_LINE.iter().any(|word| line.contains(word))) {
            found.push(format!("{}: {}", file.strip_prefix(root).unwrap().display(), line.trim()));
        }
    }
    assert!(found.is_empty(), "of the command line:\n  {}", found.join("\n  "));
}

/// What the crates below may depend on, of ours: the compiler refuses a circle, and this one more arrow.
#[test]
fn crates_know_nothing_above_them() {
    let allowed = [
        ("lane-core", vec![]),
        ("lane-os", vec![]),
        ("lane-git", vec!["lane-core", "lane-os"]),
        ("lane-github", vec!["lane-core"]),
    ];
    for (name, below) in allowed {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates").join(name).join("Cargo.toml");
        let text = std::fs::read_to_string(path).unwrap();
        let ours = text.lines().filter_map(|line| line.split(['.', ' ']).next());
        let ours: Vec<&str> = ours.filter(|word| word.starts_with("lane-") || *word == "git-lane").collect();
        assert_eq!(ours, below, "{name}");
    }
}

fn place(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|known| *known == layer)
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false if path.extension().is_some_and(|end| end == "rs") => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

/// The modules that stand after `crate::` in a text, comments left out.
fn used(text: &str) -> BTreeSet<String> {
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => found.extend(word(rest)),
            Some(group) => found.extend(heads(group)),
        }
    }
    found
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    Some(text[..end].to_owned()).filter(|word| !word.is_empty())
}

/// The first words of the items of a group, up to its end.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut is_head, mut found) = (0, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_head = true,
            c if is_head && (c.is_alphanumeric() || c == '_') => {
                found.extend(word(&group[at..]));
                is_head = false;
            }
            _ => {}
        }
    }
    found
}

#[test]
fn imports_are_found_however_they_are_written() {
    let text = "use crate::{a, b::{c, d}, e::f};\nuse crate::g::h;\n// crate::i\nfn x() { crate::j::k(); lane_crate::l(); }";
    assert_eq!(used(text).into_iter().collect::<Vec<_>>(), ["a", "b", "e", "g", "j"]);
}

/// How many lines a file of source may have; unit tests in a `tests.rs` of their own do not count.
const LONGEST_FILE: usize = 400;

#[test]
fn no_file_is_longer_than_400_lines() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter_map(|file| {
            let lines = std::fs::read_to_string(&file).unwrap().lines().count();
            (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "divide them by subject:\n{}", long.join("\n"));
}

/// How many lines a function may have.
const LONGEST_FUNCTION: usize = 60;

/// Functions that are longer, and why they are not divided.
const LONG_FUNCTIONS: [(&str, &str, &str); 1] =
    [("src/status/screen.rs", "details", "a list of rows, each of which stands alone")];

#[test]
fn no_function_is_longer_than_60_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut long = Vec::new();
    let mut excepted = BTreeSet::new();
    for file in sources() {
        let name = file.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        for (function, lines) in functions(&std::fs::read_to_string(&file).unwrap()) {
            if lines <= LONGEST_FUNCTION {
                continue;
            }
            let is_it = |(path, known, _): &&(&str, &str, &str)| *path == name && *known == function;
            match LONG_FUNCTIONS.iter().find(is_it) {
                Some(exception) => drop(excepted.insert(exception)),
                None => long.push(format!("{name}: {function} has {lines} lines")),
            }
        }
    }
    assert!(long.is_empty(), "divide them where they fall apart:\n{}", long.join("\n"));
    assert_eq!(excepted.len(), LONG_FUNCTIONS.len(), "no longer an exception; these still are: {excepted:?}");
}

/// The sources of the program, its crates and its tasks, but for unit tests that have a file of their own.
fn sources() -> Vec<PathBuf> {
    let tasks = Path::new(env!("CARGO_MANIFEST_DIR")).join("xtask/src");
    let all = crate::advice_commands::sources().into_iter().chain([tasks]).flat_map(|folder| files(&folder));
    all.filter(|file| file.file_name().is_none_or(|name| name != "tests.rs")).collect()
}

/// The functions of a text as rustfmt writes it, each with how many lines it has: it ends at the brace that stands as far
/// to the right as it does.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let start = line.trim_start();
        let indent = &line[..line.len() - start.len()];
        let Some((before, name)) = start.split_once("fn ") else { continue };
        let is_head = before.split_whitespace().all(|word| {
            word.starts_with("pub")
                || word == "in"
                || word.ends_with(')')
                || matches!(word, "const" | "async")
        });
        // One that has no body, or all of it on this line.
        if !is_head || line.ends_with([';', '}']) {
            continue;
        }
        let is_last = |line: &&str| {
            line.strip_prefix(indent).is_some_and(|rest| {
                rest == "}" || (rest.starts_with(')') && (rest.ends_with(';') || rest.ends_with('}')))
            })
        };
        let len = lines[at..].iter().position(is_last).unwrap_or_else(|| panic!("no end: {line}")) + 1;
        found.extend(word(name).map(|name| (name, len)));
    }
    found
}

#[test]
fn functions_are_measured_from_their_head_to_their_brace() {
    let text = [
        "pub(super) fn a<T>(",
        "    b: T,",
        ") -> T",
        "where",
        "    T: Copy,",
        "{",
        "    if b {",
        "    }",
        "    b",
        "}",
        "trait T {",
        "    fn c(&self);",
        "    fn d(",
        "        &self,",
        "    );",
        "    fn e() {}",
        "    const fn f() {",
        "        g();",
        "    }",
        "}",
        "// fn h() {",
    ];
    let found = functions(&text.join("\n"));
    assert_eq!(found, [("a".to_owned(), 10), ("d".to_owned(), 3), ("f".to_owned(), 3)]);
}
