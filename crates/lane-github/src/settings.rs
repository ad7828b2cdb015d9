//! Whom to ask, about which repository, as whom: read from variables and the remote's url, nothing else.

use std::fmt;

use url::{Host, Url};

use super::error::Error;
use super::remote_url::{RemoteUrl, RepositoryName};

/// Where GitHub is, the repository, and the token.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) api: Url,
    pub(super) token: Token,
    repository: RepositoryName,
}

/// A token that shows itself to nobody.
#[derive(Clone)]
pub(super) struct Token {
    value: String,
    /// The variable it came from.
    pub from: &'static str,
}

impl Token {
    /// The token, for the one header that has it.
    #[cfg_attr(not(feature = "client"), allow(dead_code))]
    pub fn reveal(&self) -> &str {
        &self.value
    }

    /// The text without the token, should someone have sent it back.
    pub fn hidden_in(&self, text: &str) -> String {
        text.replace(&self.value, "***")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(from {})", self.from)
    }
}

const OWN: [&str; 2] = ["GH_TOKEN", "GITHUB_TOKEN"];
const ENTERPRISE: [&str; 2] = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];

impl Settings {
    /// Reads the settings from variables and the url of the remote that changes are pushed to.
    ///
    /// - API: `GITHUB_API_URL` (workflows have it), else that of the host in `GH_HOST`, else of the remote's.
    /// - Repository: `GITHUB_REPOSITORY`, else the remote's.
    /// - Token: as `gh` takes it (`gh help environment`): `GH_TOKEN`, `GITHUB_TOKEN` for github.com and ghe.com,
    ///   `GH_ENTERPRISE_TOKEN`, `GITHUB_ENTERPRISE_TOKEN` for other hosts, so that no other host is handed
    ///   github.com's. Where `GITHUB_API_URL` names the other host itself, the first two will do as well.
    ///
    /// # Errors
    /// [`Error::Settings`] where one of them cannot be told, and for an API that would be spoken to in the
    /// clear, unless it is on this machine.
    pub fn read(var: impl Fn(&str) -> Option<String>, remote: Option<&str>) -> Result<Self, Error> {
        let var = |name: &str| var(name).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty());
        let remote = remote.and_then(RemoteUrl::parse);
        let repository = match (var("GITHUB_REPOSITORY"), &remote) {
            (Some(name), _) => RepositoryName::parse(&name).ok_or_else(|| {
                Error::settings(
                    "GITHUB_REPOSITORY is not of the form owner/name",
                    "set it to the repository on GitHub, as GITHUB_REPOSITORY=octocat/hello-world",
                )
            })?,
            (None, Some(remote)) => remote.name.clone(),
            (None, None) => {
                return Err(Error::settings(
                    "the GitHub repository is unknown: the remote's url does not name one",
                    "set GITHUB_REPOSITORY=owner/name, or the remote's url (git remote set-url)",
                ));
            }
        };
        let named = var("GITHUB_API_URL");
        let api = match &named {
            Some(url) => parse_url(url)?,
            None => {
                let host = var("GH_HOST").or_else(|| remote.map(|remote| remote.host));
                api_of(&host.unwrap_or_else(|| "github.com".to_owned()))?
            }
        };
        let variables: Vec<&'static str> = match (is_githubs_own(&api), named) {
            (true, _) => OWN.to_vec(),
            (false, Some(_)) => [ENTERPRISE, OWN].concat(),
            (false, None) => ENTERPRISE.to_vec(),
        };
        let token = variables.iter().find_map(|from| Some(Token { value: var(from)?, from }));
        let host = api.host_str().unwrap_or_default();
        let token = token.ok_or_else(|| {
            Error::settings(
                format!("no token for {host}"),
                format!(
                    "set {}; in a workflow: `env: {{ GITHUB_TOKEN: \"${{{{ github.token }}}}\" }}`; at a desk: \
                     {}=$(gh auth token)",
                    variables[..2].join(" or "),
                    variables[0]
                ),
            )
        })?;
        // What is no token would break the header that has it.
        if !token.value.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::settings(
                format!("{} does not hold a token: it contains characters that no token has", token.from),
                format!("set {} to the token alone, without quotes or line ends", token.from),
            ));
        }
        Ok(Self { api, token, repository })
    }

    /// The same where it may be that the repository is not on GitHub: `None` where nothing says that it is. Where it is,
    /// what is missing is an error as ever, a token above all.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn find(var: impl Fn(&str) -> Option<String>, remote: Option<&str>) -> Result<Option<Self>, Error> {
        let read = Self::read(&var, remote);
        let is_set = |name: &str| var(name).is_some_and(|value| !value.trim().is_empty());
        let named_host = is_set("GITHUB_API_URL") || is_set("GH_HOST");
        let is_githubs = |remote: RemoteUrl| remote.host == "github.com" || is_tenant(&remote.host);
        let on_github = match remote.and_then(RemoteUrl::parse) {
            Some(remote) => named_host || is_githubs(remote),
            None => is_set("GITHUB_REPOSITORY"),
        };
        match read {
            Err(_) if !on_github => Ok(None),
            read => read.map(Some),
        }
    }

    /// [`Settings::find`] from this process's variables.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn find_of_process(remote: Option<&str>) -> Result<Option<Self>, Error> {
        Self::find(|name| std::env::var(name).ok(), remote)
    }

    /// The same from this process's variables.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn of_process(remote: Option<&str>) -> Result<Self, Error> {
        Self::read(|name| std::env::var(name).ok(), remote)
    }

    /// The repository that calls are about.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// The address of the API, without a slash at its end.
    pub fn api(&self) -> &str {
        self.api.as_str().trim_end_matches('/')
    }
}

