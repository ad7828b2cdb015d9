//! What a command says: findings as JSON on its standard output, or an exit code and words.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::facts::{OwnFinding, RepoPath};

/// The most bytes that a command may write, to either stream.
pub const MAX_OUTPUT: u64 = 1_000_000;
/// The most bytes of its words that a report has.
const LONGEST: usize = 4_000;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Exit(u8),
    /// Not by itself, or not at all, in words: `was ended after 10s`.
    Not(String),
}

/// What a command may write. Everything else it writes is words.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(title = "git-lane custom rule answer")]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Version of this format; 1.
    version: u32,
    /// What is wrong; none: nothing.
    findings: Vec<AnswerFinding>,
}

/// One thing that is wrong.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AnswerFinding {
    /// The file, as the request spells its path, or another path of the repository.
    path: Option<String>,
    /// The line, from 1.
    line: Option<u64>,
    /// What is wrong. Its first line is the headline.
    message: String,
    /// What to do about it.
    help: Option<String>,
}

impl Answer {
    /// The JSON Schema of it.
    pub fn json_schema() -> Value {
        schemars::schema_for!(Self).to_value()
    }
}

/// The findings that a command came to. `known`: the paths that it was told.
///
/// # Errors
/// Why that is no verdict.
pub fn answer(ended: &Ended, out: &[u8], err: &[u8], known: &[&RepoPath]) -> Result<Vec<OwnFinding>, String> {
    let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    let (out, err) = (out.trim(), err.trim());
    let code = match ended {
        Ended::Exit(code @ (0 | 1)) => *code,
        Ended::Exit(code) => return Err(with_words(&format!("it failed with exit code {code}"), out, err)),
        Ended::Not(how) => return Err(with_words(&format!("it {how}"), out, err)),
    };
    if out.starts_with('{') {
        let findings = parse(out, known).map_err(|why| format!("its JSON could not be read: {why}"))?;
        if code == 1 && findings.is_empty() {
            return Err("it failed with exit code 1, and its JSON has no findings".to_owned());
        }
        return Ok(findings);
    }
    if code == 0 {
        return Ok(Vec::new());
    }
    let words = if out.is_empty() { err } else { out };
    if words.is_empty() {
        return Err("it failed with exit code 1, and said nothing".to_owned());
    }
    Ok(vec![OwnFinding { path: None, line: None, message: start_of(words), help: None }])
}

fn parse(text: &str, known: &[&RepoPath]) -> Result<Vec<OwnFinding>, String> {
    let answer: Answer = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if answer.version != 1 {
        return Err(format!("unknown version {}, expected 1", answer.version));
    }
    let findings = answer.findings.into_iter().enumerate().map(|(at, finding)| {
        let wrong = |what: &str| Err(format!("findings[{at}]: {what}"));
        let message = finding.message.trim();
        if message.is_empty() {
            return wrong("`message` is empty");
        }
        if finding.line == Some(0) {
            return wrong("`line` is 0; lines are counted from 1");
        }
        if finding.line.is_some() && finding.path.is_none() {
            return wrong("`line` without `path`");
        }
        let path = match &finding.path {
            None => None,
            Some(text) => match path_of(text, known) {
                Some(path) => Some(path),
                None => return wrong("`path` is not a path in the repository"),
            },
        };
        let help = finding.help.map(|help| start_of(help.trim())).filter(|help| !help.is_empty());
        Ok(OwnFinding { path, line: finding.line, message: start_of(message), help })
    });
    findings.collect()
}

/// A path as it was told, or one that is plain text.
fn path_of(text: &str, known: &[&RepoPath]) -> Option<RepoPath> {
    let told = known.iter().find(|path| path.as_text() == Some(text) || path.to_string() == text);
    match told {
        Some(path) => Some((*path).clone()),
        None => Some(RepoPath(super::in_repository(text)?.into_bytes())),
    }
}

fn with_words(how: &str, out: &str, err: &str) -> String {
    let words = if err.is_empty() { out } else { err };
    if words.is_empty() { how.to_owned() } else { format!("{how}: {}", start_of(words)) }
}

