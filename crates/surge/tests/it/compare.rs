//! Rivals side by side, as somebody starts them from a terminal.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tokio::process::Command;

const SURGE: &str = env!("CARGO_BIN_EXE_surge");

const SCENARIO: &str = r#"
    title = "A short evening"
    story = "A few people come for a second."
    lasts = "1s"
    [origin]
    capacity = 500
    [[crowd]]
    name = "people"
    arrivals = [["0s", 40], ["1s", 40]]
    visit = { pages = 0, think = "10ms" }
"#;

/// Nobody, a site in the proxy's place, a program that ends, and one that is not there.
fn lineup() -> String {
    format!(
        r#"
        [[rival]]
        name = "nobody"

        [[rival]]
        name = "a site"
        variant = "of its own"
        command = ["{SURGE}", "origin", "--listen", "@LISTEN@", "--capacity", "@SPEED@"]
        values = {{ SPEED = "2 * RATE" }}
        sweep = {{ SPEED = ["1 * RATE", "2 * RATE"] }}
        watch = "http://@LISTEN@/__origin/stats"

        [[rival]]
        name = "short-lived"
        command = ["sh", "fail.sh"]
        files = ["fail.sh"]

        [[rival]]
        name = "absent"
        command = ["there-is-no-such-program", "@PORT@"]
        "#
    )
}

const FAIL: &str = "echo the port @PORT@ does not suit me >&2; exit 3\n";

async fn compare(folder: &Path, more: &[&str]) -> Output {
    for (name, text) in [
        ("evening.toml", SCENARIO),
        ("lineup.toml", &lineup()),
        ("fail.sh", FAIL),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let mut command = Command::new(SURGE);
    command
        .args(["compare", "evening.toml", "--rivals", "lineup.toml"])
        .args(["--plain"])
        .args(more)
        .current_dir(folder)
        .kill_on_drop(true);
    command.output().await.unwrap()
}

#[tokio::test]
async fn everybody_has_a_row_and_who_cannot_take_part_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["--json", "all.json", "--report", "all.html"];
    let output = compare(folder.path(), &[&["--rounds", "2"], &files[..]].concat()).await;
    let said = String::from_utf8(output.stdout).unwrap();
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}{progress}");
    for row in [
        "\n| nobody ",
        "\n| a site of its own ",
        "\n| short-lived ",
        "\n| absent ",
        "short-lived: could not take part in round 1: it ended (exit status: 3)",
        "does not suit me",
        "absent: could not take part in round 2: there-is-no-such-program is not installed",
    ] {
        assert!(said.contains(row), "{row:?} in {said}");
    }
    let order: Vec<_> = progress
        .lines()
        .filter(|line| line.starts_with("round"))
        .collect();
    assert!(order[0].starts_with("round 1 of 2, nobody: "), "{progress}");
    assert!(
        order[4].starts_with("round 2 of 2, a site of its own: "),
        "{progress}"
    );

    let text = fs::read_to_string(folder.path().join("all.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let (nobody, site) = (&all["standings"][0], &all["standings"][1]);
    for standing in [nobody, site] {
        assert_eq!(
            standing["rounds"].as_array().unwrap().len(),
            2,
            "{standing}"
        );
        let figures = &standing["rounds"][0]["figures"];
        assert!(figures["completed"].as_f64().unwrap() > 10.0, "{figures}");
    }
    assert_eq!(nobody["rounds"][0]["figures"]["cpu_ms"], Value::Null);
    assert_eq!(site["settings"]["SPEED"], "1000");
    assert_eq!(all["standings"][2]["rounds"], Value::Array(Vec::new()));
    let html = fs::read_to_string(folder.path().join("all.html")).unwrap();
    assert!(
        html.contains("a site of its own"),
        "the report names the rivals"
    );
}

#[tokio::test]
async fn a_kept_run_leaves_its_report_and_what_its_program_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--only", "a site", "--rounds", "1", "--keep", "kept"];
    let output = compare(folder.path(), &more).await;
    assert!(output.status.success(), "{output:?}");
    let kept = folder.path().join("kept/a-site-of-its-own-1");
    let report = fs::read_to_string(kept.join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["name"], "a site of its own");
    assert!(kept.join("output.log").is_file());
    let watched = fs::read_to_string(kept.join("watched.jsonl")).unwrap();
    let first: Value = serde_json::from_str(watched.lines().next().unwrap()).unwrap();
    assert!(first["status"]["peak"].as_f64().unwrap() > 0.0, "{first}");
}

#[tokio::test]
async fn a_sweep_tries_every_setting_and_goes_on_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let more = [
        "--only", "a site", "--rounds", "1", "--sweep", "1s", "--json", "all.json",
    ];
    let output = compare(folder.path(), &more).await;
    assert!(output.status.success(), "{output:?}");
    let text = fs::read_to_string(folder.path().join("all.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let sweeps = all["sweeps"].as_array().unwrap();
    let settings: Vec<_> = sweeps.iter().map(|trial| &trial["settings"]).collect();
    assert_eq!(settings, ["SPEED=500", "SPEED=1000"]);
    let chosen: Vec<_> = sweeps
        .iter()
        .filter(|trial| trial["chosen"] == true)
        .collect();
    assert_eq!(chosen.len(), 1);
    let speed = chosen[0]["settings"].as_str().unwrap();
    let speed = speed.strip_prefix("SPEED=").unwrap();
    assert_eq!(all["standings"][0]["settings"]["SPEED"], speed);
}

#[tokio::test]
async fn who_is_not_in_the_line_up_is_an_error_that_names_those_who_are() {
    let folder = tempfile::tempdir().unwrap();
    let output = compare(folder.path(), &["--only", "somebody"]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("there are nobody, a site of its own,"),
        "{said}"
    );
}
