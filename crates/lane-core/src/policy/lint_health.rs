//! Mistakes in how the health of services is checked, and in what prints their logs.

use super::diagnostic::Diagnostic;
use super::lint::at;
use super::model::{Health, NONE};
use super::plan::Plan;
use super::source::Spanned;
use super::unknown::{did_you_mean, nearest};
use crate::health::{PLACEHOLDERS, is_address};

/// What is wrong with them in any repository.
pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let Some(health) = &plan.policy.health else { return };
    for check in health.checks() {
        placeholders(check, diagnostics);
        if let Some((scheme, _)) = scheme(&check.value)
            && let Some(why) = address_mistake(scheme, &check.value)
        {
            diagnostics.push(
                Diagnostic::error(at(check), format!("`{}` {why}", check.value), "this address")
                    .help("write an address such as `http://localhost:{port}/health`, or a command"),
            );
        }
        if check.value.contains("{lines}") {
            diagnostics.push(
                Diagnostic::error(at(check), "`{lines}` is for `health.logs` alone", "not a check's")
                    .help("remove it"),
            );
        }
    }
    for logs in health.logs() {
        placeholders(logs, diagnostics);
        if scheme(&logs.value).is_some() {
            diagnostics.push(
                Diagnostic::error(at(logs), "logs are printed by a command, not by an address", "an address")
                    .help("write a command, such as `docker compose logs --tail {lines} {service}`"),
            );
        }
    }
    without_check(health, diagnostics);
}

/// `expect` and `reject` that belong to no check.
fn without_check(health: &Health, diagnostics: &mut Vec<Diagnostic>) {
    let own = health.services.values().map(|own| (&own.check, &own.expect, &own.reject));
    for (check, expect, reject) in std::iter::once((&health.check, &health.expect, &health.reject)).chain(own)
    {
        let word = expect.first().or(reject.first());
        if let (None, Some(word)) = (check, word) {
            diagnostics.push(
                Diagnostic::error(
                    at(word),
                    "`expect` and `reject` belong to a `check` beside them",
                    "no check here",
                )
                .help("write the check here, too"),
            );
        }
    }
}

/// A scheme, where a text is one word that begins with one.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme =
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
    is_scheme.then_some((scheme, rest))
}

fn address_mistake(scheme: &str, address: &str) -> Option<&'static str> {
    if !is_address(address) {
        return Some("cannot be asked: only http and https addresses can");
    }
    let rest = &address[scheme.len() + 3..];
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if address.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some("has a space in it");
    }
    if authority.contains('@') {
        return Some("has a user or a password in it");
    }
    // A literal IPv6 address has colons of its own.
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let is_port = port.contains(['{', '$']) || port.parse::<u16>().is_ok_and(|port| port > 0);
            if !is_port {
                return Some("has no valid port");
            }
            host
        }
        _ => authority,
    };
    host.is_empty().then_some("has no host")
}

/// Words in braces that are no placeholders. What belongs to the shell (`${NAME}`), to templates (`{{.Name}}`) and to
/// programs in quotes (`'{print $1}'`) is left alone, unless it is nearly one.
fn placeholders(text: &Spanned<String>, diagnostics: &mut Vec<Diagnostic>) {
    let value = &text.value;
    for (open, _) in value.match_indices('{') {
        let (before, after) = (&value[..open], &value[open + 1..]);
        let Some((word, _)) = after.split_once('}') else { continue };
        let is_word =
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_-".contains(&byte));
        if !is_word || before.ends_with(['$', '{']) {
            continue;
        }
        let written = format!("{{{word}}}");
        if PLACEHOLDERS.contains(&written.as_str()) {
            continue;
        }
        let known = || PLACEHOLDERS.iter().map(|known| known.trim_matches(['{', '}']));
        let is_quoted = before.matches('\'').count() % 2 == 1;
        if is_quoted && nearest(word, known()).is_none() {
            continue;
        }
        let help =
            did_you_mean(word, known()).unwrap_or_else(|| format!("known: {}", PLACEHOLDERS.join(", ")));
        diagnostics.push(
            Diagnostic::error(at(text), format!("unknown placeholder `{written}`"), "in here").help(help),
        );
    }
}

/// What will not work in this repository, or is probably not what was meant.
pub(super) fn warnings(plan: &Plan, warnings: &mut Vec<Diagnostic>) {
    let policy = &plan.policy;
    let Some(health) = &policy.health else { return };
    let services =
        || policy.agents.0.iter().flat_map(|agent| &agent.services).map(|name| name.value.as_str());
    for own in health.services.values() {
        // What is no lane's, such as a database, may have any name: but not nearly that of a service.
        let is_known = services().any(|known| known == own.name.value);
        if let (false, Some(hint)) = (is_known, did_you_mean(&own.name.value, services())) {
            let message = format!("unknown service `{}`", own.name.value);
            warnings.push(Diagnostic::warning(at(&own.name), message, "unknown name").help(hint));
        }
    }
    let general = || {
        [&health.check, &health.logs, &health.follow].into_iter().flatten().filter(|text| text.value != NONE)
    };
    if let Some(text) =
        general().find(|text| !text.value.contains("{service}") && !text.value.contains("{port}"))
        && services().nth(1).is_some()
        && !text.value.contains("{path}")
    {
        warnings.push(
            Diagnostic::warning(
                at(text),
                "the same command stands for every service",
                "no `{service}` in it",
            )
            .help(
                "write `{service}` where its name belongs, or give it to one service under `health.services`",
            ),
        );
    }
    ports(plan, health, warnings);
}

