//! Which repository of which host the url of a git remote names.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

/// `owner/name`, of the characters that GitHub allows.
static NAME: LazyLock<Regex> = LazyLock::new(|| regex(r"\A([A-Za-z0-9._-]+)/([A-Za-z0-9._-]+)\z"));
/// `[user@]host:path`: a colon before the first slash; one letter before it is a drive. git-fetch(1), "GIT URLS".
static LIKE_SCP: LazyLock<Regex> = LazyLock::new(|| regex(r"\A(?:[^:]*@)?([A-Za-z0-9._-]{2,}):(?s:(.*))\z"));

/// A pattern that stands in this file; a test compiles them all.
#[allow(clippy::expect_used)]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}

/// A repository on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RemoteUrl {
    /// Lower case; with its port where the url itself was https.
    pub host: String,
    pub name: RepositoryName,
}

/// `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryName {
    /// The user or organisation.
    pub owner: String,
    /// The repository, without `.git`.
    pub name: String,
}

/// The host that an address of git's names, in lower case and without a port; `None` for a path of this machine.
pub fn host_of(url: &str) -> Option<String> {
    let host = match url.contains("://") {
        true => Url::parse(url.trim()).ok()?.host_str()?.to_owned(),
        false => LIKE_SCP.captures(url.trim())?.get(1)?.as_str().to_owned(),
    };
    Some(host.to_ascii_lowercase()).filter(|host| !host.is_empty())
}

impl RepositoryName {
    /// From `owner/name`; `None` if it is not of that form.
    pub fn parse(text: &str) -> Option<Self> {
        let (_, [owner, name]) = NAME.captures(text)?.extract();
        let is_folder = |part: &str| matches!(part, "." | "..");
        let is_name = !is_folder(owner) && !is_folder(name);
        is_name.then(|| Self { owner: owner.to_owned(), name: name.to_owned() })
    }
}

impl std::fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl RemoteUrl {
    /// Reads `https://host[:port]/owner/name[.git]`, the same with `ssh://` or `git://`, and
    /// `[user@]host:owner/name[.git]`, as git does (git-fetch(1), "GIT URLS"). `None` for anything else, as a
    /// path on this machine.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (host, port, path) = match text.contains("://") {
            true => Self::with_scheme(text)?,
            false => Self::like_scp(text)?,
        };
        let path = path.trim_matches('/');
        let name = RepositoryName::parse(path.strip_suffix(".git").unwrap_or(path))?;
        let host = match host.to_ascii_lowercase().as_str() {
            // GitHub's ssh behind firewalls that let nothing out but port 443.
            "ssh.github.com" | "www.github.com" => "github.com".to_owned(),
            host => host.to_owned(),
        };
        let host = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        Some(Self { host, name })
    }

    /// The port only says where the API is if the url is https too: ssh has a port of its own.
    fn with_scheme(text: &str) -> Option<(String, Option<u16>, String)> {
        let url = Url::parse(text).ok()?;
        let port = match url.scheme() {
            "https" => url.port(),
            "http" | "ssh" | "git" | "git+ssh" | "ssh+git" => None,
            _ => return None,
        };
        Some((url.host_str()?.to_owned(), port, url.path().to_owned()))
    }

    fn like_scp(text: &str) -> Option<(String, Option<u16>, String)> {
        let (_, [host, path]) = LIKE_SCP.captures(text)?.extract();
        Some((host.to_owned(), None, path.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_repositories() {
        for (url, host) in [
            ("https://github.com/o/n", "github.com"),
            ("https://github.com/o/n.git", "github.com"),
            ("https://GitHub.com/o/n.git/", "github.com"),
            ("https://www.github.com/o/n", "github.com"),
            ("https://someone:secret@github.com/o/n.git", "github.com"),
            ("https://git.example.com:8443/o/n.git", "git.example.com:8443"),
            ("https://git.example.com:443/o/n.git", "git.example.com"),
            ("http://git.example.com:8080/o/n", "git.example.com"),
            ("git@github.com:o/n.git", "github.com"),
            ("github.com:o/n", "github.com"),
            ("git@github.com:/o/n.git", "github.com"),
            ("ssh://git@github.com/o/n.git", "github.com"),
            ("ssh://git@ssh.github.com:443/o/n.git", "github.com"),
            ("ssh://git@Git.Example.com:2222/o/n", "git.example.com"),
            ("git+ssh://git@github.com/o/n.git", "github.com"),
            ("git://github.com/o/n.git", "github.com"),
            ("  https://github.com/o/n\n", "github.com"),
        ] {
            let read = RemoteUrl::parse(url).unwrap_or_else(|| panic!("{url}"));
            assert_eq!((read.host.as_str(), read.name.to_string().as_str()), (host, "o/n"), "{url}");
        }
        let dotted = RemoteUrl::parse("git@github.com:my-org/some.repo_1.git").unwrap();
        assert_eq!(dotted.name.to_string(), "my-org/some.repo_1");
    }

    #[test]
    fn what_is_no_repository_on_a_host() {
        for url in [
            "",
            "/srv/git/o/n.git",
            "../o/n",
            "./a:b/c",
            "C:/o/n",
            "C:\\o\\n",
            "file:///o/n",
            "https://github.com/o",
            "https://github.com/group/sub/n",
            "https://github.com/../n",
            "https://github.com/o/..",
            "git@github.com:o/n?x",
            "ext::sh -c o/n",
            "https:///o/n",
        ] {
            assert_eq!(RemoteUrl::parse(url), None, "{url}");
        }
    }
}
