//! `git lane rule [ID]`

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::Output;
use crate::gather::policy_source;
use lane_core::error::Error;
use lane_core::policy::did_you_mean;
use lane_core::policy::model::CustomRule;
use lane_core::rules::{self, RULES, docs};
use lane_git::GitRepo;

/// Explain a rule, or list them all
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The rule's id, or a word of the policy: `size`, `owner`, `branch`
    #[arg(add = candidates::rules())]
    pub id: Option<String>,
    /// All rules as one page of Markdown
    #[arg(long, conflicts_with = "id")]
    pub markdown: bool,
}

/// Words of a policy, and the rules that keep what they say.
const WORDS: &[(&[&str], &[&str])] = &[
    (&["lane", "lanes", "owner", "owns", "service", "services"], &["foreign-path"]),
    (&["lock", "locked", "locks", "ttl"], &["unlocked-path"]),
    (&["coordinate", "coordinated", "coordinated-with", "coordination"], &["uncoordinated-path"]),
    (&["maintainer", "maintainers"], &["protected-path", "identity"]),
    (&["ignored", "local", "never"], &["local-file"]),
    (&["unowned"], &["unowned-path"]),
    (
        &["access", "area", "areas", "path", "paths"],
        &[
            "foreign-path",
            "unlocked-path",
            "uncoordinated-path",
            "protected-path",
            "local-file",
            "unowned-path",
        ],
    ),
    (&["change", "exclude", "lines", "max-lines", "size", "warn-at"], &["oversized-change"]),
    (&["max-files"], &["oversized-change"]),
    (&["approve", "approval", "approvals", "review"], &["missing-approval"]),
    (&["steward", "shared"], &["uncoordinated-path"]),
    (&["branch", "branches"], &["branch-name", "protected-branch"]),
    (&["feature"], &["branch-name"]),
    (&["pattern"], &["branch-name", "message-pattern"]),
    (&["protected"], &["protected-branch", "protected-path"]),
    (
        &["commit", "commits", "message", "messages"],
        &[
            "untagged-message",
            "message-format",
            "message-pattern",
            "message-length",
            "missing-body",
            "missing-sign-off",
        ],
    ),
    (&["tag"], &["untagged-message", "protected-tag"]),
    (&["tags"], &["protected-tag"]),
    (&["example"], &["message-pattern", "branch-name"]),
    (&["regex"], &["branch-name", "protected-tag"]),
    (&["subject", "subject-max"], &["message-length", "message-pattern"]),
    (&["body"], &["missing-body"]),
    (&["dco", "sign-off", "signed-off-by"], &["missing-sign-off"]),
    (&["author", "authors"], &["author-pattern"]),
    (&["committer", "committers"], &["committer-pattern"]),
    (&["email", "e-mail"], &["author-pattern", "committer-pattern"]),
    (&["signature", "signatures", "signed"], &["unsigned-commit"]),
    (&["conventional", "types"], &["message-format"]),
    (&["history"], &["merge-commit", "stale-base", "unsigned-commit"]),
    (&["merge", "merges"], &["merge-commit"]),
    (&["base", "behind", "max-age", "rebase", "stale"], &["stale-base"]),
    (
        &["agent", "agents", "account", "accounts", "harness", "require", "signing-keys", "unidentified"],
        &["identity"],
    ),
    (&["pull-request", "pr"], &["pull-request-title", "pull-request-label"]),
    (&["title"], &["pull-request-title"]),
    (&["label", "labels"], &["pull-request-label"]),
    (&["policy", "policy.yaml"], &["policy-mistake", "protected-path"]),
];

