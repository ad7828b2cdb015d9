//! A formula for Homebrew, which installs the archives of the release.

use std::fmt::Write as _;

use crate::project::Project;
use crate::targets::Target;

/// Its file.
pub const FILE: &str = "git-lane.rb";

/// The formula. `sum`: the SHA-256 of a file of the release.
///
/// # Errors
/// The archive of a target is missing.
pub fn write(project: &Project, sum: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let mut places = String::new();
    for (system, os) in [("macos", "darwin"), ("linux", "linux")] {
        let _ = writeln!(places, "\n  on_{system} do");
        for (processor, cpu) in [("arm", "arm64"), ("intel", "x64")] {
            let target = Target::released().find(|target| target.npm == [os, cpu]);
            let archive = target.ok_or_else(|| format!("there is no release for {os} on {cpu}"))?.archive();
            let (url, sum) = (project.download(&archive), sum(&archive)?);
            let _ = writeln!(
                places,
                "    on_{processor} do\n      url \"{url}\"\n      sha256 \"{sum}\"\n    end"
            );
        }
        places += "  end\n";
    }
    let licences: Vec<_> = project.licence.split(" OR ").map(|name| format!("\"{name}\"")).collect();
    // The archive is laid out as a prefix is.
    Ok(format!(
        "class GitLane < Formula
  desc \"{}\"
  homepage \"{}\"
  version \"{}\"
  license any_of: [{}]
{places}
  def install
    prefix.install \"bin\", \"share\"
  end

  test do
    assert_equal \"git-lane #{{version}}\\n\", shell_output(\"#{{bin}}/git-lane --version\")
    assert_equal \"git-lane-hook #{{version}}\\n\", shell_output(\"#{{bin}}/git-lane-hook --version\")
  end
end
",
        project.description,
        project.repository,
        project.version,
        licences.join(", "),
    ))
}
