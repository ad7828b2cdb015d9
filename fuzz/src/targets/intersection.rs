//! Whether two patterns meet, and whether one covers the other, held against all paths of a few short names.
//!
//! Input: a pattern, another one, and further paths to try, each on a line.

use lane_core::policy::pathset::PathSet;
use lane_core::policy::pattern::{Pattern, Segment};

/// Longer ones say nothing new.
const LONGEST: usize = 64;

/// Runs the target.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.lines();
    let (Some(one), Some(two)) = (lines.next(), lines.next()) else { return };
    if one.len() > LONGEST || two.len() > LONGEST {
        return;
    }
    let (Ok(one), Ok(two)) = (Pattern::new(one), Pattern::new(two)) else { return };
    let typed = lines.map(|line| line.as_bytes().to_vec()).filter(|path| is_path(path)).take(4);
    let paths: Vec<Vec<u8>> = typed.chain(small_paths(&one, &two)).collect();
    for fold in [false, true] {
        meet(&one, &two, fold, &paths);
    }
    covers(&one, &two, &paths);
    covers(&two, &one, &paths);
}

fn meet(one: &Pattern, two: &Pattern, fold: bool, paths: &[Vec<u8>]) {
    let common = one.common_path(two, fold);
    assert_eq!(common.is_some(), two.intersects(one, fold), "the other way about");
    match common {
        Some(path) => {
            let shown = String::from_utf8_lossy(&path);
            assert!(is_path(&path), "{shown} is no path");
            assert!(in_set(one, &path, fold) && in_set(two, &path, fold), "{shown} is not in both");
        }
        None => {
            for path in paths {
                for is_folder in [false, true] {
                    let is_shared = one.matches(path, is_folder, fold) && two.matches(path, is_folder, fold);
                    assert!(!is_shared, "both have {}", String::from_utf8_lossy(path));
                }
            }
        }
    }
    let example = one.example(fold);
    assert_eq!(example.is_some(), one.intersects(one, fold), "an example");
    assert!(example.is_none_or(|path| is_path(&path) && in_set(one, &path, fold)), "no example");
}

fn covers(wide: &Pattern, narrow: &Pattern, paths: &[Vec<u8>]) {
    if !wide.covers(narrow) {
        return;
    }
    for path in paths {
        for is_folder in [false, true] {
            let is_in = !narrow.matches(path, is_folder, false) || wide.matches(path, is_folder, false);
            assert!(is_in, "{} is not covered", String::from_utf8_lossy(path));
        }
    }
    let example = narrow.example(false);
    assert!(example.is_none_or(|path| wide.matches(&path, false, false)), "an example is not covered");
}

fn in_set(pattern: &Pattern, path: &[u8], fold: bool) -> bool {
    let mut set = PathSet::new(fold);
    set.insert(pattern, 0);
    set.last_match(path, false).is_some()
}

fn is_path(path: &[u8]) -> bool {
    let is_name = |name: &[u8]| !name.is_empty() && name != b"." && name != b".." && !name.contains(&0);
    path.split(|byte| *byte == b'/').all(is_name)
}

/// Paths of up to two names, which are of the patterns' own literals and of two of their bytes.
fn small_paths(one: &Pattern, two: &Pattern) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut bytes: Vec<u8> = Vec::new();
    for segment in one.segments.iter().chain(&two.segments) {
        let text = match segment {
            Segment::AnyDepth => continue,
            Segment::Literal(name) => {
                names.push(name.clone());
                name
            }
            Segment::Wild(wild) => wild,
        };
        bytes.extend(text.iter().filter(|byte| !b"*?[]!^\\/".contains(byte)));
    }
    names.truncate(4);
    bytes.extend(*b"ab");
    bytes.dedup();
    bytes.truncate(2);
    for byte in &bytes {
        names.push(vec![*byte]);
        names.extend(bytes.iter().map(|other| vec![*byte, *other]));
    }
    names.retain(|name| is_path(name));
    let below =
        names.iter().flat_map(|name| names.iter().map(move |under| [name.as_slice(), under].join(&b'/')));
    let paths: Vec<Vec<u8>> = below.collect();
    names.into_iter().chain(paths).collect()
}
