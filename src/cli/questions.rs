//! Questions on a terminal: each is a line, and so is its answer. Neither colours nor keys of their own: what works everywhere is what
//! the terminal does by itself, Ctrl-C too.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use lane_core::error::Error;
use lane_core::text::sanitize;

/// Whether somebody can answer here.
pub fn are_possible() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// Asks for yes or no; a mere return means `default`.
///
/// # Errors
/// Nobody answers any more.
pub fn yes(question: &str, default: bool) -> Result<bool, Error> {
    let choices = if default { "[Y/n]" } else { "[y/N]" };
    loop {
        match answer(&format!("{question} {choices} "))?.to_lowercase().as_str() {
            "" => return Ok(default),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => say("  answer y or n"),
        }
    }
}

/// Asks for a text; a mere return means `default`. `check`: why an answer will not do.
///
/// # Errors
/// Nobody answers any more.
pub fn text<T>(question: &str, default: &str, check: impl Fn(&str) -> Result<T, String>) -> Result<T, Error> {
    loop {
        let given = answer(&format!("{question} [{default}] "))?;
        match check(if given.is_empty() { default } else { &given }) {
            Ok(value) => return Ok(value),
            Err(why) => say(&format!("  {why}")),
        }
    }
}

fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", sanitize(text));
}

/// One line, without what is around it.
fn answer(question: &str) -> Result<String, Error> {
    let mut err = io::stderr().lock();
    let _ = write!(err, "{}", sanitize(question)).and_then(|()| err.flush());
    drop(err);
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(1..) => Ok(line.trim().to_owned()),
        Ok(0) => {
            say("");
            Err(Error::usage("no answer; nothing was written", "take every proposal: git lane init --yes"))
        }
        Err(error) => Err(Error::usage(
            format!("no answer could be read: {error}; nothing was written"),
            "take every proposal: git lane init --yes",
        )),
    }
}
