//! git-lane: git hooks and a policy engine that keep many coding agents inside their lanes.

use std::process::ExitCode;

fn main() -> ExitCode {
    git_lane::commands::run(std::env::args_os())
}
