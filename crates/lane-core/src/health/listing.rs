//! Lists of pods and containers. `kubectl get pods` exits with 0 when there are none, and when all of them crash; so does
//! `docker compose ps`. What they print is what they say.

/// Programs whose lists have the columns of `kubectl`.
const KUBERNETES: [&str; 3] = ["kubectl", "oc", "k3s"];
/// Programs whose lists have the columns of `docker ps`.
const CONTAINERS: [&str; 5] = ["docker", "docker-compose", "podman", "podman-compose", "nerdctl"];
/// What a pod is that has done its work.
const DONE: [&str; 2] = ["Completed", "Succeeded"];
/// What a pod is that another one takes the place of.
const OVER: [&str; 2] = ["Terminating", "Evicted"];

/// Why what was listed does not run; `None` where it does, or where nothing was listed that is known.
pub(super) fn down(command: &str, out: &str, err: &str) -> Option<String> {
    let mut words = command.split(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)));
    let tool = words.find(|word| KUBERNETES.contains(word) || CONTAINERS.contains(word))?;
    if KUBERNETES.contains(&tool) {
        return kubernetes(command, out, err);
    }
    words.any(|word| word == "ps" || word == "ls").then(|| containers(command, out))?
}

/// Whether a command is a single one, whose output nothing else reads.
fn is_single(command: &str) -> bool {
    !command.contains(['|', ';', '&', '<', '>', '`', '\n', '(', '#'])
}

fn kubernetes(command: &str, out: &str, err: &str) -> Option<String> {
    let none =
        err.lines().chain(out.lines()).map(str::trim).find(|line| line.starts_with("No resources found"));
    if let Some(none) = none {
        return Some(none.to_owned());
    }
    let is_list = command.split_whitespace().any(|word| word == "get");
    if is_list && out.trim().is_empty() && is_single(command) {
        return Some("nothing is listed".to_owned());
    }
    let rows: Vec<Row<'_>> = out.lines().filter_map(row).collect();
    let is = |row: &&Row<'_>, words: &[&str]| row.status.is_some_and(|status| words.contains(&status));
    // What goes away, and what has done its work, says nothing of what is there beside it.
    let is_over = |row: &&Row<'_>| is(row, &OVER) || is(row, &DONE);
    let down = rows
        .iter()
        .filter(|row| !is_over(row))
        .find(|row| row.ready < row.all || row.status.is_some_and(|status| status != "Running"));
    let none_left =
        || rows.iter().all(|row| is_over(&row)).then(|| rows.iter().find(|row| is(row, &OVER)))?;
    let Row { name, ready, all, status } = down.or_else(none_left)?;
    let status = status.map(|status| format!("{status}, ")).unwrap_or_default();
    Some(format!("{name}: {status}{ready}/{all} ready"))
}

/// A row of `kubectl get`: `NAME READY STATUS RESTARTS AGE` of pods, or `NAME READY UP-TO-DATE …` of what has pods.
struct Row<'l> {
    name: &'l str,
    ready: u32,
    all: u32,
    status: Option<&'l str>,
}

fn row(line: &str) -> Option<Row<'_>> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let ready = |field: &str| -> Option<(u32, u32)> {
        let (ready, all) = field.split_once('/')?;
        Some((ready.parse().ok()?, all.parse().ok()?))
    };
    // With --all-namespaces, the namespace stands before the name.
    let at = (1..=2).find(|at| fields.get(*at).is_some_and(|field| ready(field).is_some()))?;
    let (ready, all) = ready(fields[at])?;
    let status =
        fields.get(at + 1).copied().filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
    Some(Row { name: fields[at - 1], ready, all, status })
}

/// How the status of a container begins that does not run.
const STOPPED: [&str; 6] = ["restarting", "exited", "paused", "dead", "created", "removing"];

fn containers(command: &str, out: &str) -> Option<String> {
    let mut lines = out.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let first = lines.next();
    let column = first.and_then(status_column);
    let is_empty = match column {
        Some(_) => lines.clone().next().is_none(),
        None => first.is_none() && is_single(command),
    };
    if is_empty {
        return Some("no container is listed".to_owned());
    }
    let (from, to) = column?;
    lines.find_map(|line| {
        // The heading is ASCII; what was cut in a row ends with `…`, which is more than one byte.
        let status: String = line.chars().skip(from).take(to - from).collect();
        let (words, lower) = (status.trim(), status.to_lowercase());
        let is_stopped = STOPPED.iter().any(|word| lower.starts_with(word));
        let is_ill = is_stopped || lower.contains("(unhealthy)") || lower.contains("(paused)");
        let name = line.split_whitespace().next().unwrap_or_default();
        is_ill.then(|| format!("{name}: {words}"))
    })
}

