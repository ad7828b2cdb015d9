//! Patches as Codex's `apply_patch` has them: a line for each file, `*** Add File: <path>` and so on, then its lines.

use super::{Edit, ToolAction};

const ADD: &str = "*** Add File: ";
const UPDATE: &str = "*** Update File: ";
const DELETE: &str = "*** Delete File: ";
const MOVE: &str = "*** Move to: ";

/// The files of a patch. `tool`: what is said to be without any, if it is.
pub(super) fn actions(tool: &str, text: &str) -> Vec<ToolAction> {
    let edits = edits(text);
    if edits.is_empty() {
        return vec![ToolAction::Unreadable(format!("`{tool}` names no file"))];
    }
    edits.into_iter().map(ToolAction::Edit).collect()
}

/// The files of a patch, in its order: a file that is moved is gone from where it was.
pub(super) fn edits(text: &str) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        if let Some(path) = line.strip_prefix(ADD).or(line.strip_prefix(UPDATE)) {
            edits.push(Edit::write(path));
        } else if let Some(path) = line.strip_prefix(DELETE) {
            edits.push(Edit::delete(path));
        } else if let Some(path) = line.strip_prefix(MOVE) {
            if let Some(last) = edits.last_mut() {
                last.is_removed = true;
            }
            edits.push(Edit::write(path));
        } else if let (Some(added), Some(edit)) = (line.strip_prefix('+'), edits.last_mut()) {
            let text = edit.text.get_or_insert_default();
            text.push_str(added);
            text.push('\n');
        }
    }
    edits
}
