//! One check run for one verdict.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::GitHub;
use super::error::Error;
use super::transport::{Answer, Call, Method};

const NEEDS: &str = "checks: write";
/// So many annotations does GitHub take in one request.
const BATCH: usize = 50;
/// Bytes of a summary or a text. GitHub's limit is in characters, of which there are never more.
const TEXT: usize = 65_535;
const MESSAGE: usize = 60_000;
const TITLE: usize = 255;

/// What to show beside a commit.
#[derive(Debug, Clone)]
pub struct CheckRun {
    /// The name that branch protection can require.
    pub name: String,
    /// The commit, in full.
    pub head_sha: String,
    /// The outcome.
    pub conclusion: Conclusion,
    /// One line.
    pub title: String,
    /// Markdown; what is over 65,535 bytes is cut off.
    pub summary: String,
    /// More Markdown, of the same length.
    pub text: Option<String>,
    /// Any number.
    pub annotations: Vec<Annotation>,
    /// Where "Details" leads.
    pub details_url: Option<String>,
    /// What tells this run from others of the same name at the same commit.
    pub external_id: String,
}

/// The outcome of a check run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// It passes.
    Success,
    /// It fails.
    Failure,
    /// It says something and decides nothing.
    Neutral,
    /// It could not decide; somebody has to do something first.
    ActionRequired,
}

/// A remark at some lines of a file.
#[derive(Debug, Clone, Serialize)]
pub struct Annotation {
    /// From the repository's root.
    pub path: String,
    /// From 1; a remark on the whole file stands at 1.
    pub start_line: u64,
    /// The last of its lines.
    pub end_line: u64,
    /// How bad it is.
    #[serde(rename = "annotation_level")]
    pub level: Level,
    /// Plain text.
    pub message: String,
    /// One line above it.
    pub title: String,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth knowing.
    Notice,
    /// A warning.
    Warning,
    /// An error.
    Failure,
}

/// Where it can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedCheck {
    /// GitHub's number for it.
    pub id: u64,
    /// Its page.
    pub url: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    check_runs: Vec<CheckRunResponse>,
}

#[derive(Deserialize)]
struct CheckRunResponse {
    id: u64,
    name: String,
    head_sha: String,
    external_id: Option<String>,
    html_url: Option<String>,
    output: Output,
}

#[derive(Deserialize)]
struct Output {
    annotations_count: usize,
}

impl GitHub {
    /// Publishes a check run: one for one name, commit, `external_id` and set of annotations.
    ///
    /// Annotations can only be added to a run, never taken away. So the run on GitHub has a digest of them at the end
    /// of its `external_id`. The newest run of this name, commit and `external_id` is brought up to date where its
    /// annotations are the same, and gets those that it lacks, which GitHub counts; otherwise there is a new run, and
    /// GitHub shows the newest. However often this is called, and whichever answer is lost, nothing is there twice.
    ///
    /// `GET /repos/{owner}/{repo}/commits/{ref}/check-runs`, `POST /repos/{owner}/{repo}/check-runs`,
    /// `GET` and `PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}`
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a token that only reads, and for a person's: only apps and workflows have check runs.
    pub fn publish_check(&self, run: &CheckRun) -> Result<PublishedCheck, Error> {
        let annotations: Vec<Annotation> = run.annotations.iter().map(fit_annotation).collect();
        let reference = format!("{}#{:016x}", run.external_id, digest(&annotations));
        let (existing, mut is_current) = match self.newest_run(run, &reference)? {
            Some(existing) => (existing, false),
            None => (self.create_run(run, &reference, &annotations)?, true),
        };
        let mut sent = existing.output.annotations_count.min(annotations.len());
        while sent < annotations.len() || !is_current {
            let end = annotations.len().min(sent + BATCH);
            let body = body(run, &reference, &annotations[sent..end]);
            sent = self.update_run(existing.id, body, end, sent)?;
            is_current = true;
        }
        Ok(PublishedCheck { id: existing.id, url: existing.html_url })
    }

    /// The newest run with our `external_id`, if its annotations are those of `reference`. An older one that fits is
    /// of no use: GitHub would go on showing the newest.
    fn newest_run(&self, run: &CheckRun, reference: &str) -> Result<Option<CheckRunResponse>, Error> {
        let query = [("check_name", run.name.as_str()), ("filter", "all"), ("per_page", "100")];
        let url = self.url(&["commits", &run.head_sha, "check-runs"], &query)?;
        let is_ours = |found: &CheckRunResponse| {
            let id = found.external_id.as_deref().and_then(|id| id.rsplit_once('#'));
            found.name == run.name
                && found.head_sha == run.head_sha
                && id.is_some_and(|(id, _)| id == run.external_id)
        };
        let mut newest: Option<CheckRunResponse> = None;
        self.client.pages(url, NEEDS, |page: Page| {
            let ours = page.check_runs.into_iter().filter(is_ours);
            newest = newest.take().into_iter().chain(ours).max_by_key(|found| found.id);
            ControlFlow::Continue(())
        })?;
        Ok(newest.filter(|found| found.external_id.as_deref() == Some(reference)))
    }

