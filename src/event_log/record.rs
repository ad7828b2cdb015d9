//! What a log is told about the records in it.

use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_core::policy::{Plan, model};
use lane_git::{ObjectWriter, Repository};

use super::fault::Fault;

/// The last record of a key, and the commit that has it; or one further down its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head<R: LogRecord> {
    /// The commit.
    pub oid: Oid,
    /// What it says.
    pub record: R,
    /// What its tree has.
    pub files: R::Files,
}

/// The names and words of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogKind {
    /// The word for one of its records.
    pub one: &'static str,
    /// The word for several.
    pub many: &'static str,
    /// Where the copies of a remote's refs lie, without a slash at the end.
    pub mirror: &'static str,
    /// The folder beside the log, in the common git folder.
    pub folder: &'static str,
    /// What cannot be told while the remote does not answer.
    pub unknown: &'static str,
    /// The command that shows them.
    pub list: &'static str,
    /// What is added where the refs are to be moved elsewhere.
    pub beside: &'static str,
}

/// A record that is kept in a log.
pub trait LogRecord: Clone {
    /// What the tree of a commit has, as far as it is read.
    type Files: Clone;

    /// The names and words of the log.
    const KIND: &'static LogKind;

    /// Where its refs lie, without a slash at the end.
    fn prefix(locks: &model::Locks) -> String;

    /// The remote that has the log; `None`: it lies here.
    fn remote(_: &dyn Repository, plan: &Plan) -> Option<String> {
        plan.policy.locks.remote.as_ref().map(|name| name.value.clone())
    }

    /// The last part of the name of a key's ref.
    ///
    /// # Errors
    /// Nothing can be hashed.
    fn ref_part(repo: &dyn Repository, key: &str) -> Result<String, Error>;

    /// The key that it belongs to.
    fn key(&self) -> &str;

    /// The words for a key.
    fn key_in_words(key: &str) -> String;

    /// A number that only rises from one record to the next; 0 where the log has none.
    fn generation(&self) -> u64;

    /// Refuses what can be no key.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    fn check_key(key: &str) -> Result<(), String>;

    /// Reads a record out of a commit message. `key`: the one it has to belong to, where that is known.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    fn parse(message: &str, key: Option<&str>) -> Result<Self, String>;

    /// Reads what stands in a commit's tree.
    ///
    /// # Errors
    /// It is not what the record says, as the end of a sentence.
    fn read_files(&self, repo: &dyn Repository, tree: Oid) -> Result<Self::Files, String>;

    /// The tree of a commit.
    ///
    /// # Errors
    /// It cannot be written.
    fn tree(files: &Self::Files, writer: &dyn ObjectWriter) -> Result<Oid, Error>;

    /// The raw commit that holds it.
    ///
    /// # Errors
    /// A record that cannot be written as JSON.
    fn commit(&self, tree: &str, parent: Option<&str>) -> Result<Vec<u8>, serde_json::Error>;

    /// What is said of a ref that nobody can go by.
    fn describe(fault: &Fault<'_>) -> Error;
}
