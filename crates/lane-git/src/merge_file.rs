//! Two edits of one file, merged.

use super::attributes::has_nul;

/// What git merges of two edited versions of a text; `None`: a person would have to, or one of them is no text.
pub fn merged_file(base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Vec<u8>> {
    if [base, ours, theirs].into_iter().any(has_nul) {
        return None;
    }
    // What takes no repository does not start libgit2, but for this.
    drop(git2::Buf::new());
    let mut inputs = [base, ours, theirs].map(|_| git2::MergeFileInput::new());
    for (input, text) in inputs.iter_mut().zip([base, ours, theirs]) {
        input.content(text);
    }
    let merged = git2::merge_file(&inputs[0], &inputs[1], &inputs[2], None).ok()?;
    merged.is_automergeable().then(|| merged.content().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_that_meet_are_nobodys() {
        let merged = |ours: &str, theirs: &str| {
            let text = merged_file(b"1\n2\n3\n4\n5\n", ours.as_bytes(), theirs.as_bytes());
            text.map(|text| String::from_utf8(text).expect("it was text"))
        };
        assert_eq!(merged("a\n2\n3\n4\n5\n", "1\n2\n3\n4\nb\n").as_deref(), Some("a\n2\n3\n4\nb\n"));
        assert_eq!(merged("a\n2\n3\n4\n5\n", "b\n2\n3\n4\n5\n"), None);
        assert_eq!(merged("a\n2\n3\n4\n5\n", "1\n2\n3\n4\n\0\n"), None);
    }
}
