use super::database::{passwords, with_search_path};
use super::*;
use crate::policy::{Source, load};

fn variables() -> Variables {
    let text = "version: 1\nagents:\n  a1:\n    name: \"It's $HOME\"\n    services: [x, y]\n    ports: 8080-8099\n    \
                database: { schema: agent_a1 }\n    memory: 4GB\n    limits: { openai-tpm: 7 }\n    env:\n      \
                KEY: \"${SECRET}\"\n      URL: \"http://h:${PORT_OFFSET}/`a\\\"\"\nservices: { paths: \"s/{service}/**\" }\n";
    let plan = load(Source::new("policy.yaml", text), false).expect("a policy");
    of(plan.policy.agent("a1").expect("an agent"))
}

fn outside(name: &str) -> Option<String> {
    match name {
        "SECRET" => Some("it's a\n\"secret\" \\ $x".to_owned()),
        "DATABASE_URL" => Some("postgresql://u:p@h/db".to_owned()),
        _ => None,
    }
}

#[test]
fn all_that_the_policy_says() {
    let resolved = variables().resolve(&outside);
    let get = |name: &str| resolved.get(name).unwrap_or_default();
    assert_eq!((get("AGENT_ID"), get("AGENT_SERVICES")), ("a1".into(), "x,y".into()));
    assert_eq!((get("PORT_OFFSET"), get("PORT_RANGE")), ("8080".into(), "8080-8099".into()));
    assert_eq!((get("AGENT_MEMORY_BYTES"), get("LIMIT_OPENAI_TPM")), ("4000000000".into(), "7".into()));
    assert_eq!(get("AGENT_NAME"), "It's $HOME", "a name refers to nothing");
    assert_eq!(get("URL"), "http://h:8080/`a\"");
    assert_eq!(get("DATABASE_URL"), "postgresql://u:p@h/db?options=-csearch_path%3Dagent_a1%2Cpublic");
    assert!(resolved.missing.is_empty());
}

#[test]
fn what_is_not_set_is_named_and_unset() {
    let resolved = variables().resolve(&|_| None);
    assert_eq!(resolved.complaints(), ["KEY is left out: SECRET is not set here"]);
    assert!(as_sh(&resolved).starts_with("unset KEY\n"));
    assert_eq!(resolved.get("DATABASE_URL"), None);
}

