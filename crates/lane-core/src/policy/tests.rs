use super::*;

/// The policy at the root of this project.
pub fn reference_plan() -> Plan {
    plan(include_str!("../../../../policy.yaml"))
}

fn source(text: &str) -> Source {
    Source::new(FILE, text)
}

fn plan(text: &str) -> Plan {
    load(source(text), false).unwrap_or_else(|error| panic!("{:#?}", error.diagnostics))
}

/// The mistakes of a text: the words that are marked, and the message.
fn mistakes(text: &str) -> Vec<(String, String)> {
    let error = load(source(text), false).expect_err("mistakes");
    let marked = |diagnostic: &Diagnostic| text[diagnostic.span.range()].to_owned();
    error.diagnostics.iter().map(|d| (marked(d), d.message.clone())).collect()
}

#[track_caller]
fn one(text: &str, words: &str, message: &str) {
    let text = format!("version: 1\n{text}\n");
    let found = mistakes(&text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].0, words);
    assert!(found[0].1.contains(message), "{}", found[0].1);
}

macro_rules! mistakes {
    ($($name:ident: $text:literal => $words:literal, $message:literal;)*) => {$(
        #[test]
        fn $name() {
            one($text, $words, $message);
        }
    )*};
}

mistakes! {
    a_series_that_counts_down: "agents: {'w{9..1}': {}}" => "'w{9..1}'", "9 is more than 1";
    a_mistake_in_a_series: "agents: {'w{1..9}': {prts: 1-5}}" => "prts", "unknown key `prts` in agent `w1`";
    a_later_mistake_in_a_series: "agents: {'w{8..12}': {ports: '655{n}0-655{n}9'}}" => "'655{n}0-655{n}9'", "port";
    an_agent_of_a_series_again: "agents: {w2: {}, 'w{1..3}': {}}" => "'w{1..3}'", "agent `w2` is listed twice";
    one_worktree_for_a_series: "agents: {'w{1..9}': {worktree: ../w}}"
        => "../w", "`w1` and `w2` share the worktree `../w`, and so for 7 more of the series";
    unknown_key: "bse: main" => "bse", "unknown key `bse`";
    duplicate_key: "base: a\nbase: b" => "base", "duplicate key `";
    wrong_kind: "agents: [a1]" => "[", "expected a mapping";
    overlapping_ports: "agents: {a1: {ports: 1-5}, a2: {ports: 5-9}}" => "5-9", "overlap";
    one_worktree: "agents: {a1: {worktree: ../w}, a2: {worktree: .././w/}}" => ".././w/", "share the worktree";
    nested_worktrees: "agents: {a1: {worktree: ../o/deep}, a2: {worktree: ./../o}}" => "../o/deep", "inside that of `a2`";
    one_schema: "agents: {a1: {database: {schema: s}}, a2: {database: {schema: s}}}" => "s", "share the schema";
    one_branch: "agents: {a1: {branch: b}, a2: {branch: b}}" => "b", "share the branch";
    a_service_in_two_lanes: "services: {paths: 's/{service}/**'}\nagents: {a1: {services: [x]}, a2: {services: [x]}}"
        => "x", "in two lanes";
    services_without_a_place: "agents: {a1: {services: [x]}}" => "x", "where services live";
    a_place_without_a_service: "services: {paths: 's/**'}" => "'s/**'", "no `{service}`";
    no_such_owner: "agents: {a1: {}}\nareas: [{name: m, paths: [x], access: owner, owner: b1}]" => "b1", "is not an agent";
    an_owner_without_effect: "agents: {a1: {}}\nareas: [{name: m, paths: [x], access: lock, owner: a1}]"
        => "a1", "not `access: owner`";
    access_without_an_owner: "areas: [{name: m, paths: [x], access: owner}]" => "owner", "no owner";
    two_areas_of_one_name: "areas: [{name: m, paths: [x], access: open}, {name: m, paths: [y], access: open}]"
        => "m", "two areas";
    an_area_without_paths: "areas: [{name: m, paths: [], access: open}]" => "{", "has no paths";
    a_pattern_that_is_none: "areas: [{name: m, paths: ['[x'], access: open}]" => "'[x'", "never closed";
    a_negated_pattern: "change: {exclude: ['!x']}" => "'!x'", "negated";
    all_twice: "areas: [{name: m, paths: ['**'], access: open}, {name: n, paths: ['**'], access: lock}]"
        => "'**'", "` never applies:";
    unreachable: "areas: [{name: m, paths: [/a/b/], access: open}, {name: n, paths: [/a/**], access: lock}]"
        => "/a/b/", "never applies: the area `n` covers all of it";
    unreachable_lane: "agents: {a1: {owns: [docs/api/]}}\nareas: [{name: n, paths: [docs/], access: lock}]"
        => "docs/api/", "` never applies:";
    the_same_twice: "agents: {a1: {owns: [/docs/, /docs/]}}" => "/docs/", "is already in";
    no_agent_in_the_branch: "branch: {pattern: 'feat/{feature}'}" => "'feat/{feature}'", "no `{agent}`";
    a_broken_template: "branch: {pattern: 'feat/{agent'}" => "'feat/{agent'", "never closed";
    a_branch_of_another: "agents: {a1: {branch: feat/a2/x}}\nbranch: {pattern: 'feat/{agent}/{f}'}"
        => "feat/a2/x", "does not match";
    a_regex_without_an_example: "branch: {regex: 'feat/{agent}/.+'}" => "'feat/{agent}/.+'", "has no `branch.example`";
    a_regex_beside_a_pattern: "branch: {pattern: 'x/{agent}/{f}', regex: 'x/{agent}/.+'}" => "'x/{agent}/.+'", "both `pattern` and `regex`";
    an_example_of_no_regex: "branch: {pattern: 'x/{agent}/{f}', example: 'x/{agent}/y'}" => "'x/{agent}/y'", "an example of nothing";
    a_regex_without_an_agent: "branch: {regex: 'feat/.+', example: 'feat/{agent}/x'}" => "'feat/.+'", "`branch.regex` has no `{agent}`";
    a_regex_with_two_agents: "branch: {regex: '{agent}/x|y/{agent}', example: '{agent}/x'}"
        => "'{agent}/x|y/{agent}'", "`{agent}` more than once";
    a_branch_regex_that_is_none: "branch: {regex: 'feat/{agent}/(x', example: 'feat/{agent}/x'}"
        => "(", "is not a regular expression";
    an_example_without_an_agent: "branch: {regex: 'feat/{agent}/.+', example: feat/a1/x}" => "feat/a1/x", "`branch.example` has no `{agent}`";
    a_broken_example: "branch: {regex: 'feat/{agent}/.+', example: 'feat/{agent'}" => "'feat/{agent'", "never closed";
    an_example_that_does_not_match: "agents: {a1: {}}\nbranch: {regex: 'feat/{agent}/[0-9]+', example: 'feat/{agent}/x'}"
        => "'feat/{agent}/x'", "`feat/a1/x` does not match `branch.regex`";
    an_example_of_another: "agents: {a-1: {}}\nbranch: {regex: '{agent}-.+', example: '{agent}-x'}"
        => "'{agent}-x'", "`a-1-x` is a branch of `a` by `branch.regex`, not of `a-1`";
    an_example_that_is_no_branch: "branch: {regex: '{agent}.+', example: '{agent}..x'}" => "'{agent}..x'", "is not a valid branch name";
    an_example_that_is_protected: "branch: {regex: '.*{agent}', example: 'x/{agent}', protected: 'x/*'}" => "'x/{agent}'", "is protected";
    a_branch_beside_the_regex: "agents: {a1: {branch: feat/a1/x}}\nbranch: {regex: 'fix/{agent}/.+', example: 'fix/{agent}/x'}"
        => "feat/a1/x", "does not match `branch.regex`";
    a_tag_that_is_none: "message: {tag: [wip]}" => "wip", "is not a valid tag";
    a_warning_above_the_limit: "change: {max_lines: 3, warn_at: 4}" => "4", "above `max_lines`";
    a_variable_that_is_none: "agents: {a1: {env: {A-B: x}}}" => "x", "is not a valid variable name";
    a_harness_that_is_none: "identity: {harness: [A-B]}" => "A-B", "is not a valid variable name";
    a_word_for_nobody: "unidentified: {robot: deny}" => "robot", "unknown key";
    a_word_that_is_none: "unidentified: {agent: allow}" => "allow", "is not a valid choice for `unidentified.agent`";
    a_variable_of_ours: "agents: {a1: {env: {AGENT_ID: x}}}" => "x", "set by git-lane itself";
    a_reference_to_nothing: "agents: {a1: {env: {K: '${A:-b}'}}}" => "'${A:-b}'", "has no variable name";
    a_schema_that_psql_folds: "agents: {a1: {database: {schema: Agent_A1}}}" => "Agent_A1", "is not a valid schema name";
    a_schema_that_is_none: "agents: {a1: {database: {schema: 'a b;drop'}}}" => "'a b;drop'", "is not a valid schema name";
    a_schema_of_the_system: "agents: {a1: {database: {schema: pg_a1}}}" => "pg_a1", "is not a valid schema name";
    variables_that_need_one_another: "agents: {a1: {env: {A: 'x${B}', B: '${C}', C: '${A}', D: '${A}', P: '${P}:/x'}}}"
        => "'x${B}'", "`A` of `a1` refers to itself: A refers to B, B refers to C, C refers to A";
    two_limits_of_one_name: "agents: {a1: {limits: {open-ai: 1, open_ai: 2}}}" => "2", "would both be `LIMIT_OPEN_AI`";
    a_limit_and_a_variable: "agents: {a1: {limits: {tpm: 1}, env: {LIMIT_TPM: '2'}}}" => "'2'", "is set by git-lane itself";
    a_ref_for_a_branch: "agents: {a1: {branch: refs/heads/x}}" => "refs/heads/x", "is not a valid branch name";
    a_name_in_two_lines: "agents: {a1: {name: \"A\\n# B\"}}" => "\"A\\n# B\"", "contains a control character";
    a_service_with_a_bell: "services: {paths: 's/{service}/**'}\nagents: {a1: {services: [\"a\\ab\"]}}" => "\"a\\ab\"", "contains a control character";
    steps_with_one_log: "provision: [{name: b/c, run: a}, {name: B_c, run: b}]" => "B_c", "share a log";
    instructions_elsewhere: "setup: {instructions: [../x]}" => "../x", "cannot hold instructions";
    a_step_twice: "provision: [{name: s, run: a}, {name: s, run: b}]" => "s", "two steps";
    a_step_that_waits_for_nothing: "provision: [{name: s, run: a, when: 'x y'}]" => "'x y'", "is not a valid variable name";
    a_number_that_is_none: "change: {max_lines: many}" => "many", "whole number";
    a_duration_that_is_none: "history: {max_age: soon}" => "soon", "duration";
    an_unknown_rule: "rules: {foreign-paths: off}" => "foreign-paths", "unknown key";
    an_unknown_level: "rules: {foreign-path: warning}" => "warning", "is not a valid level";
    a_test_that_is_none: "tests: [a1 may fly]" => "a1 may fly", "is not a test";
    an_id_that_is_none: "agents: {'a 1': {}}" => "'a 1'", "is not a valid agent id";
    ids_that_differ_in_case: "agents: {a1: {}, A1: {}}" => "A1", "differ only in case";
    a_step_without_a_command: "provision: [{name: x}]" => "{", "has no `run`";
    an_empty_text: "base: ''" => "''", "is empty";
    a_base_that_is_no_branch: "base: ma in" => "ma in", "is not a valid branch name";
    a_glob_that_is_none: "branch: {protected: ['ma[in']}" => "'ma[in'", "never closed";
    one_account_for_two: "agents: {a1: {identity: {accounts: [x]}}, a2: {identity: {accounts: [X]}}}" => "X", "` is listed as proof for both `";
    one_proof_for_two: "agents: {a1: {identity: {github: [x]}}, a2: {identity: {github: [x]}}}" => "x", "` is listed as proof for both `";
    one_account_in_two_spellings: "agents: {a1: {identity: {github: [bot]}}, a2: {identity: {github: [Bot]}}}"
        => "Bot", "` is listed as proof for both `";
    one_key_with_two_comments: "agents: {a1: {identity: {signing_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti]}}, \
        a2: {identity: {signing_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti a2]}}}"
        => "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti a2", "` is listed as proof for both `";
    a_key_that_is_none: "agents: {a1: {identity: {signing_keys: [ssh-ed25519 AAAA]}}}" => "ssh-ed25519 AAAA",
        "a signing key of `a1` cannot be read";
    a_key_that_is_secret: "agents: {a1: {identity: {signing_keys: ['-----BEGIN OPENSSH PRIVATE KEY-----']}}}"
        => "'-----BEGIN OPENSSH PRIVATE KEY-----'", "a signing key of `a1` is a private key, which must stay secret";
    a_proof_that_is_none: "identity: {require: prove}" => "prove", "is not a valid choice for `identity.require`";
    an_agent_that_can_prove_nothing: "identity: {require: proven}\nagents: {a1: {identity: {github: [x]}}, a2: {}}"
        => "a2", "`a2` cannot be proven";
    no_lines_at_all: "change: {max_lines: 0}" => "0", "`max_lines: 0` allows no change";
    no_lines_of_an_area: "areas: [{name: m, paths: [x], access: open, max_lines: 0}]" => "0", "`max_lines: 0` allows no change";
    a_number_of_files_that_is_none: "areas: [{name: m, paths: [x], access: open, max_files: few}]" => "few", "`max_files` must be a whole number";
    a_limit_for_nobody: "areas: [{name: m, paths: [x], access: maintainer, max_files: 2}]" => "2", "has `max_files`, but no agent may change it";
    a_limit_above_the_whole: "areas: [{name: m, paths: [x], access: open, max_lines: 9}]\nchange: {max_lines: 8}"
        => "9", "is above that of the whole change";
    a_limit_with_a_hyphen: "areas: [{name: m, paths: [x], access: open, max-lines: 9}]" => "max-lines", "unknown key `max-lines`";
    an_owner_without_its_sign: "agents: {a1: {owner: org/team}}" => "org/team", "is not an owner as CODEOWNERS has them";
    an_owner_with_a_space: "agents: {a1: {owner: ['@a', '@b c']}}" => "'@b c'", "is not an owner as CODEOWNERS has them";
    shared_by_nobody: "areas: [{name: m, paths: [x], access: shared}]" => "shared", "but no steward";
    a_steward_that_is_none: "agents: {a1: {}}\nareas: [{name: m, paths: [x], access: shared, steward: b1}]"
        => "b1", "the steward `b1` is not an agent";
    a_steward_beside_an_owner: "agents: {a1: {}}\nareas: [{name: m, paths: [x], access: owner, owner: a1, steward: a1}]"
        => "a1", "has a steward, but others cannot change it";
    approved_by_nobody: "agents: {a1: {}}\nareas: [{name: m, paths: [x], access: open, approve: b1}]" => "b1", "unknown agent `b1`";
    approved_for_nobody: "agents: {a1: {}}\nareas: [{name: m, paths: [x], access: maintainer, approve: a1}]"
        => "a1", "has `approve`, but no agent may change it";
    approved_by_oneself: "agents: {a1: {}}\nareas: [{name: m, paths: [x], access: owner, owner: a1, approve: a1}]"
        => "a1", "only `a1` may change the area `m`, and approves itself";
    maintainers_among_approvers: "agents: {a1: {}}\nareas: [{name: m, paths: [x], access: open, approve: [a1, maintainers]}]"
        => "maintainers", "`maintainers` is not alone under `approve`";
    all_paths: "agents: {a1: {owns: [docs/]}}\nareas: [{name: n, paths: ['**'], access: lock}]" => "docs/", "` never applies:";
    lives_the_wrong_way_about: "locks: {ttl: 1h, max_ttl: 30m}" => "30m", "shorter than `locks.ttl`";
    bounds_the_wrong_way_about: "locks: {min_ttl: 1h, max_ttl: 30m}" => "30m", "shorter than `locks.min_ttl`";
    a_place_that_is_none: "locks: {prefix: refs/heads}" => "refs/heads", "is not a valid ref prefix for locks";
    a_place_of_others: "locks: {prefix: refs/tags/locks}" => "refs/tags/locks", "is not a valid ref prefix for locks";
    a_place_of_branches: "locks: {prefix: refs/heads/main}" => "refs/heads/main", "is used for branches";
    a_place_of_agents: "branch: {pattern: 'feat/{agent}/{x}'}\nlocks: {prefix: refs/heads/feat}"
        => "refs/heads/feat", "is used for branches";
    a_place_of_copies: "locks: {prefix: refs/lane/remotes}" => "refs/lane/remotes", "other records of git-lane";
    a_remote_that_is_none: "locks: {remote: --all}" => "--all", "is not a valid remote name";
    a_release_that_is_none: "locks: {release: on-psuh}" => "on-psuh", "is not a valid choice for `locks.release`";
    a_key_of_locks: "locks: {tll: 1h}" => "tll", "unknown key `tll`";
    a_webhook_that_is_written_down: "notify: {webhook: 'https://hooks.slack.com/services/T0/B0/x'}"
        => "'https://hooks.slack.com/services/T0/B0/x'", "`notify.webhook` has the secret address in it";
    a_desktop_that_is_none: "notify: {desktop: maybe}" => "maybe", "is not a valid choice for `notify.desktop`";
    a_key_of_notify: "notify: {web-hook: x}" => "web-hook", "unknown key `web-hook`";
    a_wrong_version: "remote: origin\nunowned: maybe" => "maybe", "is not a valid choice";
}

