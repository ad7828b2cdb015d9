//! What makes a finding the same one from report to report.
//!
//! Platforms that keep findings between runs know them again by a fingerprint. Ours holds what a finding is
//! about and nothing that moves when work goes on: the rule with the path; or, where a commit is what is wrong,
//! the rule with the commit's subject, because ids change at every rebase; or else the rule with the ref. Lines
//! of the policy, counts and messages are left out. Findings that are alike in all this are numbered, so that
//! none hides another and the set stays the same when more come.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{Finding, UndecidedRule};

/// How many hexadecimal digits a fingerprint has.
const DIGITS: usize = 32;

/// Fingerprints of findings, one each and all different: 32 hexadecimal digits, a colon, a number from 1.
pub(super) fn of_findings(findings: &[Finding]) -> Vec<String> {
    let about = |finding: &Finding| match (&finding.path, &finding.subject, &finding.reference) {
        (Some(path), ..) => hash(&[b"path", finding.rule.as_bytes(), &path.0]),
        (None, Some(subject), _) => hash(&[b"commit", finding.rule.as_bytes(), subject.as_bytes()]),
        (None, None, Some(reference)) => hash(&[b"ref", finding.rule.as_bytes(), reference.as_bytes()]),
        (None, None, None) => hash(&[b"change", finding.rule.as_bytes()]),
    };
    numbered(findings.iter().map(about))
}

/// Fingerprints of what could not be decided. Reasons are left out: they hold places and names that move.
pub(super) fn of_undecided(undecided: &[UndecidedRule]) -> Vec<String> {
    let about =
        |undecided: &UndecidedRule| hash(&[b"undecided", undecided.rule.as_deref().unwrap_or("").as_bytes()]);
    numbered(undecided.iter().map(about))
}

fn numbered(hashes: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut number = |hash: String| {
        let count = seen.entry(hash.clone()).or_default();
        *count += 1;
        format!("{hash}:{count}")
    };
    hashes.map(&mut number).collect()
}

/// A hash of words, each with its length before it, so that no two lists of words run into one another.
fn hash(words: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for word in words {
        hasher.update((word.len() as u64).to_be_bytes());
        hasher.update(word);
    }
    let mut hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    hex.truncate(DIGITS);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    #[test]
    fn the_same_after_more_work() {
        let before = testing::fail();
        let mut after = testing::fail();
        let mut extra = after.findings[0].clone();
        extra.path = Some(testing::path(b"services/revenue/zz.py"));
        after.findings.insert(0, extra);
        for finding in &mut after.findings {
            finding.message.push_str(" and more");
            finding.commit = finding.commit.map(|_| testing::oid(8));
            finding.commits.push(testing::oid(8));
            finding.policy.iter_mut().for_each(|line| line.line += 7);
        }
        let (before, after) = (of_findings(&before.findings), of_findings(&after.findings));
        assert!(before.iter().all(|print| after.contains(print)), "{before:?} {after:?}");
    }

    #[test]
    fn all_different() {
        let mut report = testing::fail();
        let again = report.findings.clone();
        report.findings.extend(again);
        let mut prints = of_findings(&report.findings);
        prints.extend(of_undecided(&testing::undecided().undecided));
        let count = prints.len();
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), count);
    }

    #[test]
    fn words_do_not_run_together() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
    }

    #[test]
    fn it_stays_what_it_was_from_release_to_release() {
        let report = testing::fail();
        insta::assert_debug_snapshot!(of_findings(&report.findings));
    }
}
