//! Blocks of our own in configuration files: appended, replaced, taken away without a trace.

use super::ini::{self, Item};
use super::os::path_of;

/// Which of our blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    /// In a worktree's configuration: where its hooks are, and whose it is.
    Hooks,
    /// In the common configuration: what every worktree needs for that.
    Common,
    /// In the main worktree's configuration: what must not stand in the common one any more.
    Moved,
    /// In the common configuration of a bare repository: where the hooks are that judge pushes to it.
    Server,
}

impl Block {
    fn name(self) -> &'static str {
        match self {
            Self::Hooks => "hooks",
            Self::Common => "common",
            Self::Moved => "moved",
            Self::Server => "server",
        }
    }

    fn begin(self) -> String {
        format!("# >>> git-lane {} ", self.name())
    }

    fn end(self) -> String {
        format!("# <<< git-lane {}", self.name())
    }

    /// The keys of the settings that we write there.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Hooks => &["core.hookspath", "include.path", "lane.agent", "lane.worktree"],
            Self::Common => &["extensions.worktreeconfig", "include.path", "lane.base", "lane.remote"],
            Self::Moved => &["core.bare", "core.worktree"],
            Self::Server => &["core.hookspath"],
        }
    }

    /// Whether a setting inside the block is one that we write there. `is_ours` judges a hooks path:
    /// `git config` changes a value where it finds it, and then it is the user's.
    fn writes(self, item: &Item, is_ours: &dyn Fn(&[u8]) -> bool) -> bool {
        let value = item.value.as_deref();
        let is_own = match item.key.as_str() {
            "core.hookspath" => value.is_some_and(is_ours),
            "include.path" => value.is_some_and(is_own_file),
            _ => true,
        };
        is_own && self.keys().contains(&item.key.as_str())
    }
}

/// What the file was before the block came into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeadingText {
    Nothing,
    Ended,
    Unended,
}

/// Whether an included file is one of ours.
fn is_own_file(path: &[u8]) -> bool {
    path_of(path).parent().is_some_and(|folder| folder.ends_with("lane"))
}

const BEFORE: [(LeadingText, &str); 3] = [
    (LeadingText::Nothing, "no file"),
    (LeadingText::Ended, "a file"),
    (LeadingText::Unended, "no last newline"),
];

/// A configuration text cut at a block.
pub(crate) struct BlockSplit {
    /// All that stands before the block.
    head: Vec<u8>,
    /// The settings inside the markers.
    pub body: Vec<u8>,
    tail: Vec<u8>,
    before: LeadingText,
    /// Whether the block is there.
    pub is_present: bool,
}

/// Finds a block. One whose last line is lost (`git config --remove-section` takes it along) goes on
/// to the end of the file; what is not ours in it is told apart by [`BlockSplit::foreign`].
pub(crate) fn split(text: Option<&[u8]>, block: Block) -> BlockSplit {
    let Some(text) = text else {
        return BlockSplit {
            head: vec![],
            body: vec![],
            tail: vec![],
            before: LeadingText::Nothing,
            is_present: false,
        };
    };
    let (begin, end) = (block.begin(), block.end());
    let Some((start, inner)) = line_with(text, 0, begin.as_bytes()) else {
        let is_ended = text.is_empty() || text.ends_with(b"\n");
        let before = if is_ended { LeadingText::Ended } else { LeadingText::Unended };
        return BlockSplit { head: text.to_vec(), body: vec![], tail: vec![], before, is_present: false };
    };
    let marker = String::from_utf8_lossy(&text[start..inner]).into_owned();
    let before = BEFORE.iter().find(|(_, words)| marker.contains(&format!("before: {words})")));
    let (stop, rest) = line_with(text, inner, end.as_bytes()).unwrap_or((text.len(), text.len()));
    BlockSplit {
        head: text[..start].to_vec(),
        body: text[inner..stop].to_vec(),
        tail: text[rest..].to_vec(),
        before: before.map_or(LeadingText::Ended, |(before, _)| *before),
        is_present: true,
    }
}

impl BlockSplit {
    /// The text outside the block.
    pub fn outside(&self) -> Vec<u8> {
        [self.head.as_slice(), b"\n", &self.tail].concat()
    }

    /// The lines inside the block that others wrote: `git config` adds a key to a section that exists,
    /// and that may be ours.
    fn foreign(&self, block: Block, is_ours: &dyn Fn(&[u8]) -> bool) -> Vec<u8> {
        let items = ini::items(&self.body);
        let mut kept = Vec::new();
        let mut at = 0;
        let mut header: Option<Vec<u8>> = None;
        for item in &items {
            keep_line(&mut kept, &mut header, &self.body[at.min(item.range.start)..item.range.start]);
            if item.is_header() && item.alone {
                header = Some(self.body[item.range.clone()].to_vec());
            } else if item.range.start >= at && !(item.alone && block.writes(item, is_ours)) {
                keep_line(&mut kept, &mut header, &self.body[item.range.clone()]);
            }
            at = item.range.end;
        }
        keep_line(&mut kept, &mut header, &self.body[at..]);
        kept
    }

