//! The hooks alone: what an installed script is started by where this lies beside `git-lane`. It is a third of that
//! program's size, and every page that a short process touches costs it time.

use std::process::ExitCode;

fn main() -> ExitCode {
    git_lane::commands::run_hooks(std::env::args_os())
}
