use std::collections::BTreeSet;
use std::sync::Barrier;

use super::*;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("lane")).expect("a folder");
    folder
}

fn line(writer: usize, number: usize) -> String {
    format!("{{\"at\":{writer:06},\"number\":{number:06}}}\n")
}

/// All lines, each of which has to be whole and there once.
fn lines(common_dir: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in read(common_dir).expect("the journal") {
        for line in String::from_utf8(text).expect("text").split_inclusive('\n') {
            assert!(line.starts_with("{\"at\":") && line.ends_with("}\n"), "torn: {line:?}");
            assert!(found.insert(line.to_owned()), "twice: {line:?}");
        }
    }
    found
}

#[test]
fn two_hundred_writers_lose_nothing_while_the_file_moves_aside() {
    const WRITERS: usize = 200;
    const RECORDS: usize = 60;
    let folder = folder();
    let all: BTreeSet<String> =
        (0..WRITERS).flat_map(|writer| (0..RECORDS).map(move |number| line(writer, number))).collect();
    // It moves aside once, in the middle: twice, and the oldest would be gone as they should.
    let most = all.iter().map(String::len).sum::<usize>() as u64 * 6 / 10;
    let barrier = Barrier::new(WRITERS);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (barrier, path) = (&barrier, folder.path());
            scope.spawn(move || {
                barrier.wait();
                for number in 0..RECORDS {
                    append(path, line(writer, number).as_bytes(), most).expect("a record");
                }
            });
        }
    });
    assert!(folder.path().join(FILES[1]).exists(), "it never moved aside");
    assert_eq!(lines(folder.path()), all);
}

#[test]
fn the_journal_is_bounded() {
    let folder = folder();
    for number in 0..5_000 {
        append(folder.path(), line(0, number).as_bytes(), 4_096).expect("a record");
    }
    let sizes = FILES.map(|name| fs::metadata(folder.path().join(name)).expect("a file").len());
    assert!(sizes.iter().all(|size| *size < 4_096 + 64), "{sizes:?}");
    assert!(lines(folder.path()).contains(&line(0, 4_999)));
}

#[test]
fn a_writer_that_had_the_file_open_writes_to_where_it_is_now() {
    let folder = folder();
    let path = folder.path().join(FILES[0]);
    append(folder.path(), line(0, 0).as_bytes(), 25).expect("a record");
    let late = open(&path, OpenOptions::new().append(true)).expect("the file");
    let data = late.metadata().expect("data");
    append(folder.path(), line(0, 1).as_bytes(), 25).expect("a record");
    write(&late, line(0, 2).as_bytes()).expect("a record");
    assert_eq!(lines(folder.path()), (0..3).map(|number| line(0, number)).collect());
    // It does not move the new file, which is not the one that it found full.
    assert!(is_moved_aside(&late, &data, &path, folder.path()).expect("nothing to do"));
    assert_eq!(lines(folder.path()).len(), 3);
}

#[test]
fn where_nobody_can_move_it_aside_it_stays_bounded() {
    let folder = folder();
    append(folder.path(), line(0, 0).as_bytes(), 500).expect("a record");
    let holder = File::open(folder.path().join(FILES[0])).expect("the file");
    holder.lock().expect("a lock");
    for number in 1..200 {
        append(folder.path(), line(0, number).as_bytes(), 500).expect("a record, or none");
    }
    let size = fs::metadata(folder.path().join(FILES[0])).expect("a file").len();
    assert!((1_000..1_064).contains(&size), "{size}");
}

#[test]
fn nothing_is_written_where_git_lane_is_not_installed() {
    let folder = tempfile::tempdir().expect("a folder");
    append(folder.path(), b"{}\n", MOST).expect("nothing to do");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    assert_eq!(state(folder.path()), State::NotInstalled);
    assert!(read(folder.path()).expect("nothing").is_empty());
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn nobody_else_may_read_it() {
        let folder = folder();
        append(folder.path(), b"{}\n", MOST).expect("a record");
        let data = fs::metadata(folder.path().join(FILES[0])).expect("a file");
        assert_eq!(data.permissions().mode() & 0o777, 0o600);
        assert_eq!(state(folder.path()), State::Ready);
    }

    #[test]
    fn no_link_is_followed() {
        let (folder, elsewhere) = (folder(), tempfile::tempdir().expect("a folder"));
        let target = elsewhere.path().join("victim");
        fs::write(&target, "as it was").expect("a file");
        symlink(&target, folder.path().join(FILES[0])).expect("a link");
        assert!(append(folder.path(), b"{}\n", MOST).is_err());
        assert_eq!(
            (fs::read_to_string(&target).expect("a file"), state(folder.path())),
            ("as it was".into(), State::Replaced)
        );
        assert!(read(folder.path()).is_err(), "nor read");
        fs::remove_file(folder.path().join(FILES[0])).expect("a link");
        fs::hard_link(&target, folder.path().join(FILES[0])).expect("a hard link");
        append(folder.path(), b"{}\n", MOST).expect("nothing to do");
        assert_eq!(fs::read_to_string(&target).expect("a file"), "as it was");
        // The folder itself is a link.
        let other = tempfile::tempdir().expect("a folder");
        symlink(elsewhere.path(), other.path().join("lane")).expect("a link");
        append(other.path(), b"{}\n", MOST).expect("nothing to do");
        assert!(!elsewhere.path().join("journal").exists());
        assert_eq!(state(other.path()), State::Replaced);
    }

    #[test]
    fn a_pipe_keeps_nobody_waiting() {
        let folder = folder();
        let path = folder.path().join(FILES[0]);
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
        assert!(made.success());
        assert!(append(folder.path(), b"{}\n", MOST).is_err(), "nobody reads it");
        let _reader = open(&path, OpenOptions::new().read(true)).expect("a reader");
        append(folder.path(), b"{}\n", MOST).expect("nothing to do");
        assert!(read(folder.path()).is_err());
    }

    #[test]
    fn a_folder_in_its_place_is_left_alone() {
        let folder = folder();
        fs::create_dir(folder.path().join(FILES[0])).expect("a folder");
        assert!(append(folder.path(), b"{}\n", MOST).is_err());
        assert_eq!(state(folder.path()), State::Replaced);
    }

    #[test]
    fn a_full_disk_leaves_at_most_one_torn_record() {
        if !Path::new("/dev/full").exists() {
            return;
        }
        let full = OpenOptions::new().append(true).open("/dev/full").expect("a full disk");
        assert!(write(&full, b"{}\n").is_err());
    }
}
