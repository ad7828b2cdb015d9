//! How the policy says that the health of services is checked, and where their logs are.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::scalar::Duration;
use super::super::source::Spanned;
use super::OneOrMany;

/// What stands for a check or logs that a service does not have.
pub const NONE: &str = "none";

/// How the health of services is checked.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Health {
    /// The shell command that checks a service, or an address, `http://localhost:{port}/health`. `{service}` is its name, `{path}` its folder, `{port}` its port (`git lane port`), `{agent}` whose it is.
    pub check: Option<Spanned<String>>,
    /// Texts of which the output of the check, or the body of the answer, has at least one. Whoever writes them says all that counts beside the exit code.
    #[schemars(with = "OneOrMany")]
    pub expect: Vec<Spanned<String>>,
    /// Texts of which it has none.
    #[schemars(with = "OneOrMany")]
    pub reject: Vec<Spanned<String>>,
    /// The shell command that prints the logs of a service; `{lines}` is how many lines are asked for.
    pub logs: Option<Spanned<String>>,
    /// The shell command that goes on printing them, for `git lane logs --follow`.
    pub follow: Option<Spanned<String>>,
    /// How long one check, or one command that prints logs, may take.
    pub timeout: Spanned<Duration>,
    /// Services that differ, by name: those of lanes, and what belongs to no lane, such as `redis`. `none` for a check or logs that one does not have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, ServiceChecks>,
}

/// What is different for one service.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ServiceChecks {
    /// Its name, where it stands.
    #[serde(skip)]
    #[schemars(skip)]
    pub name: Spanned<String>,
    /// Its check, with `expect` and `reject` of its own.
    pub check: Option<Spanned<String>>,
    /// Texts of which the output of this check has at least one.
    #[schemars(with = "OneOrMany")]
    pub expect: Vec<Spanned<String>>,
    /// Texts of which it has none.
    #[schemars(with = "OneOrMany")]
    pub reject: Vec<Spanned<String>>,
    /// The command that prints its logs.
    pub logs: Option<Spanned<String>>,
    /// The command that goes on printing them.
    pub follow: Option<Spanned<String>>,
    /// How long either may take.
    pub timeout: Option<Spanned<Duration>>,
}

/// A check, and what its output is held against.
#[derive(Debug, Clone, Copy)]
pub struct Check<'h> {
    /// The command or address.
    pub check: &'h Spanned<String>,
    /// Of these, at least one.
    pub expect: &'h [Spanned<String>],
    /// Of these, none.
    pub reject: &'h [Spanned<String>],
}

impl Health {
    /// The check of a service.
    pub fn check_of(&self, service: &str) -> Option<Check<'_>> {
        let own = self.services.get(service).and_then(|own| Some((own.check.as_ref()?, own)));
        let check = match own {
            Some((check, own)) => Check { check, expect: &own.expect, reject: &own.reject },
            None => Check { check: self.check.as_ref()?, expect: &self.expect, reject: &self.reject },
        };
        (check.check.value != NONE).then_some(check)
    }

    /// The command that prints the logs of a service.
    pub fn logs_of(&self, service: &str) -> Option<&Spanned<String>> {
        let own = self.services.get(service).and_then(|own| own.logs.as_ref());
        own.or(self.logs.as_ref()).filter(|logs| logs.value != NONE)
    }

    /// The command that goes on printing the logs of a service.
    pub fn follow_of(&self, service: &str) -> Option<&Spanned<String>> {
        let own = self.services.get(service).and_then(|own| own.follow.as_ref());
        own.or(self.follow.as_ref()).filter(|follow| follow.value != NONE)
    }

    /// How long a command of a service may take.
    pub fn timeout_of(&self, service: &str) -> std::time::Duration {
        let own = self.services.get(service).and_then(|own| own.timeout.as_ref());
        std::time::Duration::from_secs(own.unwrap_or(&self.timeout).value.seconds)
    }

    /// All checks, and all commands for logs, as they are written.
    pub fn checks(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.check.iter().chain(self.services.values().filter_map(|own| own.check.as_ref()))
    }

    /// All commands that print logs, and those that go on printing them.
    pub fn logs(&self) -> impl Iterator<Item = &Spanned<String>> {
        let own = self.services.values().flat_map(|own| own.logs.iter().chain(&own.follow));
        self.logs.iter().chain(&self.follow).chain(own)
    }
}
