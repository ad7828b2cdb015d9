//! Which event may follow which. A server holds what is pushed against the same function that makes an event.

use super::record::{
    FORMAT, Lander, Landing, LandingEnd, LandingEvent, LandingRecord, LandingResult, LandingStep, RESULTS,
};
use crate::requests::record::Person;

/// After how many tries that could not be decided a landing ends.
pub const TRIES: u32 = 3;

/// Why an event cannot follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misstep {
    /// The same branch with the same tip waits already, under this number.
    Asked(u64),
    /// No landing of that number waits, or somebody is at work on it.
    NotWaiting,
    /// Nothing waits.
    Empty,
    /// Whoever does it is not the lander any more.
    NotLander,
    /// It is asked for, or taken back, by an agent whose branch it is not.
    NotYours,
}

impl LandingRecord {
    /// The record after one more event. `old`: the one before it; `nonce`: of the lander who does it, where it is one.
    ///
    /// # Errors
    /// It may not follow.
    pub fn after(
        old: Option<&Self>,
        base: &str,
        event: LandingEvent,
        nonce: Option<&str>,
    ) -> Result<Self, Misstep> {
        let first = Self {
            format: FORMAT,
            base: base.to_owned(),
            generation: 0,
            last: 0,
            event: event.clone(),
            queue: Vec::new(),
            lander: None,
            results: Vec::new(),
        };
        let mut new = Self { event: event.clone(), ..old.cloned().unwrap_or(first) };
        let at = event.at;
        match event.kind {
            LandingStep::Ask { branch, head } => new.ask(branch, head, event.by, at)?,
            LandingStep::Withdraw(id) => new.withdraw(id, &event.by, at)?,
            LandingStep::Begin(stake) => {
                let id = new.queue.first().ok_or(Misstep::Empty)?.id;
                let commit = new.lander.take().and_then(|before| before.commit);
                new.generation += 1;
                new.lander = Some(Lander { id, stake, commit });
            }
            LandingStep::Renew(stake) => new.lander_of(nonce)?.stake = stake,
            LandingStep::Ready(commit) => new.lander_of(nonce)?.commit = Some(commit),
            LandingStep::End(end) => {
                let id = new.lander_of(nonce)?.id;
                new.end(id, end, at)?;
            }
            LandingStep::Stop(why) => {
                let id = new.lander_of(nonce)?.id;
                new.lander = None;
                let first = new.queue.first_mut().ok_or(Misstep::Empty)?;
                first.failures += 1;
                if first.failures >= TRIES {
                    new.end(id, LandingEnd::Failed(why), at)?;
                }
            }
        }
        Ok(new)
    }

    fn ask(&mut self, branch: String, head: String, by: Person, at: i64) -> Result<(), Misstep> {
        let at_work = self.lander.as_ref().map(|lander| lander.id);
        if let Some(same) = self.queue.iter().find(|one| one.branch == branch && one.head == head) {
            return Err(Misstep::Asked(same.id));
        }
        // The tip it has by now takes the place of the one that it had, unless somebody is at work on that.
        if let Some(same) = self.queue.iter_mut().find(|one| one.branch == branch && Some(one.id) != at_work)
        {
            *same = Landing { id: same.id, branch, head, by, asked: at, failures: 0 };
            return Ok(());
        }
        self.last += 1;
        self.queue.push(Landing { id: self.last, branch, head, by, asked: at, failures: 0 });
        Ok(())
    }

    fn withdraw(&mut self, id: u64, by: &Person, at: i64) -> Result<(), Misstep> {
        let landing = self.queue.iter().find(|landing| landing.id == id).ok_or(Misstep::NotWaiting)?;
        if by.agent().is_some() && *by != landing.by {
            return Err(Misstep::NotYours);
        }
        if self.lander.as_ref().is_some_and(|lander| lander.id == id && lander.commit.is_some()) {
            return Err(Misstep::NotWaiting);
        }
        self.end(id, LandingEnd::Withdrawn, at)
    }

    fn lander_of(&mut self, nonce: Option<&str>) -> Result<&mut Lander, Misstep> {
        let lander = self.lander.as_mut().ok_or(Misstep::NotLander)?;
        match nonce {
            Some(nonce) if lander.stake.nonce != nonce => Err(Misstep::NotLander),
            _ => Ok(lander),
        }
    }

