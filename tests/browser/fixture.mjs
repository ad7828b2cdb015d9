// A made report as `git lane report --format json` has it: node fixture.mjs AGENTS DAYS > report.json
// Always the same for the same numbers.
const [agents, days] = [Number(process.argv[2] ?? 4), Number(process.argv[3] ?? 60)];
const DAY = 86400;
const to = 1_764_288_000;
const from = to - days * DAY;

let seed = 20251128;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};
const below = (count) => Math.floor(random() * count);
const pick = (list) => list[below(list.length)];
const hex = () => Array.from({ length: 40 }, () => "0123456789abcdef"[below(16)]).join("");
const distribution = (numbers) => {
  if (!numbers.length) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  const rank = (percent) => sorted[Math.max(1, Math.ceil((sorted.length * percent) / 100)) - 1];
  return { count: sorted.length, sum: sorted.reduce((a, b) => a + b, 0), min: sorted[0], median: rank(50), p90: rank(90), max: sorted.at(-1) };
};
const count = (list) => list.reduce((map, name) => ({ ...map, [name]: (map[name] ?? 0) + 1 }), {});

const NAMES = ["MLflow", "RAG", "Analytics", "Platform"];
const ids = Array.from({ length: agents }, (_, at) => `a${at + 1}`);
const areas = ["common", "migrations", "requirements", "helm", "proto"];
const rules = ["foreign-path", "oversized-change", "unlocked-path", "untagged-message", "stale-base", "branch-name", "protected-path"];
const words = ["the pool waits for a free connection", "retry when the broker is away", "count tokens once", "drop the old exporter", "the cost of a post by persona", "a chart for the queue", "time out after 30 s", "<script>alert(1)</script> in a subject", "read the schema from the file"];

const changes = [];
for (let at = from; at < to; at += DAY) {
  const isWeekend = [0, 6].includes(new Date(at * 1000).getUTCDay());
  for (const agent of [...ids, null]) {
    const most = agent === null ? 1 : isWeekend ? 1 : 3;
    for (let n = below(most + 1); n > 0; n -= 1) {
      const merged_at = at + 6 * 3600 + below(14 * 3600);
      const is_merge = random() < 0.4;
      const lines = Math.floor(Math.exp(2 + random() * 5)) + 1;
      const tag = agent ? `[${agent.toUpperCase()}] ` : "";
      changes.push({ commit: hex(), agent, agent_by: agent ? pick(["trailer", "tag", "branch", "account"]) : null, subject: `${tag}feat: ${pick(words)}`, pull_request: random() < 0.7 ? 100 + changes.length : null, merged_at, first_commit_at: merged_at - Math.floor(Math.exp(6 + random() * 7)), commits: is_merge ? 1 + below(6) : 1, lines: lines + 40, counted: random() < 0.02 ? null : lines, files: 1 + below(12), is_merge });
    }
  }
}
changes.sort((a, b) => a.merged_at - b.merged_at);

const holds = [];
const waits = [];
const perDay = Math.max(2, Math.round(agents * 1.4));
for (let at = from, generation = 1; at < to; at += DAY) {
  for (let n = 0; n < perDay; n += 1, generation += 1) {
    const agent = pick(ids);
    const area = pick(areas);
    const begin = at + 5 * 3600 + below(15 * 3600);
    const length = 600 + below(2 * 3600);
    const isHeld = begin + length > to - 3600 * 6 && random() < 0.5 && at + DAY >= to;
    holds.push({ area, scope: random() < 0.3 ? `${area}/db.py` : area, agent, generation, from: begin, to: isHeld ? null : Math.min(begin + length, to), end: isHeld ? "held" : random() < 0.9 ? "released" : pick(["expired", "stolen", "gone"]) });
    if (agents > 1 && random() < 0.35) {
      const other = pick(ids.filter((id) => id !== agent));
      waits.push({ area, scope: area, agent: other, from: begin + below(length), to: begin + length + 60, is_got: random() < 0.9 });
    }
  }
}
holds.sort((a, b) => a.from - b.from);
waits.sort((a, b) => a.from - b.from);
const lengthOf = (one) => (one.to ?? to) - one.from;
const lockAreas = areas.map((area) => {
  const mine = waits.filter((wait) => wait.area === area);
  const blocked = {};
  mine.forEach((wait) => {
    const holder = pick(ids.filter((id) => id !== wait.agent));
    blocked[`${wait.agent} ${holder}`] = (blocked[`${wait.agent} ${holder}`] ?? 0) + lengthOf(wait);
  });
  return { area, held: distribution(holds.filter((hold) => hold.area === area).map(lengthOf)), waited: distribution(mine.map(lengthOf)), stolen: below(3), expired: below(4),
    blocked: Object.entries(blocked).map(([pair, seconds]) => ({ agent: pair.split(" ")[0], holder: pair.split(" ")[1], seconds })) };
}).sort((a, b) => (b.waited?.sum ?? 0) - (a.waited?.sum ?? 0));

