//! The log of landings: a ref for each base, named by a hash.

use crate::event_log::{EventLog, Fault, Head, LogKind, LogRecord, described, hashed};
use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_core::landings::record::LandingRecord;
use lane_core::policy::{Plan, model};
use lane_git::{ObjectWriter, Repository};

/// The landings of one repository, where they lie.
pub type LandingLog<'a> = EventLog<'a, LandingRecord>;
/// The last event of a base's queue.
pub type LandingHead = Head<LandingRecord>;

/// The names and words of the log.
pub(super) const KIND: LogKind = LogKind {
    one: "landing",
    many: "landings",
    mirror: "refs/lane/landings-of",
    folder: "lane/landings",
    unknown: "what waits to land",
    list: "git lane land --list",
    beside: ": landings are stored beside locks",
};

impl LogRecord for LandingRecord {
    type Files = ();

    const KIND: &'static LogKind = &KIND;

    fn prefix(locks: &model::Locks) -> String {
        locks.landings_prefix()
    }

    /// Where the base is: so that both are moved by one push.
    fn remote(repo: &dyn Repository, plan: &Plan) -> Option<String> {
        let name = &plan.policy.remote.value;
        let is_set =
            |key: &str| repo.config(&format!("remote.{name}.{key}")).is_ok_and(|values| !values.is_empty());
        (is_set("url") || is_set("pushurl")).then(|| name.clone())
    }

    /// Sixteen hexadecimal digits: on some file systems `Main` and `main` would be one file.
    fn ref_part(repo: &dyn Repository, base: &str) -> Result<String, Error> {
        hashed(repo, base)
    }

    fn key(&self) -> &str {
        &self.base
    }

    fn key_in_words(base: &str) -> String {
        format!("the queue of `{base}`")
    }

    fn generation(&self) -> u64 {
        self.generation
    }

    fn check_key(_: &str) -> Result<(), String> {
        Ok(())
    }

    fn parse(message: &str, base: Option<&str>) -> Result<Self, String> {
        Self::parse(message, base)
    }

    fn read_files(&self, _: &dyn Repository, _: Oid) -> Result<(), String> {
        Ok(())
    }

    fn tree((): &(), writer: &dyn ObjectWriter) -> Result<Oid, Error> {
        writer.write_empty_tree()
    }

    fn commit(&self, tree: &str, parent: Option<&str>) -> Result<Vec<u8>, serde_json::Error> {
        self.commit(tree, parent)
    }

    fn describe(fault: &Fault<'_>) -> Error {
        described(fault, &KIND)
    }
}