    fn end(&mut self, id: u64, end: LandingEnd, at: i64) -> Result<(), Misstep> {
        let place = self.ahead(id).ok_or(Misstep::NotWaiting)?;
        let Landing { id, branch, head, by, .. } = self.queue.remove(place);
        if self.lander.as_ref().is_some_and(|lander| lander.id == id) {
            self.lander = None;
        }
        self.results.push(LandingResult { id, branch, head, by, at, end });
        let surplus = self.results.len().saturating_sub(RESULTS);
        self.results.drain(..surplus);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Reason;
    use super::*;
    use crate::locks::record::Stake;
    use crate::locks::world::Machine;

    fn event(kind: LandingStep, by: &str) -> LandingEvent {
        let by = Person::Agent(by.into());
        LandingEvent { kind, by, at: 7, host: "h".into(), worktree: "/w".into(), nonce: "n".into() }
    }

    fn ask(branch: &str, head: &str) -> LandingStep {
        LandingStep::Ask { branch: branch.into(), head: head.into() }
    }

    fn stake(nonce: &str) -> Stake {
        Stake {
            agent: "a1".into(),
            scope: "main".into(),
            ttl: 60,
            nonce: nonce.into(),
            uptime: 1,
            at: 1,
            machine: Machine::default(),
            process: None,
            worktree: "/w".into(),
            repository: None,
        }
    }

    fn landed() -> LandingEnd {
        LandingEnd::Landed { commit: "c".into(), from: "b".into() }
    }

    fn why() -> Reason {
        Reason::new("r", "")
    }

    /// All events in their order, each by the lander `n1` where it needs one.
    fn after(steps: &[LandingStep]) -> Result<LandingRecord, Misstep> {
        let mut record: Option<LandingRecord> = None;
        for step in steps {
            record =
                Some(LandingRecord::after(record.as_ref(), "main", event(step.clone(), "a1"), Some("n1"))?);
        }
        record.ok_or(Misstep::Empty)
    }

    fn waiting(record: &LandingRecord) -> Vec<(u64, &str)> {
        record.queue.iter().map(|landing| (landing.id, landing.head.as_str())).collect()
    }

    #[test]
    fn first_come_first_served() {
        let record = after(&[ask("x", "1"), ask("y", "2"), ask("x", "3")]).expect("a record");
        assert_eq!(waiting(&record), [(1, "3"), (2, "2")], "a newer tip keeps the place and the number");
        assert_eq!(after(&[ask("x", "1"), ask("x", "1")]), Err(Misstep::Asked(1)));
    }

    #[test]
    fn what_is_at_work_is_not_changed_under_its_lander() {
        let begin = LandingStep::Begin(stake("n1"));
        let record = after(&[ask("x", "1"), begin.clone(), ask("x", "2")]).expect("a record");
        assert_eq!(waiting(&record), [(1, "1"), (2, "2")]);
        let ended =
            after(&[ask("x", "1"), begin, ask("x", "2"), LandingStep::End(landed())]).expect("a record");
        assert_eq!((waiting(&ended), ended.lander.is_none()), (vec![(2, "2")], true));
        assert_eq!(ended.result(1).map(|result| &result.end), Some(&landed()));
    }

    #[test]
    fn only_the_lander_ends_a_landing() {
        let begin = |nonce: &str| LandingStep::Begin(stake(nonce));
        assert_eq!(after(&[ask("x", "1"), LandingStep::End(landed())]), Err(Misstep::NotLander));
        assert_eq!(after(&[ask("x", "1"), begin("n2"), LandingStep::End(landed())]), Err(Misstep::NotLander));
        assert_eq!(after(&[begin("n1")]), Err(Misstep::Empty));
        let again = after(&[ask("x", "1"), begin("n2"), begin("n1"), LandingStep::End(landed())]);
        assert_eq!(again.expect("a record").generation, 2);
    }

    #[test]
    fn whoever_goes_on_knows_where_the_base_was_to_go() {
        let begin = |nonce: &str| LandingStep::Begin(stake(nonce));
        let ready = LandingStep::Ready("c".into());
        let record = after(&[ask("x", "1"), begin("n1"), ready.clone(), begin("n1")]).expect("a record");
        assert_eq!(record.lander.and_then(|lander| lander.commit), Some("c".into()));
        let withdrawn = [ask("x", "1"), begin("n1"), ready, LandingStep::Withdraw(1)];
        assert_eq!(after(&withdrawn), Err(Misstep::NotWaiting));
    }

    #[test]
    fn what_cannot_be_decided_does_not_wait_for_ever() {
        let mut steps = vec![ask("x", "1"), ask("y", "2")];
        for _ in 0..TRIES {
            steps.extend([LandingStep::Begin(stake("n1")), LandingStep::Stop(why())]);
        }
        let record = after(&steps).expect("a record");
        assert_eq!(waiting(&record), [(2, "2")]);
        assert_eq!(record.result(1).map(|result| &result.end), Some(&LandingEnd::Failed(why())));
    }

    #[test]
    fn withdrawn_by_its_own_or_a_maintainer() {
        let record = after(&[ask("x", "1")]).expect("a record");
        let by = |by: Person| {
            let event = LandingEvent { by, ..event(LandingStep::Withdraw(1), "a1") };
            LandingRecord::after(Some(&record), "main", event, None).map(|record| record.queue.len())
        };
        assert_eq!(by(Person::Agent("a2".into())), Err(Misstep::NotYours));
        assert_eq!(by(Person::Agent("a1".into())), Ok(0));
        assert_eq!(by(Person::Maintainer("m@x".into())), Ok(0));
    }

    #[test]
    fn old_results_are_left_to_the_chain() {
        let mut steps = Vec::new();
        for number in 0..RESULTS + 5 {
            let end = LandingStep::End(LandingEnd::Present);
            steps.extend([ask(&format!("x{number}"), "1"), LandingStep::Begin(stake("n1")), end]);
        }
        let record = after(&steps).expect("a record");
        assert_eq!((record.results.len(), record.result(1), record.last), (RESULTS, None, 55));
        let message = record.message().expect("a message");
        assert_eq!(LandingRecord::parse(&message, Some("main")), Ok(record));
    }
}
