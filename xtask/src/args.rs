//! The options of the tasks.

use std::path::PathBuf;

/// All options; a task looks at those it has.
#[derive(Debug, Default)]
pub struct Options {
    /// The target of the programs, such as `x86_64-unknown-linux-musl`.
    pub target: Option<String>,
    /// The folder of the programs.
    pub binaries: Option<PathBuf>,
    /// The folder that is written to.
    pub out: Option<PathBuf>,
    /// The folder of what `package` wrote, for all targets.
    pub artifacts: Option<PathBuf>,
    /// The tag that is released, such as `v0.1.0`.
    pub tag: Option<String>,
    /// `owner/name` on GitHub.
    pub repository: Option<String>,
    /// Show, and write nothing.
    pub dry_run: bool,
    /// Do not compress.
    pub fast: bool,
}

impl Options {
    /// Reads the options after the name of a task.
    ///
    /// # Errors
    /// One is unknown, given twice, or has no value.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = args.iter();
        while let Some(option) = rest.next() {
            let mut value = || {
                let value = rest.next().filter(|value| !value.is_empty() && !value.starts_with("--"));
                value.cloned().ok_or_else(|| format!("{option} needs a value"))
            };
            let is_repeated = match option.as_str() {
                "--dry-run" => std::mem::replace(&mut options.dry_run, true),
                "--fast" => std::mem::replace(&mut options.fast, true),
                "--target" => options.target.replace(value()?).is_some(),
                "--tag" => options.tag.replace(value()?).is_some(),
                "--repository" => options.repository.replace(value()?).is_some(),
                "--binaries" => options.binaries.replace(value()?.into()).is_some(),
                "--out" => options.out.replace(value()?.into()).is_some(),
                "--artifacts" => options.artifacts.replace(value()?.into()).is_some(),
                _ => return Err(format!("unknown option {option}\n{}", super::USAGE)),
            };
            if is_repeated {
                return Err(format!("{option} is given twice"));
            }
        }
        Ok(options)
    }
}

/// An option that a task cannot do without.
pub(crate) fn needed<'o, T>(value: Option<&'o T>, option: &str) -> Result<&'o T, String> {
    value.ok_or_else(|| format!("{option} is missing\n{}", super::USAGE))
}
