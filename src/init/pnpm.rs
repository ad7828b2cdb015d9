//! `pnpm-workspace.yaml`: `packages`.

use serde::Deserialize;

use super::package_json::negated;
use super::workspaces::{Members, first_line};

#[derive(Deserialize)]
struct Workspace {
    packages: Option<Vec<String>>,
}

/// The packages that it lists; `!` leaves some out.
pub fn members(text: &str) -> Result<Option<Members>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let root: Workspace = serde_yaml::from_str(text).map_err(|error| first_line(&error))?;
    Ok(root.packages.map(negated))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages() {
        let text = "# x\npackages:\n  - 'apps/*' # y\n  - \"!**/test/**\"\ncatalog:\n  react: ^18\n";
        let members = members(text).expect("sound").expect("some");
        assert_eq!(
            (members.include, members.exclude),
            (vec!["apps/*".to_owned()], vec!["**/test/**".to_owned()])
        );
        assert_eq!(super::members("catalog: {}\n"), Ok(None));
        assert_eq!(super::members(""), Ok(None));
    }

    #[test]
    fn broken() {
        for text in ["packages: [", "packages: {a: b}", "- x", &"[".repeat(10_000)] {
            assert!(members(text).is_err(), "{text:.30}");
        }
    }
}
