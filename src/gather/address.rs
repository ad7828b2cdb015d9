//! The address of a remote as reports may show it: one that others can use, and without secrets.

use lane_git::{Read, Repository};

/// The address of a remote, if it has one that means something elsewhere.
///
/// # Errors
/// The configuration cannot be read.
pub(super) fn of_remote(repo: &dyn Repository, remote: &str) -> Read<Option<String>> {
    let configured = repo.config(&format!("remote.{remote}.url"))?;
    Ok(configured.first().and_then(|address| public(address)))
}

/// An address as a URI without user and password, query and fragment. The forms are those of
/// git-fetch(1), "GIT URLS"; `host:path` becomes `ssh://host/path`.
fn public(address: &str) -> Option<String> {
    let is_plain =
        |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/:[]%+@,=".contains(&b));
    let host_of = |authority: &str| {
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        (!host.is_empty()).then(|| host.to_owned())
    };
    let (scheme, host, path) = if let Some((scheme, rest)) = address.split_once("://") {
        let known = ["https", "http", "ssh", "git", "git+ssh"];
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        (*known.iter().find(|known| scheme.eq_ignore_ascii_case(known))?, host_of(authority)?, path)
    } else {
        // A slash before the first colon makes it a path of this machine.
        let (authority, path) = address.split_once(':').filter(|(before, _)| !before.contains('/'))?;
        // As does a single letter where drives have such names.
        if authority.len() < 2 {
            return None;
        }
        ("ssh", host_of(authority)?, path.trim_start_matches('/'))
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    (is_plain(&host) && is_plain(path)).then(|| format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::public;

    #[test]
    fn addresses_without_secrets() {
        let is =
            |address: &str, shown: Option<&str>| assert_eq!(public(address).as_deref(), shown, "{address}");
        is("https://github.com/o/r.git", Some("https://github.com/o/r.git"));
        is("https://x-access-token:ghs_secret@github.com/o/r", Some("https://github.com/o/r"));
        is("https://user:p@ss@host/r?token=1#x", Some("https://host/r"));
        is("git@github.com:o/r.git", Some("ssh://github.com/o/r.git"));
        is("ssh://git@host:2222/o/r", Some("ssh://host:2222/o/r"));
        is("../origin.git", None);
        is("/srv/a:b", None);
        is("file:///srv/r", None);
        is(r"C:\r", None);
        is("https://user:secret@", None);
        is("https://host/a b", None);
        is("ext::sh -c x", None);
    }
}