#[test]
fn bounds_that_nobody_wrote_give_way() {
    let locks = |text: &str| {
        let locks = plan(&format!("version: 1\nlocks: {{{text}}}")).policy.locks;
        [locks.min_ttl, locks.ttl, locks.max_ttl].map(|duration| duration.value.seconds)
    };
    assert_eq!(locks(""), [60, 7_200, 86_400]);
    assert_eq!(locks("ttl: 10s"), [10, 10, 86_400]);
    assert_eq!(locks("ttl: 2d"), [60, 172_800, 172_800]);
    assert_eq!(locks("max_ttl: 30m"), [60, 1_800, 1_800]);
    assert_eq!(locks("min_ttl: 3h, max_ttl: 5h"), [10_800, 10_800, 18_000]);
}

#[test]
fn no_version() {
    assert!(mistakes("base: main\n")[0].1.contains("has no `version`"));
    assert!(mistakes("version: 2\n")[0].1.contains("unknown version 2"));
    assert!(mistakes("")[0].1.contains("empty"));
    assert!(mistakes("- a\n")[0].1.contains("expected a mapping"));
}

#[test]
fn a_test_beside_a_wrong_area_is_still_checked() {
    let found =
        mistakes("version: 1\nareas: [{name: c, paths: ['[x'], access: lokc}]\ntests: [a9 may change x]\n");
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn the_last_match_decides() {
    let plan = plan(
        "version: 1\nagents: {a1: {owns: [docs/, x/]}, a2: {owns: [docs/api/]}}\n\
         areas: [{name: c, paths: [x/y/], access: lock}]\n",
    );
    let owners = |path: &str| plan.decide(path.as_bytes(), false).owner_ids().join(",");
    assert_eq!(owners("docs/a"), "a1");
    assert_eq!(owners("docs/api/a"), "a2");
    assert_eq!(owners("x/a"), "a1");
    assert_eq!(plan.decide(b"x/y/a", false).area().map(|area| area.name.value.as_str()), Some("c"));
    assert!(plan.decide(b"z", false).owner.is_none());
}

#[test]
fn the_reference_says_what_the_guide_says() {
    let plan = reference_plan();
    let agents = &plan.policy.agents.0;
    let memory: Vec<u64> =
        agents.iter().filter_map(|a| Some(a.memory.as_ref()?.value.bytes / 1_000_000_000)).collect();
    let tokens: Vec<u64> = agents.iter().map(|a| a.limits["openai_tpm"].value).collect();
    let ports: Vec<String> =
        agents.iter().filter_map(|a| Some(a.ports.as_ref()?.value.to_string())).collect();
    assert_eq!(memory, [4, 12, 3, 3]);
    assert_eq!(tokens, [10_000, 20_000, 5_000, 5_000]);
    assert_eq!(ports, ["8080-8099", "8180-8199", "8280-8299", "8380-8399"]);
    for agent in agents {
        let (id, capitals) = (&agent.id.value, agent.id.value.to_uppercase());
        assert_eq!(agent.services.len(), 3);
        assert_eq!(agent.env["OPENAI_API_KEY"].value, format!("${{OPENAI_API_KEY_{capitals}}}"));
        assert_eq!(agent.database.as_ref().map(|db| db.schema.value.clone()), Some(format!("agent_{id}")));
    }
}

#[test]
fn the_schema_and_the_reader_know_the_same_keys() {
    let schema = schema();
    let properties = |name: &str| -> Vec<String> {
        let object = if name.is_empty() { &schema } else { &schema["$defs"][name] };
        let mut keys: Vec<String> =
            object["properties"].as_object().expect("properties").keys().cloned().collect();
        keys.sort();
        keys
    };
    use super::read::keys;
    let sections = [
        ("", keys::POLICY),
        ("Agent", keys::AGENT),
        ("Area", keys::AREA),
        ("Services", keys::SERVICES),
        ("Database", keys::DATABASE),
        ("Identities", keys::IDENTITIES),
        ("Identity", keys::IDENTITY),
        ("Branch", keys::BRANCH),
        ("Message", keys::MESSAGE),
        ("PersonRules", keys::PERSON),
        ("TagRule", keys::TAG),
        ("Change", keys::CHANGE),
        ("Files", keys::FILES),
        ("ContentRule", keys::CONTENT),
        ("CustomRule", keys::CUSTOM),
        ("History", keys::HISTORY),
        ("PullRequests", keys::PULL_REQUEST),
        ("Waivers", keys::WAIVERS),
        ("Locks", keys::LOCKS),
        ("Metrics", keys::METRICS),
        ("Notify", keys::NOTIFY),
        ("Setup", keys::SETUP),
        ("Provision", keys::PROVISION),
        ("TestRuns", keys::TESTS),
        ("Health", keys::HEALTH),
        ("ServiceChecks", keys::SERVICE_CHECKS),
    ];
    for (name, keys) in sections {
        let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        keys.sort();
        assert_eq!(properties(name), keys, "{name}");
    }
}

#[test]
fn the_reference_follows_the_schema() {
    let value: serde_json::Value =
        serde_yaml::from_str(include_str!("../../../../policy.yaml")).expect("YAML is JSON here");
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
    let wrong = serde_json::json!({ "version": 1, "bse": "main" });
    assert!(!validator.is_valid(&wrong));
    assert!(!validator.is_valid(&serde_json::json!({ "base": "main" })));
}

#[test]
fn the_example_of_the_documentation_is_right() {
    let page = include_str!("../../../../docs/policy.md");
    let mut blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let policy = blocks.find(|block| block.starts_with("version: 1")).expect("a policy in docs/policy.md");
    plan(policy);
}

#[test]
fn a_series_is_as_if_each_was_written() {
    let short = plan(
        "version: 1\nagents:\n  a1: {}\n  'w{08..10}': { name: 'Worker {n}', worktree: '../wt-w{n}', ports: '3{n}00-3{n}99',\n    \
         owns: ['/jobs/{n}/'], database: { schema: 'w{n}' }, env: { N: '{n}', 'K{n}': k }, limits: { 'x{n}': 3 } }\n",
    );
    let each = |n: &str| {
        format!(
            "  w{n}: {{ name: 'Worker {n}', worktree: '../wt-w{n}', ports: 3{n}00-3{n}99, owns: [/jobs/{n}/], \
             database: {{ schema: w{n} }}, env: {{ N: '{n}', K{n}: k }}, limits: {{ x{n}: 3 }} }}\n"
        )
    };
    let long = plan(&format!("version: 1\nagents:\n  a1: {{}}\n{}{}{}", each("08"), each("09"), each("10")));
    let json = |plan: &Plan| serde_json::to_string(&plan.policy).unwrap();
    assert_eq!(json(&short), json(&long));
}
