//! `git lane mcp`: the commands as tools of a Model Context Protocol server.
//!
//! Each call is a process of this program in the folder that the call names: what it says is what the command says, and
//! folder, environment, signals and memory are its own. Only the protocol is spoken here.

mod call;
mod schema;
mod server;
mod tools;

use std::io::IsTerminal as _;

use rmcp::service::ServerInitializeError;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{RoleServer, ServiceExt as _};

use crate::cli::Outcome;
use crate::cli::output::{Output, note};
use crate::install::program;
use lane_core::error::Error;

/// The longest message that is read, in bytes; what is longer is dropped.
const LONGEST: usize = 1 << 20;

/// Serve the commands as tools of the Model Context Protocol
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Serves until standard input ends.
///
/// # Errors
/// The path of this program is unknown, or the client does not speak the protocol.
pub fn run(_: &Args, _: &Output) -> Outcome {
    let server = server::Server::new(program::own_path()?);
    if std::io::stdin().is_terminal() {
        note("waiting for a client of the Model Context Protocol on standard input; Ctrl-D ends it");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let done = runtime.block_on(serve(server));
    runtime.shutdown_background();
    done.map(|()| 0)
}

async fn serve(server: server::Server) -> Result<(), Error> {
    let (input, output) = rmcp::transport::stdio();
    let transport = AsyncRwTransport::<RoleServer, _, _>::new(input, output).with_max_line_length(LONGEST);
    match server.serve(transport).await {
        Ok(service) => service.waiting().await.map(|_| ()).map_err(failed),
        // It ended before anything was asked.
        Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::usage(
        format!("the Model Context Protocol server has ended: {error}"),
        "let a client of the protocol start it: docs/agents.md",
    )
}