/// Explains a rule, or lists them all.
///
/// # Errors
/// No such rule.
pub fn run(args: &Args, output: &Output) -> Outcome {
    if args.markdown {
        output.page(&docs::page())?;
        return Ok(0);
    }
    let Some(id) = &args.id else {
        list(RULES, "Use `git lane rule ID` for the details of one.", output)?;
        return Ok(0);
    };
    let meant = match rules::find(id) {
        Some(rule) => vec![rule],
        None => matching_rules(id),
    };
    let own = if meant.is_empty() { of_policy(id) } else { None };
    match meant[..] {
        [] if own.is_some() => {
            let Some(rule) = own else { return Ok(0) };
            let page = rule.page();
            if output.is_json() {
                let at: Vec<&str> = rule.at.iter().map(|at| at.value.stage().word()).collect();
                output.print_json(&json!({
                    "id": rule.id.value, "summary": rule.summary(), "level": rule.level.value.word(),
                    "at": at, "binds_maintainers": true, "docs": page,
                }))?;
            } else {
                output.page(&page)?;
            }
        }
        [] => {
            let help = did_you_mean(id, rules::ids())
                .unwrap_or_else(|| "`git lane rule` lists all rules".to_owned());
            return Err(Error::usage(format!("unknown rule `{id}`"), help));
        }
        [rule] if output.is_json() => output.print_json(&described(rule))?,
        [rule] => output.page(&rule.page())?,
        _ => list(
            &meant,
            &format!("`{id}` matches several rules; use `git lane rule ID` for the details of one."),
            output,
        )?,
    }
    Ok(0)
}

/// A rule that the policy in force has itself.
fn of_policy(id: &str) -> Option<CustomRule> {
    let loaded = policy_source::find_if_any(&GitRepo::open().ok()?).ok()??;
    loaded.plan.policy.custom.into_iter().find(|rule| rule.id.value == id)
}

/// The rules that a word of the policy is about; else those that have it in their ids.
fn matching_rules(word: &str) -> Vec<&'static rules::Rule> {
    let word = word.to_lowercase().replace('_', "-");
    // `change.max_lines`, `access: owner`
    let last = word.rsplit(['.', ':']).map(str::trim).find(|part| !part.is_empty()).unwrap_or(&word);
    let found = [word.as_str(), last]
        .into_iter()
        .find_map(|word| WORDS.iter().find(|(words, _)| words.contains(&word)));
    match found {
        Some((_, ids)) => ids.iter().filter_map(|id| rules::find(id)).collect(),
        None => RULES.iter().copied().filter(|rule| rule.id.split('-').any(|part| part == last)).collect(),
    }
}

fn list(rules: &[&rules::Rule], more: &str, output: &Output) -> Result<(), Error> {
    if output.is_json() {
        let all: Vec<_> = rules.iter().map(|rule| described(rule)).collect();
        return output.print_json(&all);
    }
    let width = rules::ids().map(str::len).max().unwrap_or(0);
    let mut text = String::new();
    for rule in rules {
        text.push_str(&format!("{:width$}  {:5}  {}\n", rule.id, rule.level.word(), rule.summary));
    }
    text.push_str(&format!("\n{more}\n"));
    output.page(&text)
}

fn described(rule: &rules::Rule) -> serde_json::Value {
    let at: Vec<&str> = rule.at.iter().map(|stage| stage.word()).collect();
    json!({
        "id": rule.id,
        "summary": rule.summary,
        "level": rule.level.word(),
        "at": at,
        "binds_maintainers": rule.binds_maintainers,
        "docs": rule.docs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_policy_lead_to_rules() {
        for (words, ids) in WORDS {
            assert!(ids.iter().all(|id| rules::find(id).is_some()), "{ids:?}");
            for word in *words {
                let found: Vec<&str> = matching_rules(word).iter().map(|rule| rule.id).collect();
                assert_eq!(found, *ids, "{word} is listed twice, or is a rule");
            }
        }
        for rule in RULES {
            let leads = |word: &str| matching_rules(word).iter().any(|found| found.id == rule.id);
            let mut words = WORDS.iter().flat_map(|(words, _)| *words).copied().chain(rule.id.split('-'));
            assert!(words.any(leads), "no word leads to {}", rule.id);
        }
        let ids = |word| matching_rules(word).iter().map(|rule| rule.id).collect::<Vec<_>>();
        assert_eq!(ids("change.max_lines"), ["oversized-change"]);
        assert_eq!(ids("access: Owner"), ["foreign-path"]);
        assert_eq!(ids("oversized"), ["oversized-change"]);
        assert!(ids("kubernetes").is_empty());
    }
}
