//! What messages about locks tell to type is typed here, in the state in which it is told.

use crate::advice_errors::typed;
use crate::support::Worktree;
use crate::support::locks::two;

const PATH: &str = "services/common/main.py";

/// What the file is after one of its lines was changed.
fn text(line: usize, to: &str) -> String {
    let mut lines = ["line"; 20];
    lines[line] = to;
    lines.join("\n") + "\n"
}

/// a1 changes a line under the lock, and it lands.
fn land(one: &Worktree, line: usize) {
    one.lane(&["lock", "common"]).ok();
    one.commit(PATH, &text(line, "one"), "feat: one").ok();
    one.git(&["push", "-q", "--no-verify", "origin", "HEAD", "HEAD:main"]).ok();
    one.lane(&["unlock", "common"]).ok();
}

#[test]
fn a_branch_behind_the_lock_is_synced() {
    // The work of the last holder landed after the lock was taken here.
    let (_scratch, one, two) = two();
    two.sneak(PATH, &text(15, "two"), "[A2] feat: two");
    land(&one, 2);
    two.lane(&["lock", "common"]).ok();
    let ran = two.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("unlocked-path");
    typed(&two, &ran);
    assert_eq!(std::fs::read_to_string(two.root.join(PATH)).unwrap().matches("line").count(), 18);
    let pushed = two.git(&["rev-parse", "origin/feat/a2/x"]).ok().out;
    assert_eq!(pushed.trim(), two.head());
}