    /// The text with these settings as the block; at the end, or where the block was.
    pub fn with(&self, block: Block, settings: &[u8], is_ours: &dyn Fn(&[u8]) -> bool) -> Vec<u8> {
        let mut text = self.head.clone();
        end_line(&mut text);
        text.extend(self.foreign(block, is_ours));
        // Git reads the last value: what came behind the block and says otherwise goes before it.
        let is_overridden = ini::items(&self.tail).iter().any(|item| block.keys().contains(&&*item.key));
        if is_overridden {
            text.extend(&self.tail);
            end_line(&mut text);
        }
        let words = BEFORE.iter().find(|(before, _)| *before == self.before).map_or("", |(_, words)| words);
        let about = "(git lane uninstall takes this away; before:";
        text.extend(format!("{}{about} {words})\n", block.begin()).as_bytes());
        text.extend(settings);
        text.extend(format!("{}\n", block.end()).as_bytes());
        if !is_overridden {
            text.extend(&self.tail);
        }
        text
    }

    /// The text with the settings of the block as if nobody had put them into one.
    pub fn without_markers(&self) -> Vec<u8> {
        [self.head.as_slice(), &self.body, &self.tail].concat()
    }

    /// The text without the block, as it was before; `None` where no file was.
    pub fn without(&self, block: Block, is_ours: &dyn Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
        let added = [self.foreign(block, is_ours), self.tail.clone()].concat();
        let mut text = self.head.clone();
        if self.is_present && self.before == LeadingText::Unended && added.is_empty() && text.ends_with(b"\n")
        {
            text.pop();
        }
        text.extend(added);
        if text.is_empty() && self.before == LeadingText::Nothing { None } else { Some(text) }
    }
}

fn end_line(text: &mut Vec<u8>) {
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
}

/// Keeps a line that is not ours, under its header.
fn keep_line(kept: &mut Vec<u8>, header: &mut Option<Vec<u8>>, line: &[u8]) {
    if line.trim_ascii().is_empty() {
        return;
    }
    kept.extend(header.take().unwrap_or_default());
    kept.extend(line);
    if !line.ends_with(b"\n") {
        kept.push(b'\n');
    }
}

/// The first line from `from` on that begins so: its start, and the start of the next.
fn line_with(text: &[u8], from: usize, prefix: &[u8]) -> Option<(usize, usize)> {
    let mut at = from;
    while at < text.len() {
        let end = text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |to| at + to + 1);
        if text[at..].starts_with(prefix) {
            return Some((at, end));
        }
        at = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Block, split};

    const OURS: &[u8] = b"[core]\n\thooksPath = \"/h\"\n[lane]\n\tagent = \"a1\"\n";

    fn is_ours(value: &[u8]) -> bool {
        value == b"/h"
    }

    #[test]
    fn every_byte_comes_back() {
        for text in [None, Some(""), Some("[a]\n\tb = 1\n"), Some("[a]\n\tb = 1"), Some("\n\n# x\r\n")] {
            let text = text.map(str::as_bytes);
            let with = split(text, Block::Hooks).with(Block::Hooks, OURS, &is_ours);
            let again = split(Some(&with), Block::Hooks);
            assert_eq!(again.with(Block::Hooks, OURS, &is_ours), with, "idempotent");
            assert_eq!(again.without(Block::Hooks, &is_ours).as_deref(), text);
        }
    }

    #[test]
    fn what_git_wrote_into_the_block_stays() {
        let with = split(None, Block::Hooks).with(Block::Hooks, OURS, &is_ours);
        let with = String::from_utf8(with).unwrap().replace("[lane]\n", "\teditor = vi\n[lane]\n\tx = 1\n");
        let without = split(Some(with.as_bytes()), Block::Hooks).without(Block::Hooks, &is_ours).unwrap();
        assert_eq!(String::from_utf8(without).unwrap(), "[core]\n\teditor = vi\n[lane]\n\tx = 1\n");
    }

    #[test]
    fn a_block_that_lost_its_end() {
        let with = split(None, Block::Hooks).with(Block::Hooks, b"[core]\n\thooksPath = \"/h\"\n", &is_ours);
        let text = String::from_utf8(with).unwrap().replace("# <<< git-lane hooks\n", "[foo]\n\tbar = 1\n");
        let without = split(Some(text.as_bytes()), Block::Hooks).without(Block::Hooks, &is_ours).unwrap();
        assert_eq!(String::from_utf8(without).unwrap(), "[foo]\n\tbar = 1\n");
    }

    #[test]
    fn a_hooks_path_set_inside_the_block_is_kept() {
        let with = split(None, Block::Hooks).with(Block::Hooks, b"[core]\n\thooksPath = .husky\n", &is_ours);
        let again = split(Some(&with), Block::Hooks).with(Block::Hooks, OURS, &is_ours);
        assert!(String::from_utf8(again).unwrap().starts_with("[core]\n\thooksPath = .husky\n# >>> "));
    }
}