const paths = ["services/common/db.py", "services/common/pool.py", "requirements.txt", "helm/values.yaml", "migrations/versions/0042_posts.py"];
const resolved = Array.from({ length: Math.round(days / 4) }, () => ({ kind: pick(["merge", "merge", "rebase"]), commit: hex(), at: from + below(days * DAY), agents: [pick(ids), pick(ids)].filter((id, at, all) => all.indexOf(id) === at), files: paths.slice(0, 1 + below(3)) })).sort((a, b) => a.at - b.at);

const all = Array.from({ length: days * 2 }, () => ({ at: from + below(days * DAY), agent: random() < 0.9 ? pick(ids) : null, event: pick(["pre-commit", "pre-push", "edit", "commit-msg"]), rules: [pick(rules)], outcome: pick(["fixed", "fixed", "fixed", "waived", "repeated", "open"]) })).sort((a, b) => a.at - b.at);
const byRule = Object.entries(count(all.flatMap((one) => one.rules))).sort((a, b) => b[1] - a[1]).map(([rule, total]) => {
  const mine = all.filter((one) => one.rules.includes(rule));
  return { rule, count: total, agents: count(mine.map((one) => one.agent ?? "")), outcomes: count(mine.map((one) => one.outcome)), time_to_fix: distribution(mine.map(() => 60 + below(5000))) };
});

const requests = Array.from({ length: 14 }, (_, at) => {
  const submitted = from + below(days * DAY);
  const state = pick(["open", "accepted", "rejected", "done", "done", "withdrawn"]);
  return { id: `r${at + 1}`, by: pick(ids), to: random() < 0.8 ? [pick(ids)] : [], submitted, answered: state === "open" ? null : Math.min(to, submitted + below(DAY)), state };
}).sort((a, b) => a.submitted - b.submitted);

const runs = Array.from({ length: Math.min(1000, days * 4) }, () => [from + below(days * DAY), 150 + below(220)]).sort((a, b) => a[0] - b[0]);
const within = changes.filter((change) => change.counted !== null && change.counted <= 300).length;
const sized = changes.filter((change) => change.counted !== null);

const row = (agent, at) => {
  const mine = changes.filter((change) => change.agent === agent);
  const byDay = count(mine.map((change) => new Date(change.merged_at * 1000).toISOString().slice(0, 10)));
  return { agent, name: agent === null ? null : (NAMES[at] ?? null), merged: mine.length, merged_by_day: byDay, per_active_day: Object.keys(byDay).length ? mine.length / Object.keys(byDay).length : null,
    lines: mine.reduce((sum, change) => sum + (change.lines ?? 0), 0), oversized: mine.filter((change) => change.counted > 300).length, lead_time: distribution(mine.map((change) => change.merged_at - change.first_commit_at)),
    conflicts: resolved.filter((one) => one.agents.includes(agent)).length, locks_held: holds.filter((hold) => hold.agent === agent).reduce((sum, one) => sum + lengthOf(one), 0), locks_waited: waits.filter((wait) => wait.agent === agent).reduce((sum, one) => sum + lengthOf(one), 0),
    refusals: all.filter((one) => one.agent === agent).length, requests: requests.filter((one) => one.by === agent).length };
};

