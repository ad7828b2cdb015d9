//! `git lane status --serve`: the page of the report with what everybody is at, for a browser on this machine.

use std::io;

use crate::cli::Outcome;
use crate::cli::output::{Output, note};
use crate::cli::session;
use crate::commands::status;
use crate::commands::status::Args;
use crate::ops::report::{Options, report};
use crate::ops::{Session, Silent};
use crate::status::json;
use crate::web::{Server, Source};
use lane_core::error::Error;

/// Serves until Ctrl-C.
///
/// # Errors
/// No repository, no policy, or a port that is taken.
pub fn run(args: &Args, output: &Output) -> Outcome {
    // Without a repository or a policy there is nothing to show, now or later.
    session::open(output, None)?;
    let server = Server::bind(args.port, Here).map_err(|error| unusable(args.port, &error))?;
    let address = server.address();
    if output.is_json() {
        output.print_json(&serde_json::json!({ "schema": 1, "address": address }))?;
    } else {
        output.print(&format!("{address}\n"))?;
    }
    if !output.is_quiet() {
        note("whoever has this address can read the page, on this machine alone; Ctrl-C ends it");
    }
    server.run().map_err(|error| unusable(args.port, &error))?;
    Ok(0)
}

fn unusable(port: u16, error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::AddrInUse {
        let help = "omit --port for a free one: git lane status --serve";
        return Error::usage(format!("port {port} is in use"), help);
    }
    Error::usage(
        format!("the page cannot be served: {error}"),
        "write it to a file instead: git lane report --format html",
    )
}

/// The repository around the current folder, as it is whenever somebody asks.
struct Here;

impl Source for Here {
    fn status(&self) -> Result<String, String> {
        let status = status::read(Silent, false).map_err(|error| error.to_string())?;
        Ok(json::status(&status).to_string())
    }

    fn report(&self) -> Result<String, String> {
        let read = || {
            let session = Session::open(Silent, None)?;
            report(&session, &Options::default())
        };
        let metrics = read().map_err(|error: Error| error.to_string())?;
        serde_json::to_string(&metrics).map_err(|error| error.to_string())
    }
}