    fn create_run(
        &self,
        run: &CheckRun,
        reference: &str,
        annotations: &[Annotation],
    ) -> Result<CheckRunResponse, Error> {
        let first = &annotations[..annotations.len().min(BATCH)];
        let mut body = body(run, reference, first);
        body.insert("head_sha".to_owned(), json!(run.head_sha));
        let url = self.url(&["check-runs"], &[])?;
        let call = Call { method: Method::Post, url, body: Some(Value::Object(body)), needs: NEEDS };
        let read = |answer: &Answer| {
            let mut created: CheckRunResponse = self.client.decode(&call, answer)?;
            // It took them, whether or not it has counted them yet.
            created.output.annotations_count = first.len();
            Ok(created)
        };
        self.client.once(&call, read, || self.newest_run(run, reference))
    }

    /// Sends the annotations up to `end`, of which `sent` are there. How many are there then.
    fn update_run(&self, id: u64, body: Map<String, Value>, end: usize, sent: usize) -> Result<usize, Error> {
        let url = self.url(&["check-runs", &id.to_string()], &[])?;
        let call =
            Call { method: Method::Patch, url: url.clone(), body: Some(Value::Object(body)), needs: NEEDS };
        if sent == end {
            return self.client.repeat(&call).map(|_| end);
        }
        // A second time they would be there twice.
        let landed = || {
            let now: CheckRunResponse = self.client.get(url.clone(), NEEDS)?;
            Ok((now.output.annotations_count > sent).then_some(now.output.annotations_count))
        };
        self.client.once(&call, |_| Ok(end), landed)
    }
}

fn body(run: &CheckRun, reference: &str, annotations: &[Annotation]) -> Map<String, Value> {
    let mut output = Map::new();
    output.insert("title".to_owned(), json!(truncate(&run.title, TITLE)));
    output.insert("summary".to_owned(), json!(truncate(&run.summary, TEXT)));
    if let Some(text) = &run.text {
        output.insert("text".to_owned(), json!(truncate(text, TEXT)));
    }
    if !annotations.is_empty() {
        output.insert("annotations".to_owned(), json!(annotations));
    }
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(run.name));
    body.insert("external_id".to_owned(), json!(reference));
    body.insert("status".to_owned(), json!("completed"));
    body.insert("conclusion".to_owned(), json!(run.conclusion));
    if let Some(url) = &run.details_url {
        body.insert("details_url".to_owned(), json!(url));
    }
    body.insert("output".to_owned(), Value::Object(output));
    body
}

/// The annotation within GitHub's limits.
fn fit_annotation(annotation: &Annotation) -> Annotation {
    let start_line = annotation.start_line.max(1);
    Annotation {
        start_line,
        end_line: annotation.end_line.max(start_line),
        message: truncate(&annotation.message, MESSAGE),
        title: truncate(&annotation.title, TITLE),
        ..annotation.clone()
    }
}

/// The text, or as much of it as `max` bytes hold together with three dots.
pub(super) fn truncate(text: &str, max: usize) -> String {
    const DOTS: &str = "…";
    if text.len() <= max {
        return text.to_owned();
    }
    let mut end = max - DOTS.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{DOTS}", &text[..end])
}

/// Of the annotations as they are sent: the same in every version of git-lane. Nobody gains by two sets with one
/// digest, for the verdict does not hang on it.
fn digest(annotations: &[Annotation]) -> u64 {
    fnv1a(json!(annotations).to_string().as_bytes())
}

/// FNV-1a of 64 bits (draft-eastlake-fnv).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_a_character() {
        assert_eq!(truncate("abc", 3), "abc");
        assert_eq!(truncate("abcdefgh", 6), "abc…");
        assert_eq!(truncate("äöüäöü", 8), "äö…");
        assert_eq!(truncate(&"x".repeat(70_000), TEXT).len(), TEXT);
    }

    #[test]
    fn lines_are_those_that_github_takes() {
        let odd = Annotation {
            path: "a".to_owned(),
            start_line: 0,
            end_line: 0,
            level: Level::Failure,
            message: String::new(),
            title: String::new(),
        };
        assert_eq!((fit_annotation(&odd).start_line, fit_annotation(&odd).end_line), (1, 1));
        assert_eq!(fit_annotation(&Annotation { start_line: 9, end_line: 3, ..odd }).end_line, 9);
    }

    #[test]
    fn the_digest_is_that_of_the_draft() {
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(fnv1a(text.as_bytes()), hash, "{text}");
        }
    }
}
