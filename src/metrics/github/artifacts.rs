//! Coverage that a job of a workflow left behind as an artifact.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::super::Query;
use super::super::coverage::{self, Source};
use super::missing;
use lane_core::metrics::{Metrics, Missing};
use lane_core::text::plain;
use lane_github::{Artifact, GitHub};

/// Words in the name of an artifact, or of a file in it, that say that it is about coverage.
const WORDS: [&str; 3] = ["coverage", "lcov", "cobertura"];
/// The largest artifact that is fetched, in bytes.
const LARGEST: usize = 64 << 20;
/// How many are fetched at most: those of the newest commit that has any.
const MOST: usize = 8;

/// Puts the newest coverage of the base into the report.
pub(super) fn read(query: &Query, metrics: &mut Metrics, github: &GitHub) {
    let artifacts = match github.artifacts_since(query.period.from) {
        Ok(artifacts) => artifacts,
        Err(error) => {
            metrics.missing.push(missing("coverage", &error));
            return;
        }
    };
    let base = &query.plan.policy.base.value;
    let mut sources = Vec::new();
    for artifact in newest(&artifacts, base, query.period.to) {
        let name = plain(&artifact.name);
        if artifact.size > LARGEST as u64 {
            metrics.missing.push(unread(&name, &format!("it is larger than {} MB", LARGEST >> 20)));
            continue;
        }
        match github.artifact_zip(artifact.id, LARGEST) {
            Ok(bytes) => match reports_in(&bytes, &name) {
                Ok(found) => sources.extend(found),
                Err(reason) => metrics.missing.push(unread(&name, &reason)),
            },
            Err(error) => metrics.missing.push(missing("coverage", &error)),
        }
    }
    coverage::add_sources(query, metrics, sources);
}

fn unread(name: &str, reason: &str) -> Missing {
    Missing {
        what: "coverage".to_owned(),
        reason: format!("the artifact {name} could not be read: {reason}"),
        help: Some("name a report on this machine: git lane report --coverage FILE".to_owned()),
    }
}

fn is_about_coverage(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Those of the newest commit of the base that has any.
fn newest<'a>(artifacts: &'a [Artifact], base: &str, before: i64) -> impl Iterator<Item = &'a Artifact> {
    let is_fitting = move |artifact: &&Artifact| {
        !artifact.is_expired
            && artifact.created_at < before
            && artifact.branch.as_deref() == Some(base)
            && is_about_coverage(&artifact.name)
    };
    let first = artifacts.iter().filter(is_fitting).max_by_key(|artifact| artifact.created_at);
    let commit = first.and_then(|first| first.commit.clone());
    let base = base.to_owned();
    let is_of_it = move |artifact: &&Artifact| {
        artifact.commit.is_some()
            && artifact.commit == commit
            && !artifact.is_expired
            && artifact.branch.as_deref() == Some(&base)
            && is_about_coverage(&artifact.name)
    };
    artifacts.iter().filter(is_of_it).take(MOST)
}

/// The reports of coverage in a zip file. Nothing is unpacked to disk.
fn reports_in(bytes: &[u8], artifact: &str) -> Result<Vec<Source>, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for at in 0..archive.len() {
        let file = archive.by_index(at).map_err(|error| error.to_string())?;
        let name = file.name().map_err(|error| error.to_string())?.into_owned();
        let base = name.rsplit('/').next().unwrap_or(&name).to_ascii_lowercase();
        let is_form = [".xml", ".info", ".lcov"].iter().any(|end| base.ends_with(end));
        if !is_form || (base.ends_with(".xml") && !is_about_coverage(&base)) {
            continue;
        }
        let mut bytes = Vec::new();
        // What is packed may be a thousand times larger than the packet.
        file.take(coverage::LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > coverage::LARGEST {
            return Err(format!("{} is larger than {} MB", plain(&name), coverage::LARGEST >> 20));
        }
        found.push(Source { name: format!("{artifact}/{}", plain(&name)), bytes });
    }
    if found.is_empty() { Err("it has no lcov or Cobertura file".to_owned()) } else { Ok(found) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;

    fn artifact(id: u64, name: &str, commit: &str, created_at: i64) -> Artifact {
        let (branch, commit) = (Some("main".to_owned()), Some(commit.to_owned()));
        Artifact { id, name: name.to_owned(), size: 1, created_at, is_expired: false, branch, commit }
    }

    #[test]
    fn those_of_the_newest_commit() {
        let old = artifact(1, "coverage", "a", 10);
        let lost = Artifact { is_expired: true, ..artifact(2, "coverage", "c", 30) };
        let aside = Artifact { branch: Some("x".to_owned()), ..artifact(3, "coverage", "d", 40) };
        let all = [
            aside,
            lost,
            artifact(4, "web-lcov", "b", 21),
            artifact(5, "Coverage", "b", 20),
            artifact(6, "logs", "b", 20),
            old,
        ];
        let found = |before| newest(&all, "main", before).map(|found| found.id).collect::<Vec<_>>();
        assert_eq!(found(100), [4, 5]);
        assert_eq!(found(20), [1]);
        assert_eq!(found(5), [0; 0]);
    }

    #[test]
    fn reports_are_found_inside() {
        let mut packed = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in ["out/lcov.info", "coverage.xml", "pom.xml", "index.html"] {
            packed.start_file(name, SimpleFileOptions::default()).unwrap();
            packed.write_all(b"SF:a\n").unwrap();
        }
        let bytes = packed.finish().unwrap().into_inner();
        let mut names: Vec<String> =
            reports_in(&bytes, "cov").unwrap().into_iter().map(|found| found.name).collect();
        names.sort();
        assert_eq!(names, ["cov/coverage.xml", "cov/out/lcov.info"]);
        assert!(reports_in(b"no zip", "cov").is_err());
    }
}
