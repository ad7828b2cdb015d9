//! The rows of agents.

use super::{AgentMetrics, Metrics};
use crate::policy::Plan;

impl Metrics {
    /// The row of an agent, or of everybody who is none; made where there is none yet.
    pub fn row(&mut self, agent: Option<&str>) -> &mut AgentMetrics {
        let known = self.agents.iter().position(|row| row.agent.as_deref() == agent);
        let at = known.unwrap_or_else(|| {
            let row = AgentMetrics { agent: agent.map(str::to_owned), ..AgentMetrics::default() };
            self.agents.push(row);
            self.agents.len() - 1
        });
        &mut self.agents[at]
    }

    /// Has the rows in the order of the policy, with the names of it; those that it does not know come after, and the one without an
    /// agent at the end.
    pub fn sort_rows(&mut self, plan: &Plan) {
        let ids: Vec<&str> = plan.policy.agent_ids().collect();
        let rank = |row: &AgentMetrics| {
            let id = row.agent.as_deref();
            let at = id.and_then(|id| ids.iter().position(|known| *known == id));
            (id.is_none(), at.unwrap_or(ids.len()), row.agent.clone())
        };
        self.agents.sort_by_key(rank);
        for row in &mut self.agents {
            let agent = row.agent.as_deref().and_then(|id| plan.policy.agent(id));
            let name = agent.and_then(|agent| agent.name.as_ref()).map(|name| name.value.clone());
            row.name = row.name.take().or(name);
        }
    }
}