/// `https://api.github.com`, `https://api.TENANT.ghe.com`, `https://HOST/api/v3`.
fn api_of(host: &str) -> Result<Url, Error> {
    let host = host.to_ascii_lowercase();
    // A path or a user in it would send the token somewhere else than it seems.
    if !host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:".contains(c)) {
        return Err(Error::settings(
            format!("`{}` is not a host", host.escape_default()),
            "set GH_HOST to a host alone, as GH_HOST=git.example.com",
        ));
    }
    match host.as_str() {
        "github.com" => parse_url("https://api.github.com"),
        host if is_tenant(host) => parse_url(&format!("https://api.{host}")),
        host => parse_url(&format!("https://{host}/api/v3")),
    }
}

fn is_tenant(host: &str) -> bool {
    host.ends_with(".ghe.com")
}

fn is_githubs_own(api: &Url) -> bool {
    let host = api.host_str().unwrap_or_default();
    host == "api.github.com" || is_tenant(host) || is_loopback(api)
}

/// Whether it is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An address that a token may be sent to.
fn parse_url(text: &str) -> Result<Url, Error> {
    let wrong = |what: &str| {
        Error::settings(
            format!("the address of GitHub's API {what}"),
            "set GITHUB_API_URL=https://api.github.com, or https://HOST/api/v3 for GitHub Enterprise",
        )
    };
    let url = Url::parse(text).map_err(|_| wrong("is not a url"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(wrong("is http, which would expose the token")),
        _ => return Err(wrong("is not https")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("has a user or a password in it"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a query in it"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)], remote: Option<&str>) -> Result<Settings, Error> {
        let vars: Vec<(String, String)> = vars.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        Settings::read(|name| vars.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()), remote)
    }

    const REMOTE: Option<&str> = Some("git@github.com:o/n.git");
    const ENTERPRISE_REMOTE: Option<&str> = Some("https://git.example.com:8443/o/n.git");

    /// API, repository, and the variable of the token.
    fn settings_of(vars: &[(&str, &str)], remote: Option<&str>) -> (String, String, &'static str) {
        let read = read(vars, remote).unwrap();
        (read.api().to_owned(), read.repository().to_string(), read.token.from)
    }

    fn at(api: &str, name: &str, from: &'static str) -> (String, String, &'static str) {
        (api.to_owned(), name.to_owned(), from)
    }

    #[test]
    fn at_a_desk() {
        let github = "https://api.github.com";
        assert_eq!(settings_of(&[("GITHUB_TOKEN", "t")], REMOTE), at(github, "o/n", "GITHUB_TOKEN"));
        let both = [("GITHUB_TOKEN", "t"), ("GH_TOKEN", "u")];
        assert_eq!(settings_of(&both, REMOTE), at(github, "o/n", "GH_TOKEN"));
        let empty = [("GITHUB_TOKEN", "t"), ("GH_TOKEN", " ")];
        assert_eq!(settings_of(&empty, REMOTE), at(github, "o/n", "GITHUB_TOKEN"));
        assert_eq!(
            settings_of(&[("GH_TOKEN", "t")], Some("git@acme.ghe.com:o/n.git")),
            at("https://api.acme.ghe.com", "o/n", "GH_TOKEN")
        );
    }

    #[test]
    fn in_a_workflow() {
        let vars = [
            ("GITHUB_API_URL", "https://api.github.com"),
            ("GITHUB_REPOSITORY", "base/repo"),
            ("GITHUB_TOKEN", "t"),
        ];
        assert_eq!(settings_of(&vars, REMOTE), at("https://api.github.com", "base/repo", "GITHUB_TOKEN"));
        assert_eq!(settings_of(&vars, None), at("https://api.github.com", "base/repo", "GITHUB_TOKEN"));
        let own_server = [("GITHUB_API_URL", "https://git.example.com/api/v3/"), vars[1], vars[2]];
        assert_eq!(
            settings_of(&own_server, None),
            at("https://git.example.com/api/v3", "base/repo", "GITHUB_TOKEN")
        );
    }

    #[test]
    fn a_host_of_ones_own() {
        let token = ("GITHUB_ENTERPRISE_TOKEN", "t");
        assert_eq!(
            settings_of(&[token, ("GH_ENTERPRISE_TOKEN", "u")], ENTERPRISE_REMOTE),
            at("https://git.example.com:8443/api/v3", "o/n", "GH_ENTERPRISE_TOKEN")
        );
        // An alias of ~/.ssh/config stands where the host should.
        assert_eq!(
            settings_of(&[token, ("GH_HOST", "Git.example.com")], Some("git@work:o/n.git")),
            at("https://git.example.com/api/v3", "o/n", "GITHUB_ENTERPRISE_TOKEN")
        );
    }

    #[test]
    fn another_host_is_not_handed_the_token_of_github() {
        let vars = [("GH_TOKEN", "t"), ("GITHUB_TOKEN", "t")];
        let error = read(&vars, ENTERPRISE_REMOTE).unwrap_err();
        assert_eq!(error.to_string(), "no token for git.example.com");
        assert!(error.help().contains("GH_ENTERPRISE_TOKEN"), "{}", error.help());
        // Nor is github.com handed another's.
        assert!(read(&[("GH_ENTERPRISE_TOKEN", "t")], REMOTE).is_err());
        for host in ["evil.example/x?", "api.github.com@evil.example", "evil.example#", "e\nvil"] {
            let error = read(&[("GH_HOST", host), ("GH_ENTERPRISE_TOKEN", "t")], REMOTE).unwrap_err();
            assert!(matches!(error, Error::Settings { .. }), "{host:?}");
        }
    }

    #[test]
    fn in_the_clear_only_on_this_machine() {
        let with = |url: &str| read(&[("GITHUB_API_URL", url), ("GH_TOKEN", "t")], REMOTE);
        for url in
            ["http://127.0.0.1:4010", "http://localhost:1/api/v3", "http://[::1]:80", "https://x.example"]
        {
            assert!(with(url).is_ok(), "{url}");
        }
        for (url, word) in [
            ("http://api.github.com", "http,"),
            ("http://127.0.0.1.example.com", "http,"),
            ("ftp://x.example", "not https"),
            ("api.github.com", "not a url"),
            ("https://u:p@x.example", "a user"),
            ("https://x.example?a=b", "a query"),
        ] {
            let error = with(url).unwrap_err();
            assert!(error.to_string().contains(word), "{url}: {error}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let error = read(&[("GH_TOKEN", "t")], Some("/srv/git/n.git")).unwrap_err();
        assert!(error.help().contains("GITHUB_REPOSITORY"));
        assert!(read(&[("GH_TOKEN", "t"), ("GITHUB_REPOSITORY", "n")], REMOTE).is_err());
        assert!(read(&[], REMOTE).unwrap_err().help().contains("GH_TOKEN or GITHUB_TOKEN"));
        assert!(
            read(&[("GH_TOKEN", "a b")], REMOTE).unwrap_err().to_string().contains("does not hold a token")
        );
    }

    #[test]
    fn a_repository_that_is_not_on_github_lacks_nothing() {
        let find = |vars: &[(&str, &str)], remote| {
            let vars: Vec<(String, String)> = vars.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
            Settings::find(|name| vars.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()), remote)
                .map(|found| found.is_some())
        };
        for remote in
            [None, Some("/srv/git/n.git"), Some("git@gitlab.com:o/n.git"), Some("https://x.org/a/b/c")]
        {
            assert_eq!(find(&[("GH_TOKEN", "t")], remote), Ok(false), "{remote:?}");
        }
        assert_eq!(find(&[("GH_TOKEN", "t")], REMOTE), Ok(true));
        assert_eq!(find(&[("GH_ENTERPRISE_TOKEN", "t")], ENTERPRISE_REMOTE), Ok(true));
        for (vars, remote) in [
            (vec![], REMOTE),
            (vec![], Some("git@acme.ghe.com:o/n.git")),
            (vec![("GH_HOST", "git.example.com")], ENTERPRISE_REMOTE),
            (vec![("GITHUB_REPOSITORY", "o/n")], Some("/srv/git/n.git")),
        ] {
            let error = find(&vars, remote).unwrap_err();
            assert!(error.to_string().starts_with("no token for "), "{error}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let settings = read(&[("GH_TOKEN", "ghp_secret")], REMOTE).unwrap();
        assert!(!format!("{settings:?} {settings:#?}").contains("ghp_secret"));
        assert_eq!(settings.token.hidden_in("bad: ghp_secret!"), "bad: ***!");
        let error = read(&[("GH_TOKEN", "ghp_secret\u{e9}")], REMOTE).unwrap_err();
        assert!(!format!("{error} {error:?} {}", error.help()).contains("ghp_secret"));
    }
}
