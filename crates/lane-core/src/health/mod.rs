//! The health of services: what the policy's words come to for one of them, and what a command or an answer says of it.

mod listing;
mod verdict;

pub use verdict::{Answer, Ending, Run, State, Verdict, of_answer, of_run};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::affected::{Unquotable, fill_with};
use crate::agent_env::references;

/// The placeholders of checks and logs.
pub const PLACEHOLDERS: [&str; 5] = ["{service}", "{path}", "{port}", "{agent}", "{lines}"];

/// What stands for the placeholders.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// The service.
    pub service: String,
    /// Its folder.
    pub path: String,
    /// Its port, where one is known.
    pub port: Option<u16>,
    /// Whose it is, where it is somebody's.
    pub agent: Option<String>,
    /// How many lines of logs are asked for.
    pub lines: usize,
}

/// Why a check cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfillable {
    /// There is no value for this placeholder.
    Missing(&'static str),
    /// The value cannot stand where the command has it.
    Unquotable(Unquotable),
    /// A variable that an address refers to is not set.
    Unset(String),
}

impl Values {
    fn list(&self) -> [(&'static str, Option<String>); 5] {
        let [service, path, port, agent, lines] = PLACEHOLDERS;
        [
            (service, Some(self.service.clone())),
            (path, Some(self.path.clone()).filter(|path| !path.is_empty())),
            (port, self.port.map(|port| port.to_string())),
            (agent, self.agent.clone()),
            (lines, Some(self.lines.to_string())),
        ]
    }

    /// Those that a text has, with their values.
    fn used(&self, text: &str) -> Result<Vec<(&'static str, String)>, Unfillable> {
        let used = self.list().into_iter().filter(|(name, _)| text.contains(name));
        used.map(|(name, value)| Ok((name, value.ok_or(Unfillable::Missing(name))?))).collect()
    }

    /// A command for sh.
    ///
    /// # Errors
    /// A value is missing, or cannot be quoted where it stands.
    pub fn command(&self, command: &str) -> Result<String, Unfillable> {
        let used = self.used(command)?;
        let values: Vec<(&'static str, &str)> =
            used.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fill_with(command, &values).map_err(Unfillable::Unquotable)
    }

    /// An address: what would be more than a word of it is encoded. `variable`: a variable of the environment, for `${NAME}`.
    ///
    /// # Errors
    /// A value or a variable is missing.
    pub fn address(
        &self,
        address: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<String, Unfillable> {
        const SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
        let mut filled = address.to_owned();
        for (name, value) in self.used(address)? {
            filled = filled.replace(name, &utf8_percent_encode(&value, SET).to_string());
        }
        for name in references(address) {
            let value = variable(name).ok_or_else(|| Unfillable::Unset(name.to_owned()))?;
            filled = filled.replace(&format!("${{{name}}}"), &value);
        }
        Ok(filled)
    }
}

/// Whether a check is an address that is asked, and no command.
pub fn is_address(check: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| check.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// A text without the colours and other commands that programs write for terminals: `ESC [ … letter`.
pub fn without_colors(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\x1b[") {
        out.push_str(&rest[..at]);
        let after = &rest[at + 2..];
        let end = after.find(|c: char| !matches!(c, '0'..='9' | ';' | ':' | '?' | ' '));
        rest = match end.and_then(|end| after[end..].chars().next().map(|last| end + last.len_utf8())) {
            Some(end) => &after[end..],
            None => "",
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let agent = Some("a1".to_owned());
        Values { service: "web x".into(), path: "services/web".into(), port: Some(8081), agent, lines: 20 }
    }

    #[test]
    fn commands() {
        let command = |text: &str| values().command(text);
        assert_eq!(command("x {service} {port} {agent} {lines}"), Ok("x 'web x' 8081 a1 20".into()));
        assert_eq!(command("docker ps --format '{{.Names}}'"), Ok("docker ps --format '{{.Names}}'".into()));
        let none = Values { service: "web".into(), ..Values::default() };
        assert_eq!(none.command("nc -z localhost {port}"), Err(Unfillable::Missing("{port}")));
        assert_eq!(none.command("x {path}"), Err(Unfillable::Missing("{path}")));
    }

    #[test]
    fn addresses() {
        let set = |name: &str| (name == "PORT_OFFSET").then(|| "8080".to_owned());
        let address = |text: &str| values().address(text, &set);
        assert_eq!(
            address("http://localhost:{port}/{service}?a={agent}"),
            Ok("http://localhost:8081/web%20x?a=a1".into())
        );
        assert_eq!(address("http://localhost:${PORT_OFFSET}/"), Ok("http://localhost:8080/".into()));
        assert_eq!(address("http://${HOST_X}/"), Err(Unfillable::Unset("HOST_X".into())));
        assert!(is_address("HTTPS://x") && is_address("http://x") && !is_address("curl http://x"));
    }

    #[test]
    fn colors_are_left_out() {
        assert_eq!(without_colors("\x1b[1;31mred\x1b[0m and \x1b[Kplain"), "red and plain");
        assert_eq!(without_colors("cut \x1b[1;3"), "cut ");
        assert_eq!(without_colors("\x1b[é1"), "1");
    }
}
