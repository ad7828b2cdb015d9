//! `git lane env`

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::options::Format;
use crate::cli::output::Output;
use crate::cli::session;
use crate::ops::Session;
use lane_core::agent_env::{self, AgentEnv};
use lane_core::error::Error;
use lane_core::policy::model::Agent;

/// Print an agent's environment, for `eval`, direnv and dotenv
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The agent [default: the one that works here]
    #[arg(value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
}

/// The agent that was named, or that works here.
pub(in crate::commands) fn agent<'s>(session: &'s Session, option: Option<&str>) -> Result<&'s Agent, Error> {
    let plan = &session.loaded.plan;
    let id = match option {
        Some(id) => {
            plan.agent(id)?;
            Some(id.to_owned())
        }
        None => session.found_agent(None)?,
    };
    id.and_then(|id| plan.policy.agent(&id)).ok_or_else(|| {
        Error::usage(
            "no agent given, and none works here",
            format!("name one; {}", plan.policy.agents_in_words()),
        )
    })
}

/// The agent's environment; what cannot be had is named on standard error.
pub(in crate::commands) fn environment(session: &Session, agent: &Agent) -> AgentEnv {
    let policy = &session.loaded.plan.policy;
    let resolved = agent_env::variables_of(policy, agent).resolve(&|name| std::env::var(name).ok());
    for line in resolved.complaints() {
        crate::cli::output::note(&line);
    }
    resolved
}

/// Prints an agent's environment.
///
/// # Errors
/// No such agent, or nobody says who works here.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open(output, None)?;
    let resolved = environment(&session, agent(&session, args.agent.as_deref())?);
    if output.is_json() {
        output.print_json(&agent_env::as_json(&resolved))?;
        return Ok(0);
    }
    let text = match output.format() {
        Format::Dotenv => agent_env::as_dotenv(&resolved),
        _ => agent_env::as_sh(&resolved),
    };
    output.print_data(&text)?;
    Ok(0)
}