/// Where the column STATUS of a heading begins, and where it ends.
fn status_column(heading: &str) -> Option<(usize, usize)> {
    let is_heading = |names: &[&str]| heading.split_whitespace().any(|word| names.contains(&word));
    let from = heading.find("STATUS").filter(|_| is_heading(&["NAME", "NAMES", "CONTAINER"]))?;
    let rest = &heading[from + "STATUS".len()..];
    let next = rest.find(|c: char| !c.is_whitespace());
    Some((from, next.map_or(usize::MAX, |next| from + "STATUS".len() + next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADING: &str = "NAME                   READY   STATUS             RESTARTS      AGE\n";

    fn pods(rows: &str) -> Option<String> {
        down("kubectl get pods -l app=web", &format!("{HEADING}{rows}"), "")
    }

    #[test]
    fn pods_that_run_and_pods_that_do_not() {
        assert_eq!(pods("web-7d4b9c6f5-x2x8p    1/1     Running            0             3m\n"), None);
        assert_eq!(pods("web-migrate-9xk2p      0/1     Completed          0             3m\n"), None);
        assert_eq!(pods("web-7d4b9c6f5-x2x8p    1/1     Running   3 (2m ago)   3h\n"), None);
        let ill = [
            ("web-a   0/1     CrashLoopBackOff   5 (33s ago)   4m\n", "web-a: CrashLoopBackOff, 0/1 ready"),
            ("web-a   0/1     ImagePullBackOff   0   4m\n", "web-a: ImagePullBackOff, 0/1 ready"),
            ("web-a   0/1     Pending   0   4m\n", "web-a: Pending, 0/1 ready"),
            ("web-a   1/2     Running   0   4m\n", "web-a: Running, 1/2 ready"),
            ("web-a   1/1     Terminating   0   4m\n", "web-a: Terminating, 1/1 ready"),
            ("web-a   0/1     Init:0/1   0   4m\n", "web-a: Init:0/1, 0/1 ready"),
            (
                "web-a   1/1     Running   0   4m\nweb-b   0/1     Evicted   0   4m\nweb-c   0/1     Pending   0   4m\n",
                "web-c: Pending, 0/1 ready",
            ),
            ("web-a   0/1     OOMKilled   0   4m\n", "web-a: OOMKilled, 0/1 ready"),
        ];
        for (row, reason) in ill {
            assert_eq!(pods(row).as_deref(), Some(reason));
        }
        assert_eq!(
            pods("web-a   1/1     Terminating   0   4m\nweb-b   1/1     Running   0   4m\n"),
            None,
            "replaced"
        );
        let one_of_two = "web-a   1/1     Running   0   4m\nweb-b   0/1     Error   1   4m\n";
        assert_eq!(pods(one_of_two).as_deref(), Some("web-b: Error, 0/1 ready"));
    }

    #[test]
    fn other_lists_of_a_cluster() {
        let none = "No resources found in default namespace.\n";
        assert_eq!(down("kubectl get pods -l app=web", "", none).as_deref(), Some(none.trim()));
        let grep = "kubectl get pods | grep web";
        assert_eq!(down(grep, "web-a  1/1  Running  0  4m\n", ""), None);
        assert_eq!(
            down(grep, "web-a  0/1  CrashLoopBackOff  9  4m\n", "").as_deref(),
            Some("web-a: CrashLoopBackOff, 0/1 ready")
        );
        let all = "default   web-a   0/1   Error   1   4m\n";
        assert_eq!(down("kubectl get po -A", all, "").as_deref(), Some("web-a: Error, 0/1 ready"));
        let deployment =
            "NAME   READY   UP-TO-DATE   AVAILABLE   AGE\nweb    1/3     3            1           5d\n";
        assert_eq!(down("oc get deploy web", deployment, "").as_deref(), Some("web: 1/3 ready"));
        assert_eq!(down("kubectl get pods -o name -l app=web", "", "").as_deref(), Some("nothing is listed"));
        assert_eq!(down("kubectl get pods -o name | grep -q web", "", ""), None, "grep has said it");
        assert_eq!(
            down("kubectl wait --for=condition=ready pod -l app=web", "pod/web-a condition met\n", ""),
            None
        );
        assert_eq!(down("kubectl rollout status deploy/web", "", ""), None);
        assert_eq!(down("my-check", "x 0/1 Error\n", ""), None, "another program's output");
    }

    #[test]
    fn containers_that_run_and_containers_that_do_not() {
        let heading = "NAME        IMAGE     COMMAND    SERVICE   CREATED         STATUS                         PORTS\n";
        let row = |status: &str| {
            format!("app-web-1   app-web   \"run…\"     web       5 minutes ago   {status:30} 80/tcp\n")
        };
        let compose = |out: &str| down("docker compose -f x.yml ps web", out, "");
        assert_eq!(compose(&format!("{heading}{}", row("Up 5 minutes"))), None);
        assert_eq!(compose(&format!("{heading}{}", row("Up 5 minutes (healthy)"))), None);
        assert_eq!(compose(heading).as_deref(), Some("no container is listed"));
        for ill in [
            "exited (0)",
            "restarting",
            "Created",
            "Up 5 minutes (unhealthy)",
            "Restarting (1) 3 seconds ago",
            "Exited (137) 1 minute ago",
            "Up 1 hour (Paused)",
        ] {
            let said = compose(&format!("{heading}{}", row(ill)));
            assert_eq!(said.as_deref(), Some(format!("app-web-1: {ill}").as_str()));
        }
        let quiet = "docker compose ps --status running -q web";
        assert_eq!(down(quiet, "", "time=\"…\" level=warning\n").as_deref(), Some("no container is listed"));
        assert_eq!(down(quiet, "4f1c2a\n", ""), None);
        assert_eq!(down("docker ps -q | grep -q .", "", ""), None, "grep has said it");
        assert_eq!(down("docker inspect -f '{{.State.Running}}' web", "", ""), None);
        assert_eq!(down("docker compose exec -T web pg_isready -q", "", ""), None);
    }
}
