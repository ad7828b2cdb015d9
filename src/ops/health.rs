//! How services are, by the checks of the policy.

use super::Session;
use super::services::{Target, health_of, targets, unfillable};
use crate::health::{Command, Probe, Question, ServiceHealth, Verdict, ask};
use lane_core::error::Error;
use lane_core::health::is_address;
use lane_core::policy::model::{Check, Health};
use lane_git::Repository;

/// Checks the services of the agent that works here, or else those of all agents. Returns them in the policy's order, and the
/// signal that ended it, if one did.
///
/// # Errors
/// No checks in the policy, claims that disagree, or nothing can be started.
pub fn health(session: &Session) -> Result<(Vec<ServiceHealth>, Option<u8>), Error> {
    let health = health_of(session)?;
    let targets = targets(session, &[], 0)?;
    let checked = |target: &Target<'_>| health.check_of(target.service()).is_some();
    let targets: Vec<Target<'_>> = targets.into_iter().filter(checked).collect();
    let probes: Vec<Probe<'_>> = targets.iter().filter_map(|target| probe(session, health, target)).collect();
    let logs = session.repo.layout().git_dir.join("lane/logs/health");
    let (findings, signal) = ask(&probes, &logs)?;
    let services = targets.iter().zip(&probes).zip(findings).map(|((target, probe), mut finding)| {
        let check = match &probe.question {
            Question::Command(command) => &command.command,
            Question::Address(address, _) => address,
            Question::None(_) => &probe.check.check.value,
        };
        finding.output = target.masked(&finding.output);
        finding.verdict.reason = target.masked(&finding.verdict.reason);
        ServiceHealth {
            agent: target.agent.map(|agent| agent.id.value.clone()),
            service: target.service().to_owned(),
            check: target.masked(check),
            finding,
        }
    });
    Ok((services.collect(), signal))
}

fn probe<'h>(session: &Session, health: &'h Health, target: &Target<'_>) -> Option<Probe<'h>> {
    let check = health.check_of(target.service())?;
    let question = question(session, health, &check, target);
    Some(Probe { check, question: question.unwrap_or_else(|why| Question::None(Verdict::unknown(why))) })
}

fn question(
    session: &Session,
    health: &Health,
    check: &Check<'_>,
    target: &Target<'_>,
) -> Result<Question, String> {
    let text = &check.check.value;
    let folder = target.root.clone()?;
    let values = target.values_for(session, text)?;
    let timeout = health.timeout_of(target.service());
    let wrong = |why| unfillable(&why, "health.check");
    if is_address(text) {
        let variable = |name: &str| match &target.environment {
            Some(environment) => environment.get(name).or_else(|| {
                let is_taken = environment.unset().contains(&name);
                std::env::var(name).ok().filter(|_| !is_taken)
            }),
            None => std::env::var(name).ok(),
        };
        return Ok(Question::Address(values.address(text, &variable).map_err(wrong)?, timeout));
    }
    Ok(Question::Command(Command {
        command: values.command(text).map_err(wrong)?,
        folder,
        environment: target.environment.clone(),
        variables: target.variables(),
        timeout,
    }))
}
