//! How the services of each agent are, in its line.

use super::{Line, Status};
use crate::health::{ServiceHealth, State};

/// How many services are how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HealthCount {
    /// Those that run.
    pub healthy: usize,
    /// Those that do not.
    pub unhealthy: usize,
    /// Those that could not be asked.
    pub unknown: usize,
}

impl HealthCount {
    /// Counts services.
    pub fn of<'s>(services: impl IntoIterator<Item = &'s ServiceHealth>) -> Self {
        let mut count = Self::default();
        for service in services {
            match service.finding.verdict.state {
                State::Healthy => count.healthy += 1,
                State::Unhealthy => count.unhealthy += 1,
                State::Unknown => count.unknown += 1,
            }
        }
        count
    }

    /// `ok`, `1/3 down`, `1/3 down 1 ?`.
    pub fn words(self) -> String {
        let all = self.healthy + self.unhealthy + self.unknown;
        match (self.unhealthy, self.unknown) {
            (0, 0) if all == 0 => String::new(),
            (0, 0) => "ok".to_owned(),
            (0, unknown) => format!("{unknown}/{all} ?"),
            (down, 0) => format!("{down}/{all} down"),
            (down, unknown) => format!("{down}/{all} down {unknown} ?"),
        }
    }
}

impl Status {
    /// The same with how services are.
    #[must_use]
    pub fn with_health(mut self, services: Vec<ServiceHealth>) -> Self {
        for line in &mut self.lines {
            let own = |service: &&ServiceHealth| line.agent.is_some() && service.agent == line.agent;
            let own: Vec<&ServiceHealth> = services.iter().filter(own).collect();
            line.health = (!own.is_empty()).then(|| HealthCount::of(own));
        }
        self.health = Some(services);
        self
    }
}

impl Line {
    /// Whether a service of it does not run, or could not be asked.
    pub fn is_unwell(&self) -> bool {
        self.health.is_some_and(|health| health.unhealthy + health.unknown > 0)
    }
}
