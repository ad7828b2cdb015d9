use super::*;
use std::io::Cursor;

#[test]
fn what_is_no_index_has_no_tree() {
    for bytes in [&b""[..], b"DIRC\0\0\0\x02\xff\xff\xff\xff", &[b'x'; 100], b"DIRC\0\0\0\x02\0\0\0\0"] {
        assert!(!matches!(cached_tree(Cursor::new(bytes), None), Ok(Some(_))));
    }
}
const ROOT: [u8; 20] = [7; 20];

/// An index of version 2 with these names, and these extensions.
fn index(names: &[&str], extensions: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut bytes = [b"DIRC".as_slice(), &[0, 0, 0, 2], &(names.len() as u32).to_be_bytes()].concat();
    for name in names {
        bytes.extend([b'1'; STAT + 20]);
        bytes.extend((name.len().min(0xfff) as u16).to_be_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend(vec![0; (62 + name.len()) / 8 * 8 + 8 - 62 - name.len()]);
    }
    for (name, body) in extensions {
        bytes.extend(*name);
        bytes.extend((body.len() as u32).to_be_bytes());
        bytes.extend(body);
    }
    bytes.extend([0; 20]);
    bytes
}

fn node(path: &str, numbers: &str, id: [u8; 20]) -> Vec<u8> {
    [path.as_bytes(), b"\0", numbers.as_bytes(), b"\n", &id].concat()
}

fn told(bytes: &[u8]) -> Option<Oid> {
    cached_tree(Cursor::new(bytes), None).expect("reads").map(|found| found.tree)
}

fn found(names: &[&str], extensions: &[(&[u8; 4], Vec<u8>)]) -> Option<Oid> {
    told(&index(names, extensions))
}

#[test]
fn a_tree_counts_if_every_node_is_valid_and_all_entries_are_in_it() {
    let names = ["a", "b/c"];
    let sub = |numbers| node("b", numbers, [9; 20]);
    let tree = |root, sub: &[u8]| vec![(b"TREE", [node("", root, ROOT).as_slice(), sub].concat())];
    assert_eq!(found(&names, &tree("2 1", &sub("1 0"))), Oid::from_bytes(&ROOT));
    assert_eq!(found(&names, &tree("2 1", &sub("-1 0"))), None, "a folder has changed");
    assert_eq!(found(&names, &tree("-1 1", &sub("1 0"))), None, "the root has changed");
    assert_eq!(found(&names, &tree("3 1", &sub("1 0"))), None, "of another index");
    assert_eq!(found(&names, &tree("2 2", &sub("1 0"))), None, "a node is missing");
    assert_eq!(found(&names, &tree("2 0", &sub("1 0"))), None, "a node too many");
    assert_eq!(found(&names, &[]), None);
}

#[test]
fn extensions_that_must_be_known_are() {
    let with = |name| found(&["a"], &[(name, vec![1; 9]), (b"TREE", node("", "1 0", ROOT))]);
    for name in [b"REUC", b"UNTR", b"EOIE", b"sdir"] {
        assert_eq!(with(name), Oid::from_bytes(&ROOT));
    }
    for name in [b"link", b"new!"] {
        assert_eq!(with(name), None);
    }
}

/// The same with what git says of where its entries end.
fn ended(names: &[&str], extensions: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let begin = index(names, &[]).len() - 20;
    let mut hash = Sha1::new();
    for (name, body) in extensions {
        hash.update([name.as_slice(), &(body.len() as u32).to_be_bytes()].concat());
    }
    let end = [(begin as u32).to_be_bytes().as_slice(), &hash.finalize()].concat();
    index(names, &[extensions, &[(b"EOIE", end)]].concat())
}

#[test]
fn where_entries_end_is_believed_if_its_hash_holds() {
    let names = ["a", "b/c"];
    let tree = || (b"TREE", node("", "2 0", ROOT));
    let plain = ended(&names, &[(b"IEOT", vec![1; 9]), tree()]);
    assert_eq!(told(&plain), Oid::from_bytes(&ROOT));
    let mut unmerged = plain.clone();
    unmerged[12 + STAT + ID] |= 0x10;
    assert_eq!(told(&unmerged), Oid::from_bytes(&ROOT), "no entry is looked at");
    let hash = unmerged.len() - 21;
    unmerged[hash] ^= 1;
    assert_eq!(told(&unmerged), None, "every entry is");
    assert_eq!(told(&ended(&names, &[(b"link", vec![1; 9]), tree()])), None);
    assert_eq!(told(&ended(&names, &[])), None);
    for len in 0..plain.len() {
        let _ = cached_tree(Cursor::new(&plain[..len]), None); // and that is all
    }
}

#[test]
fn a_guess_serves_if_all_from_there_is_extensions() {
    let names = ["a", "b/TREE"];
    for root in ["2 0", "-1 0"] {
        let bytes =
            index(&names, &[(b"REUC", vec![1; 9]), (b"TREE", node("", root, ROOT)), (b"UNTR", vec![0; 5])]);
        let walked = cached_tree(Cursor::new(&bytes), None).expect("reads");
        assert_eq!(walked.is_some(), root == "2 0");
        let begin = index(&names, &[]).len() as u64 - 20;
        assert!(walked.is_none_or(|found| found.extensions == begin));
        let tree = |found: Option<CachedTree>| found.map(|found| found.tree);
        for guess in 0..bytes.len() as u64 + 9 {
            let guessed = cached_tree(Cursor::new(&bytes), Some(guess)).expect("reads");
            assert_eq!(tree(guessed), tree(walked), "{guess}");
        }
        let mut unmerged = bytes.clone();
        unmerged[HEADER + STAT + ID] |= 0x10;
        assert_eq!(cached_tree(Cursor::new(&unmerged), Some(begin)).expect("reads"), walked);
        assert_eq!(cached_tree(Cursor::new(&unmerged), Some(begin + 1)).expect("reads"), None);
    }
}

#[test]
fn names_that_share_their_start_are_walked() {
    let mut bytes = [b"DIRC".as_slice(), &[0, 0, 0, 4], &3000_u32.to_be_bytes()].concat();
    for at in 0..3000_usize {
        bytes.extend([0; STAT + ID]);
        bytes.extend((at as u16 % 0xfff).to_be_bytes());
        // What is cut off in one byte, and in two: the second may be a NUL.
        bytes.extend([vec![at as u8 & 0x7f], vec![0x80, 0], vec![0x81, 1]][at % 3].iter());
        bytes.extend(format!("{}\0", &"x".repeat(90)[..at % 90]).bytes());
    }
    let tree = node("", "3000 0", ROOT);
    bytes.extend([b"TREE".as_slice(), &(tree.len() as u32).to_be_bytes(), &tree, &[0; 20]].concat());
    assert_eq!(told(&bytes), Oid::from_bytes(&ROOT));
}

#[test]
fn entries_are_walked_over_the_ends_of_the_buffer() {
    let long = "x".repeat(5000);
    let names: Vec<String> = (0..3000).map(|n| format!("{n:05}{}", &long[..n % 131])).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.extend([long.as_str(), "y", &long[..0xfff], "z"]);
    let tree = node("", &format!("{} 0", names.len()), ROOT);
    assert_eq!(found(&names, &[(b"TREE", tree)]), Oid::from_bytes(&ROOT));
    let text = "TREE\u{1}";
    assert_eq!(found(&[text, "TREE"], &[]), None, "a name is no extension");
}
