//! Projects as the matrix of a CI job.

use std::fmt::Write as _;

use serde::Serialize;

/// One job of a matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The service.
    pub service: String,
    /// Its folder, `.` for the root.
    pub path: String,
}

/// One line for `matrix: ${{ fromJSON(…) }}` of a GitHub workflow.
pub fn github_matrix(entries: &[Entry]) -> String {
    #[derive(Serialize)]
    struct Matrix<'e> {
        include: &'e [Entry],
    }
    let text = serde_json::to_string(&Matrix { include: entries }).unwrap_or_default();
    crate::text::in_json(text) + "\n"
}

/// A child pipeline of GitLab: one job for each service, of the template `.affected` that `template` has. A pipeline has at
/// least one job, so one that does nothing stands for none.
pub fn gitlab_pipeline(entries: &[Entry], template: &str) -> String {
    // JSON texts are YAML.
    let quoted = |text: &str| crate::text::in_json(serde_json::to_string(text).unwrap_or_default());
    let mut out = String::from("# Made by `git lane affected --format gitlab`.\n");
    if entries.is_empty() {
        out.push_str("no-affected-services:\n  script:\n    - echo \"no affected services\"\n");
        return out;
    }
    let _ = writeln!(out, "include:\n  - local: {}", quoted(template));
    out.push_str("affected:\n  extends: .affected\n  parallel:\n    matrix:\n");
    for Entry { service, path } in entries {
        let _ = writeln!(out, "      - SERVICE: {}\n        SERVICE_PATH: {}", quoted(service), quoted(path));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(names: &[&str]) -> Vec<Entry> {
        let entry = |name: &&str| Entry { service: (*name).to_owned(), path: format!("services/{name}") };
        names.iter().map(entry).collect()
    }

    #[test]
    fn github() {
        assert_eq!(github_matrix(&[]), "{\"include\":[]}\n");
        assert_eq!(
            github_matrix(&entries(&["web"])),
            "{\"include\":[{\"service\":\"web\",\"path\":\"services/web\"}]}\n"
        );
        assert_eq!(github_matrix(&entries(&["a\nb"])).lines().count(), 1);
    }

    #[test]
    fn gitlab() {
        let parse = |text: &str| serde_yaml::from_str::<serde_json::Value>(text).expect("YAML");
        let some = parse(&gitlab_pipeline(&entries(&["web", "a: \"b\n"]), "/ci/x.yml"));
        assert_eq!(some["affected"]["parallel"]["matrix"][1]["SERVICE"], "a: \"b\n");
        assert_eq!(some["include"][0]["local"], "/ci/x.yml");
        let none = parse(&gitlab_pipeline(&[], "/ci/x.yml"));
        assert!(none["no-affected-services"]["script"].is_array() && none.get("include").is_none());
    }
}