/// `{port}` for a service of an agent without ports.
fn ports(plan: &Plan, health: &Health, warnings: &mut Vec<Diagnostic>) {
    for agent in plan.policy.agents.0.iter().filter(|agent| agent.ports.is_none()) {
        let id = &agent.id.value;
        let texts = agent.services.iter().flat_map(|name| {
            let check = health.check_of(&name.value).map(|check| check.check);
            [check, health.logs_of(&name.value), health.follow_of(&name.value)].into_iter().flatten()
        });
        let Some(text) = texts.into_iter().find(|text| text.value.contains("{port}")) else { continue };
        let message = format!("`{{port}}` has no value for {id}, which has no ports");
        warnings.push(
            Diagnostic::warning(at(text), message, "`{port}`")
                .related(at(&agent.id), "this agent")
                .help(format!("add a range: `agents.{id}.ports: 8080-8099`")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Inventory, Source, load, warnings};

    fn told(health: &str) -> Vec<String> {
        let text = format!(
            "version: 1\nservices: {{ paths: \"services/{{service}}/**\" }}\nagents: {{ a1: {{ services: [web, api], ports: 8080-8099 }}, a2: {{ services: [jobs] }} }}\nhealth: {health}\n"
        );
        match load(Source::new("policy.yaml", text), false) {
            Ok(plan) => {
                let found = warnings(&plan, &Inventory::default());
                found.into_iter().map(|one| one.message).collect()
            }
            Err(error) => error.diagnostics.into_iter().map(|one| one.message).collect(),
        }
    }

    #[test]
    fn right() {
        let none: [&str; 0] = [];
        for health in [
            "{ check: \"kubectl get pods -l app={service}\", logs: \"kubectl logs -l app={service} --tail=20\", timeout: 10s }",
            "{ check: \"systemctl is-active {service}\", expect: active, reject: [failed, dead] }",
            "{ check: \"docker ps --format '{{.Names}}' -f name={service}\", logs: \"awk '{print}' {service}.log\" }",
            "{ check: \"http://localhost:${PORT_OFFSET}/{service}\" }",
            "{ check: \"http://[::1]:8080/{service}\" }",
            "{ services: { redis: { check: redis-cli ping, expect: PONG }, web: { check: none } } }",
        ] {
            assert_eq!(told(health), none, "{health}");
        }
    }

    #[test]
    fn mistakes() {
        let cases = [
            ("{ check: \"kubectl get pods -l app={servce}\" }", "unknown placeholder `{servce}`"),
            ("{ check: \"x '{servce}'\" }", "unknown placeholder `{servce}`"),
            ("{ logs: \"tail {file}\" }", "unknown placeholder `{file}`"),
            ("{ check: \"\" }", "`health.check` is empty"),
            ("{ timeout: 5s }", "`health` has no `check`"),
            ("{ check: \"x {service}\", timeout: 0s }", "duration `0s`: a duration must be longer than zero"),
            ("{ check: \"tcp://localhost:{port}\" }", "only http and https addresses can"),
            ("{ check: \"http://:80/{service}\" }", "has no host"),
            ("{ check: \"http://localhost:port/{service}\" }", "has no valid port"),
            ("{ check: \"http://a:b@c/{service}\" }", "has a user or a password in it"),
            ("{ check: \"http://c/{service} -f\" }", "has a space in it"),
            ("{ logs: \"http://c/{service}\" }", "logs are printed by a command"),
            ("{ check: \"x {service} {lines}\" }", "`{lines}` is for `health.logs` alone"),
            ("{ logs: \"x {service}\", expect: up }", "`expect` and `reject` belong to a `check`"),
            ("{ check: \"x {service}\", services: { web: { expect: up } } }", "belong to a `check`"),
            ("{ chek: \"x {service}\" }", "unknown key `chek`"),
        ];
        for (health, message) in cases {
            let told = told(health);
            assert!(told.iter().any(|said| said.contains(message)), "{health}: {told:?}");
        }
    }

    #[test]
    fn what_probably_was_not_meant() {
        assert_eq!(told("{ services: { wbe: { check: x } } }"), ["unknown service `wbe`"]);
        assert_eq!(told("{ check: true-check }"), ["the same command stands for every service"]);
        assert_eq!(
            told("{ check: \"nc -z localhost {port}\" }"),
            ["`{port}` has no value for a2, which has no ports"]
        );
        let none: [&str; 0] = [];
        assert_eq!(
            told("{ check: \"nc -z localhost {port}\", services: { jobs: { check: pgrep jobs } } }"),
            none
        );
    }
}
