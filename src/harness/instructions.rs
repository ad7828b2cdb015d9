//! The block about lanes in the files that agents read in every session: `AGENTS.md`, `CLAUDE.md`, `GEMINI.md`.

/// The block, with its markers.
pub(super) const BLOCK: &str = include_str!("instructions.md");

const BEGIN: &str = "<!-- git-lane: begin -->";
const END: &str = "<!-- git-lane: end -->\n";

/// The file that a harness reads.
pub(super) fn file(harness: &str) -> &'static str {
    match harness {
        "claude" => "CLAUDE.md",
        "gemini" => "GEMINI.md",
        _ => "AGENTS.md",
    }
}

/// Whether the block is in a text.
pub(super) fn is_in(text: &str) -> bool {
    text.contains(BEGIN)
}

/// A text with the block: in the place of an older one, or at its end.
pub(super) fn with(text: &str) -> String {
    if let Some((before, after)) = around(text) {
        return format!("{before}{BLOCK}{after}");
    }
    let gap = match text {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    format!("{text}{gap}{BLOCK}")
}

/// A text without the block; `None` where nothing else is in it.
pub(super) fn without(text: &str) -> Option<String> {
    let Some((before, after)) = around(text) else { return Some(text.to_owned()) };
    let before = before.strip_suffix("\n\n").map_or(before.to_owned(), |rest| format!("{rest}\n"));
    let rest = format!("{before}{after}");
    (!rest.trim().is_empty()).then_some(rest)
}

fn around(text: &str) -> Option<(&str, &str)> {
    let begin = text.find(BEGIN)?;
    let end = begin + text[begin..].find(END)? + END.len();
    Some((&text[..begin], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, with, without};

    #[test]
    fn the_block_is_replaced_in_its_place() {
        for text in ["", "# Mine\n", "# Mine"] {
            let written = with(text);
            assert!(written.ends_with(BLOCK) && with(&written) == written, "{written}");
            let old = written.replace("## Lanes", "## Old");
            assert_eq!(with(&format!("{old}\nmore\n")), format!("{written}\nmore\n"));
        }
        assert_eq!(without(&with("")), None);
        assert_eq!(without(&with("# Mine\n")).as_deref(), Some("# Mine\n"));
    }
}
