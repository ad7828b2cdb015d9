//! The reference policy's own steps, on a real PostgreSQL that the test starts.
#![cfg(unix)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{POLICY, Ran, Scratch, Worktree};

/// A server in a temporary folder, gone with it.
struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
    is_root: bool,
}

impl Server {
    /// `None` where PostgreSQL is not installed.
    fn start() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut programs: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
        programs.retain(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file());
        programs.sort();
        let programs = programs.pop()?;
        let folder = tempfile::tempdir().unwrap();
        let id = Command::new("id").arg("-u").output().unwrap();
        let is_root = String::from_utf8_lossy(&id.stdout).trim() == "0";
        if is_root {
            // The server refuses to run as root.
            let done = Command::new("chown").arg("nobody").arg(folder.path()).status().unwrap();
            assert!(done.success());
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { folder, programs, port, is_root };
        let data = server.data();
        server.run("initdb", &["-A", "trust", "-U", "lane", "-N", "-D", data.to_str().unwrap()]);
        let options =
            format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off");
        let log = server.folder.path().join("log");
        let args = ["-w", "-D", data.to_str().unwrap(), "-l", log.to_str().unwrap(), "-o", &options, "start"];
        server.run("pg_ctl", &args);
        Some(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if self.is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    fn run(&self, program: &str, args: &[&str]) {
        // The server would keep a pipe open: what is said goes nowhere but into its log.
        let status = self.command(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.unwrap().success(), "{program} {args:?}");
    }

    fn url(&self) -> String {
        format!("postgresql://lane@127.0.0.1:{}/postgres", self.port)
    }

    fn ask(&self, sql: &str) -> String {
        let output =
            self.command("psql").args(["-X", "-A", "-t", "-d", &self.url(), "-c", sql]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.data();
        let args = ["-D", data.to_str().unwrap(), "-m", "immediate", "stop"];
        let _ = self.command("pg_ctl").args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

fn tree(scratch: &Scratch, name: &str) -> Worktree {
    Worktree { root: scratch.home().join(name), home: scratch.home() }
}

fn with_url(at: &Worktree, url: &str, args: &[&str]) -> Ran {
    at.lane_env(args, &[("DATABASE_URL", url)])
}

#[test]
fn the_reference_policys_steps_work() {
    let Some(server) = Server::start() else {
        assert!(
            std::env::var_os("LANE_TEST_POSTGRES").is_none(),
            "PostgreSQL is not installed: apt-get install postgresql"
        );
        eprintln!("skipped: PostgreSQL is not installed (apt-get install postgresql)");
        return;
    };
    let scratch = Scratch::with_policy(POLICY);
    scratch.run(&scratch.home(), "git", &["clone", "-q", "--bare", "repo", "bare.git"]).ok();
    let bare = tree(&scratch, "bare.git");
    with_url(&bare, &server.url(), &["setup"]).ok().says("ran venv").says("ran schema");
    let schemas =
        "SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname LIKE 'agent%'";
    assert_eq!(server.ask(schemas), "agent_a1,agent_a2,agent_a3,agent_a4");
    for (agent, name) in
        [("a1", "wt-a1-mlops"), ("a2", "wt-a2-genai"), ("a3", "wt-a3-analytics"), ("a4", "wt-a4-platform")]
    {
        let worktree = tree(&scratch, name);
        is_python(&worktree.root);
        assert_eq!(worktree.git(&["status", "--porcelain"]).ok().out, "");
        // What an agent makes, it makes in its own schema.
        let make = "psql -X -q \"$DATABASE_URL\" -c 'CREATE TABLE mine (x int)'";
        with_url(&worktree, &server.url(), &["run", "--", "sh", "-c", make]).ok();
        let here = format!(
            "SELECT count(*) FROM pg_tables WHERE tablename = 'mine' AND schemaname = 'agent_{agent}'"
        );
        assert_eq!(server.ask(&here), "1");
    }
    with_url(&bare, &server.url(), &["setup"]).ok().does_not_say("ran ");
    let args = ["teardown", "a2", "--delete-branch", "--drop-schema", "--yes-drop", "agent_a2"];
    with_url(&bare, &server.url(), &args)
        .ok()
        .says("removed the worktree")
        .says("dropped the schema agent_a2");
    assert_eq!(server.ask(schemas), "agent_a1,agent_a3,agent_a4");
    // What is not there was not dropped.
    with_url(&bare, &server.url(), &args)
        .fails(2)
        .says("no schema agent_a2 in that database")
        .does_not_say("dropped the schema");
    // The address as words, with a password that no other process sees.
    let words = format!("host=127.0.0.1 port={} user=lane dbname=postgres password='se cret'", server.port);
    let psql = scratch.home().join("bin/psql");
    std::fs::create_dir(psql.parent().unwrap()).unwrap();
    let seen = scratch.home().join("seen");
    let script =
        format!("#!/bin/sh\necho \"$@ [$PGPASSWORD]\" >>'{}'\nexec /usr/bin/psql \"$@\"\n", seen.display());
    std::fs::write(&psql, script).unwrap();
    std::fs::set_permissions(&psql, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", psql.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let args = ["teardown", "a3", "--drop-schema", "--yes-drop", "agent_a3"];
    bare.lane_env(&args, &[("DATABASE_URL", &words), ("PATH", &path)])
        .ok()
        .says("dropped the schema agent_a3");
    assert_eq!(server.ask(schemas), "agent_a1,agent_a4");
    let seen = std::fs::read_to_string(seen).unwrap();
    assert_eq!(seen.lines().count(), 2, "{seen}");
    assert!(
        seen.lines().all(|line| line.ends_with("[se cret]") && line.matches("cret").count() == 1),
        "{seen}"
    );
}

fn is_python(root: &Path) {
    let output =
        Command::new(root.join(".venv/bin/python")).args(["-c", "import sys; print(sys.prefix)"]).output();
    assert!(output.unwrap().status.success(), "a Python of its own in {}", root.display());
}
