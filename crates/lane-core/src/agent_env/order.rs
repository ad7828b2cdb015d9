//! Which variable of `env` comes before which: one that another refers to is there first.

use std::collections::BTreeMap;

use super::reference::references;
use crate::policy::Spanned;
use crate::policy::model::Agent;

type Env = BTreeMap<String, Spanned<String>>;

/// The names, each after those that it refers to; else by the alphabet. What refers to itself means the
/// variable of that name outside.
pub(super) fn ordered(env: &Env) -> Vec<&str> {
    walked(env).done
}

/// The names of an agent's `env` that need one another, in a circle, or none.
pub fn cycle(agent: &Agent) -> Vec<&str> {
    walked(&agent.env).circle
}

struct Walk<'a> {
    env: &'a Env,
    done: Vec<&'a str>,
    way: Vec<&'a str>,
    circle: Vec<&'a str>,
}

fn walked(env: &Env) -> Walk<'_> {
    let mut walk = Walk { env, done: Vec::new(), way: Vec::new(), circle: Vec::new() };
    env.keys().for_each(|name| walk.visit(name));
    walk
}

impl<'a> Walk<'a> {
    fn visit(&mut self, name: &'a str) {
        if self.done.contains(&name) {
            return;
        }
        if let Some(at) = self.way.iter().position(|known| *known == name) {
            if self.circle.is_empty() {
                self.circle = self.way[at..].to_vec();
            }
            return;
        }
        let Some(value) = self.env.get(name) else { return };
        self.way.push(name);
        for other in references(&value.value).into_iter().filter(|other| *other != name) {
            self.visit(other);
        }
        self.way.pop();
        self.done.push(name);
    }
}