process.stdout.write(JSON.stringify({
  schema: 1, repository: "acme/threads", base: "origin/main", period: { from, to }, agent: null,
  agents: [...ids, null].map(row),
  goals: [
    { name: "velocity", about: "changes merged per agent and day", goal: "1..2", policy_line: 81, measured: 1.4, shown: "1.4", state: "met" },
    { name: "conflicts", about: "conflicts that somebody had to resolve", goal: "2/week", policy_line: 82, measured: 1.75, shown: "1.8 a week", state: "met" },
    { name: "build", about: "build time, median", goal: "5m", policy_line: 83, measured: 262, shown: "4m 22s", state: "met" },
    { name: "coverage", about: "lines covered by tests", goal: "80%", policy_line: null, measured: 0.764, shown: "76 %", state: "missed" },
    { name: "integration", about: "merged commits whose checks succeeded", goal: "95%", policy_line: null, measured: null, shown: "–", state: "unknown" },
  ],
  changes, sizes: { limit: 300, lines: distribution(sized.map((change) => change.counted)), oversized: sized.length - within, within_limit: within / sized.length },
  lead_time: distribution(changes.map((change) => change.merged_at - change.first_commit_at)),
  conflicts: { resolved, per_week: resolved.length / (days / 7), forecast: [{ kind: "forecast", commit: null, at: null, agents: ["a1", "a2"], files: paths.slice(0, 2) }] },
  locks: { areas: lockAreas, holds, waits },
  refusals: { rules: byRule, all, verdicts: all.length * 9, observed: { "oversized-change": { count: 3, verdicts: 4, agents: { a1: 3 } } }, warnings: { "stale-base": 31, "uncoordinated-path": 6 }, since: from + DAY, torn: 0 },
  waivers: [{ rule: "oversized-change", count: 4, agents: { a1: 3, "": 1 }, reasons: ["generated client, see the script", "vendored fonts", "</script><b>bold</b>"] }, { rule: "stale-base", count: 1, agents: { a2: 1 }, reasons: ["hotfix"] }],
  requests: { submitted: requests.length, open: requests.filter((one) => one.state === "open").length, ignored: 2, states: count(requests.map((one) => one.state).filter((state) => state !== "open")), time_to_answer: distribution(requests.filter((one) => one.answered !== null).map((one) => one.answered - one.submitted)), all: requests },
  branches: ids.flatMap((agent, at) => [0, 1].slice(0, 1 + (at % 2)).map((n) => ({ branch: `feat/${agent}/${pick(["search", "pool", "exporter-of-costs"])}-${n}`, agent, behind: below(60), ahead: 1 + below(9), stale_since: to - below(9 * DAY), last_commit_at: to - below(5 * DAY) }))).sort((a, b) => b.behind - a.behind),
  contested: paths.map((path) => ({ path, agents: count(Array.from({ length: 4 + below(20) }, () => pick(ids))), alternations: 3 + below(12), conflicts: below(4), owner: pick(["area common (locked)", "lane of a4", null]) })),
  lane_cuts: [{ path: "services/revenue/mail", lane: "a3", with: "a2", changes: 19, together: 14, own: 3, proposal: "Move services/revenue/mail to the lane of a2: policy.yaml:31 and policy.yaml:24." }],
  builds: { source: "GitHub", time: distribution(runs.map((run) => run[1])), jobs: { test: distribution(runs.map((run) => run[1])), "lint and types": distribution(runs.map(() => 40 + below(50))) }, runs },
  coverage: { lines: 0.764, total: 18240, covered: 13935, agents: Object.fromEntries(ids.map((agent) => [agent, 0.6 + random() * 0.35])), files: [{ name: "coverage/lcov.info", format: "lcov", total: 18240, covered: 13935 }] },
  integration: null,
  missing: [{ what: "integration", reason: "no token for GitHub", help: "set a token: export GITHUB_TOKEN=…" }, { what: "forecast", reason: "2 of 6 pairs took too long", help: "git lane conflicts" }],
}));
