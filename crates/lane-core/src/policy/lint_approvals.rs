//! Mistakes in who has to approve changes.

use super::diagnostic::Diagnostic;
use super::lint::at;
use super::model::{Access, Area, MAINTAINERS, Policy};
use super::unknown::unknown_agent;

pub(super) fn check(policy: &Policy, area: &Area, diagnostics: &mut Vec<Diagnostic>) {
    let name = &area.name.value;
    let Some(first) = area.approve.first() else { return };
    if matches!(area.access.value, Access::Maintainer | Access::Never) {
        let message = format!("the area `{name}` has `approve`, but no agent may change it");
        diagnostics.push(
            Diagnostic::error(at(first), message, "has no effect")
                .related(at(&area.access), "this decides")
                .help("remove `approve`: maintainers need no approval"),
        );
        return;
    }
    for id in &area.approve {
        if id.value == MAINTAINERS && area.approve.len() > 1 {
            let message = format!("`{MAINTAINERS}` is not alone under `approve`");
            diagnostics.push(
                Diagnostic::error(at(id), message, "this word")
                    .help("write it alone, or agents alone: maintainers may approve in any case"),
            );
        } else if id.value != MAINTAINERS && policy.agent(&id.value).is_none() {
            let message = unknown_agent(&id.value, super::FILE);
            diagnostics
                .push(Diagnostic::error(at(id), message, "unknown agent").help(policy.agent_hint(&id.value)));
        }
    }
    if let ([only], [owner]) = (area.approve.as_slice(), area.owner.as_slice())
        && only.value == owner.value
    {
        let message = format!("only `{}` may change the area `{name}`, and approves itself", owner.value);
        diagnostics.push(
            Diagnostic::error(at(only), message, "one's own word does not count")
                .related(at(owner), "the owner")
                .help(format!("name another agent, or `{MAINTAINERS}`")),
        );
    }
}