/// As much of a text as a report has, to the end of a line where it can be.
fn start_of(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let part = &text[..end];
    format!("{}\n…", part.rsplit_once('\n').map_or(part, |(lines, _)| lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: u8, out: &str, err: &str) -> String {
        let odd = RepoPath(b"a\xff".to_vec());
        match answer(&Ended::Exit(code), out.as_bytes(), err.as_bytes(), &[&odd]) {
            Ok(findings) => {
                let one = |it: &OwnFinding| {
                    let path = it.path.as_ref().map(ToString::to_string).unwrap_or_default();
                    format!(
                        "{path}:{}:{}:{}",
                        it.line.unwrap_or(0),
                        it.message,
                        it.help.clone().unwrap_or_default()
                    )
                };
                findings.iter().map(one).collect::<Vec<_>>().join("|")
            }
            Err(why) => format!("error: {why}"),
        }
    }

    fn json(findings: &str) -> String {
        said(1, &format!("{{\"version\":1,\"findings\":{findings}}}"), "noise")
    }

    #[test]
    fn by_exit_code_and_words() {
        for (code, out, err, expected) in [
            (0, "", "", ""),
            (0, "all is well", "", ""),
            (1, "a TODO\n", "noise", ":0:a TODO:"),
            (1, "", "a TODO", ":0:a TODO:"),
            (1, "one\ntwo\n", "", ":0:one\ntwo:"),
            (1, " ", "\n", "error: it failed with exit code 1, and said nothing"),
            (2, "x", "no jq", "error: it failed with exit code 2: no jq"),
            (127, "", "", "error: it failed with exit code 127"),
        ] {
            assert_eq!(said(code, out, err), expected);
        }
        let ended = Ended::Not("was ended after 10s".into());
        assert_eq!(answer(&ended, b"", b"", &[]), Err("it was ended after 10s".to_owned()));
    }

    #[test]
    fn by_json() {
        assert_eq!(said(0, "{\"version\":1,\"findings\":[]}\n", ""), "");
        assert_eq!(json(r#"[{"message":"x"}]"#), ":0:x:");
        assert_eq!(
            json(r#"[{"path":"a/b","line":3,"message":"x","help":"y"},{"message":"z"}]"#),
            "a/b:3:x:y|:0:z:"
        );
        assert_eq!(json(r#"[{"path":"\"a\\377\"","message":"x"}]"#), "\"a\\377\":0:x:");
        for (findings, expected) in [
            ("[]", "it failed with exit code 1, and its JSON has no findings"),
            (r#"[{"message":" "}]"#, "its JSON could not be read: findings[0]: `message` is empty"),
            (
                r#"[{"path":"a","line":0,"message":"x"}]"#,
                "its JSON could not be read: findings[0]: `line` is 0",
            ),
            (
                r#"[{"line":1,"message":"x"}]"#,
                "its JSON could not be read: findings[0]: `line` without `path`",
            ),
            (r#"[{"path":"../a","message":"x"}]"#, "its JSON could not be read: findings[0]: `path` is not"),
            (r#"[{"path":"/a","message":"x"}]"#, "its JSON could not be read: findings[0]: `path` is not"),
            (r#"[{"mesage":"x"}]"#, "its JSON could not be read: unknown field `mesage`"),
            (r#"[{"message":1}]"#, "its JSON could not be read: invalid type"),
        ] {
            let found = json(findings);
            assert!(found.starts_with(&format!("error: {expected}")), "{findings}: {found}");
        }
        for text in ["{", "{}", "{\"version\":2,\"findings\":[]}", "{\"version\":1,\"findings\":[]} x"] {
            assert!(said(0, text, "").starts_with("error: its JSON could not be read"), "{text}");
        }
    }

    #[test]
    fn much_is_cut_at_the_end_of_a_line() {
        let long = said(1, &"a line\n".repeat(10_000), "");
        assert!(long.len() < LONGEST + 100 && long.ends_with("a line\n…:"), "{}", long.len());
        assert!(said(1, &"é".repeat(10_000), "").len() < LONGEST + 100);
    }
}
