//! The command line, as scripts use it.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::site::{End, ask, site, whole};

fn surge(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surge"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

#[tokio::test]
async fn a_run_writes_the_tally_as_json_and_nothing_else() {
    let target = site(|_head| (whole(200, "", "hello"), End::Fin)).await;
    let url = format!("http://{target}/some/page?x=1");
    let arguments = [
        "run",
        "--target",
        &url,
        "--rate",
        "20",
        "--seconds",
        "2",
        "--pages",
        "0",
        "--json",
        "-",
    ];
    let output = surge(&arguments).output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let tally: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        tally["visits"]["completed"].as_u64().unwrap() > 10,
        "{tally}"
    );
    assert_eq!(tally["requests"]["reset_before"], 0);
}

#[tokio::test]
async fn a_target_that_cannot_be_visited_is_an_error_that_says_what_to_write() {
    for target in ["ftp://127.0.0.1/", "127.0.0.1", "http://"] {
        let output = surge(&["run", "--target", target]).output().await.unwrap();
        assert_eq!(output.status.code(), Some(1), "{target}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("write one such as http://127.0.0.1:8080/"),
            "{target}: {said}"
        );
    }
}

#[tokio::test]
async fn the_origin_says_where_it_is_and_what_it_counted_in_the_end() {
    let arguments = ["origin", "--listen", "127.0.0.1:0", "--capacity", "500"];
    let mut origin = surge(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(origin.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).await.unwrap();
    assert!(
        line.contains("at best 500.0 pages a second with 87 in flight"),
        "{line}"
    );
    let (_before, url) = line.split_once("http://").unwrap();
    let address = url.split('/').next().unwrap().parse().unwrap();
    assert!(
        ask(address, "GET", "/", "\r\n")
            .await
            .starts_with("HTTP/1.1 200 ")
    );

    let pid = origin.id().unwrap().to_string();
    Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .await
        .unwrap();
    let mut counts = String::new();
    said.read_to_string(&mut counts).await.unwrap();
    let ended = timeout(Duration::from_secs(10), origin.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(ended.success());
    assert!(
        counts.starts_with("{") && counts.contains("\"completed\":1,"),
        "{counts}"
    );
}

#[tokio::test]
async fn a_scenario_with_mistakes_is_refused_with_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("night.toml");
    std::fs::write(&path, "title = 3\nlasts = \"1s\"\nseed = -1\n").unwrap();
    let output = surge(&["run", path.to_str().unwrap()])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    for says in [
        "night.toml:1:9: title",
        "night.toml:3:8: seed",
        "story: is missing",
        "crowd: is missing",
    ] {
        assert!(said.contains(says), "{says} is missing in {said}");
    }
}

#[tokio::test]
async fn reports_are_put_side_by_side_in_one_page() {
    let folder = tempfile::tempdir().unwrap();
    let [night, first, second, page] = ["night.toml", "first.json", "second.json", "page.html"]
        .map(|name| folder.path().join(name));
    let text = "title = \"A second\"\nstory = \"-\"\nlasts = \"1s\"\n[[crowd]]\nname = \"people\"\n\
                arrivals = [[\"0s\", 20], [\"1s\", 20]]\n";
    std::fs::write(&night, text).unwrap();
    let [night, first, second, page] =
        [&night, &first, &second, &page].map(|path| path.to_str().unwrap());
    for (name, json) in [("One", first), ("Two", second)] {
        let arguments = [
            "run", night, "--name", name, "--scale", "0.5", "--json", json, "--plain",
        ];
        let output = surge(&arguments).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let output = surge(&["report", first, second, "--html", page])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.starts_with("One: ") && said.contains("\nTwo: "),
        "{said}"
    );
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains("<h4>One</h4>") && page.contains("scaled by 0.5"),
        "{page}"
    );

    let output = surge(&["report", night, "--html", "x"])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("is no report of surge run --json"), "{said}");
}

#[tokio::test]
async fn a_run_that_is_interrupted_writes_what_there_was() {
    let target = site(|_head| (whole(200, "", "hello"), End::Fin)).await;
    let url = format!("http://{target}/");
    let arguments = [
        "run",
        "--target",
        &url,
        "--rate",
        "50",
        "--seconds",
        "600",
        "--pages",
        "0",
        "--plain",
    ];
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("tally.json");
    let mut command = surge(&arguments);
    let mut run = command
        .arg("--json")
        .arg(&json)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(run.stdout.take().unwrap());
    // The first second is over.
    said.read_line(&mut String::new()).await.unwrap();
    let pid = run.id().unwrap().to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status();
    assert!(killed.await.unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).await.unwrap();
    assert!(run.wait().await.unwrap().success(), "{rest}");
    assert!(rest.contains("visits: "), "{rest}");
    let tally: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert!(tally["visits"]["completed"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_said_before_the_run() {
    let arguments = [
        "run",
        "--target",
        "http://127.0.0.1:9/",
        "--seconds",
        "600",
        "--json",
        "/nowhere/tally.json",
    ];
    let output = timeout(Duration::from_secs(60), surge(&arguments).output());
    let output = output.await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("/nowhere/tally.json"), "{said}");
}
