use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use forebay_store::Store as _;

use super::{found, with};

const CHILD: &str = "FOREBAY_STORE_CHILD";

/// A snapshot that says its number, of a length that differs from save to save.
fn snapshot(number: u32) -> Vec<u8> {
    let length = 1 + number.wrapping_mul(2_654_435_761) as usize % 20_000;
    number.to_be_bytes().repeat(length)
}

/// The child's part: saves, and says after each save which it was, until it is killed.
#[test]
fn saves_until_it_is_killed() {
    let Some(directory) = std::env::var_os(CHILD) else {
        return;
    };
    with(Path::new(&directory), |store| {
        let before = store.load("main").unwrap();
        let first = before.map_or(0, |found| number(&found) + 1);
        let mut said = std::io::stdout().lock();
        for number in first.. {
            store.save("main", &snapshot(number)).unwrap();
            writeln!(said, "saved {number}").unwrap();
            said.flush().unwrap();
        }
    });
}

fn number(snapshot: &[u8]) -> u32 {
    u32::from_be_bytes(*snapshot.first_chunk().unwrap())
}

fn child(directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::saves_until_it_is_killed", "--nocapture"])
        .env(CHILD, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn kill_9_never_takes_back_what_was_said_to_be_saved() {
    let directory = tempfile::tempdir().unwrap();
    for saves in [1, 2, 3, 5, 8, 40, 41, 100] {
        let mut child = child(directory.path());
        let said = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut numbers = said.filter_map(|line| {
            line.split_once("saved ")
                .and_then(|(_, number)| number.parse::<u32>().ok())
        });
        let mut last = numbers.nth(saves - 1).unwrap();
        child.kill().unwrap();
        last = numbers.last().unwrap_or(last);
        child.wait().unwrap();

        let found = found(directory.path()).unwrap();
        let number = number(&found);
        assert!(
            number == last || number == last + 1,
            "{last} was said, {number} is there"
        );
        assert_eq!(found, snapshot(number), "whole");
    }
}