#[test]
fn the_file_holds_no_secret() {
    let text = as_file(&variables());
    assert!(text.contains("export KEY=\"${SECRET}\"\n"), "{text}");
    assert!(text.contains("export AGENT_NAME='It'\\''s $HOME'\n"), "{text}");
    assert!(text.contains(r#"export URL="http://h:${PORT_OFFSET}/\`a\"""#), "{text}");
}

#[test]
fn dotenv_words() {
    let resolved = variables().resolve(&outside);
    let text = as_dotenv(&resolved);
    assert!(text.contains(r#"KEY="it's a\n\"secret\" \\ $x""#), "{text}");
    assert!(text.contains("AGENT_SERVICES=x,y\n"), "{text}");
}

#[test]
fn search_paths() {
    let ours = "options=-csearch_path%3Da2%2Cpublic";
    for (url, expected) in [
        ("postgresql://h/d", format!("postgresql://h/d?{ours}")),
        ("postgresql://h/d?sslmode=require", format!("postgresql://h/d?sslmode=require&{ours}")),
        ("postgresql://h/d?options=-csearch_path%3Da1%2Cpublic", format!("postgresql://h/d?{ours}")),
        (
            "postgresql://h/d?options=-cstatement_timeout%3D5&x=1",
            "postgresql://h/d?x=1&options=-cstatement_timeout%3D5%20-csearch_path%3Da2%2Cpublic".to_owned(),
        ),
        ("dbname=x", "dbname=x options='-csearch_path=a2,public'".to_owned()),
        (
            "host = 'my host' options='-cx=1 -csearch_path=a1,public' password=it\\'s",
            "host='my host' password='it\\'s' options='-cx=1 -csearch_path=a2,public'".to_owned(),
        ),
    ] {
        assert_eq!(with_search_path(url, "a2").as_deref(), Some(expected.as_str()));
        assert_eq!(with_search_path(&expected, "a2"), Some(expected), "once");
    }
    for odd in ["mydb", "=x", "host=h dbname", "host='h", "a b=c"] {
        assert_eq!(with_search_path(odd, "a2"), None, "{odd}");
    }
    let resolved = variables().resolve(&|name| (name == "DATABASE_URL").then(|| "mydb".to_owned()));
    assert_eq!(resolved.get("DATABASE_URL").as_deref(), Some("mydb"));
    assert!(
        resolved.complaints()[1].contains("nothing of the agent's schema"),
        "{:?}",
        resolved.complaints()
    );
}

#[test]
fn passwords_are_told_from_the_rest() {
    for (address, rest, word) in [
        ("postgresql://u:p%40@h:1/d?x=1", "postgresql://u@h:1/d?x=1", Some("p@")),
        ("postgresql://u@h/d?password=p%20q&x=1", "postgresql://u@h/d?x=1", Some("p q")),
        ("postgresql://h/d", "postgresql://h/d", None),
        ("host=h  password='p q' dbname=d", "host=h dbname=d", Some("p q")),
        ("host=h  dbname=d", "host=h  dbname=d", None),
        ("mydb", "mydb", None),
    ] {
        let (left, password) = without_password(address);
        assert_eq!((left.as_str(), password.as_deref()), (rest, word), "{address}");
        assert_eq!(passwords(address).last().map(String::as_str), word, "{address}");
    }
}

fn plan(agents: &str) -> crate::policy::Plan {
    let text = format!("version: 1\nagents:\n{agents}");
    load(Source::new("policy.yaml", text), false).expect("a policy")
}

#[test]
fn references_are_to_the_agents_own_variables_first() {
    let plan = plan(
        "  a1: {env: {APP_URL: 'http://u:${DB_PASSWORD}@h', DB_PASSWORD: '${A1_PW}', PATH: '/x:${PATH}', S: '${DB_SCHEMA}'}}",
    );
    let own = of(plan.policy.agent("a1").expect("an agent"));
    let stranger = |name: &str| (name != "A1_PW").then(|| format!("stranger's {name}"));
    let resolved = own.resolve(&stranger);
    assert_eq!(resolved.get("APP_URL"), None, "no stranger's password");
    assert_eq!(resolved.get("PATH").as_deref(), Some("/x:stranger's PATH"));
    assert_eq!(resolved.complaints()[1], "APP_URL is left out: DB_PASSWORD is not set here");
    assert_eq!(resolved.get("S"), None, "nor another agent's schema");
    let right = own.resolve(&|name| Some(format!("[{name}]")));
    assert_eq!(right.get("APP_URL").as_deref(), Some("http://u:[A1_PW]@h"));
}

#[test]
fn what_is_only_others_is_taken_away() {
    let plan = plan(
        "  a1: {env: {ONLY: '${ONLY}', BOTH: x, NEEDED: y, PATH: '/x:${PATH}', DATABASE_URL: z}, limits: {tpm: 1}}\n  \
         a2: {env: {BOTH: w, MINE: '${NEEDED}'}, database: {schema: s}}\n  a3: {}",
    );
    let foreign = |id: &str| variables_of(&plan.policy, plan.policy.agent(id).expect("an agent")).foreign;
    assert_eq!(foreign("a2"), ["LIMIT_TPM", "ONLY"]);
    assert_eq!(foreign("a3"), ["BOTH", "DATABASE_URL", "LIMIT_TPM", "MINE", "NEEDED", "ONLY"]);
    let resolved = variables_of(&plan.policy, plan.policy.agent("a2").expect("an agent")).resolve(&|_| None);
    assert!(as_sh(&resolved).contains("unset ONLY\n"), "{}", as_sh(&resolved));
}
