//! `cargo xtask`: see `docs/releasing.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match xtask::run(&args, std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(xtask::Failure { shown, reason }) => {
            print!("{shown}");
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}
