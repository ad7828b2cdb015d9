//! The kinds of things that happen.

/// A kind of notice.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its word, for programs.
    pub word: &'static str,
    /// When there is one, for people.
    pub about: &'static str,
    /// Whether it is a state, which may end and come back: then it is told again.
    pub is_state: bool,
}

macro_rules! kinds {
    ($($name:ident $word:literal $is_state:literal $about:literal;)*) => {
        $(#[doc = $about] pub static $name: Kind = Kind { word: $word, about: $about, is_state: $is_state };)*
        /// All kinds, in the order of the documentation.
        pub const KINDS: &[&Kind] = &[$(&$name),*];
    };
}

kinds! {
    LOCK_FREE "lock-free" false "A lock that you waited for is free, and it is your turn.";
    LOCK_TAKEN "lock-taken" false "A lock that you waited for is yours now.";
    LOCK_EXPIRING "lock-expiring" false "A lock that you hold is about to expire.";
    LOCK_LOST "lock-lost" false "A lock that you held expired, was stolen, or was left by a process that no longer runs.";
    REQUEST_RECEIVED "request-received" false "Somebody asks you for a change.";
    REQUEST_ANSWERED "request-answered" false "A request of yours was accepted, rejected or done.";
    REQUEST_WITHDRAWN "request-withdrawn" false "A request that you had accepted was withdrawn.";
    LANDED "landed" false "A branch that you asked to land is on its base.";
    NOT_LANDED "not-landed" false "A branch that you asked to land could not land.";
    BASE_MOVED "base-moved" false "Work has landed on the base under a lock that you hold, and your branch does not have it.";
    CONFLICT "conflict" true "Your branch would conflict with another one if they were merged now.";
}

#[cfg(test)]
mod tests {
    use super::KINDS;

    #[test]
    fn each_word_is_there_once() {
        let mut words: Vec<&str> = KINDS.iter().map(|kind| kind.word).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), KINDS.len());
    }
}
