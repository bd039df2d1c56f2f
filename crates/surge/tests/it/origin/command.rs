//! `surge origin` reads a scenario's origin, and says its throughput by the number in flight.

use std::fs;
use std::process::{Command, Output};

/// Runs `surge origin` with the settings in `text`, and further arguments.
fn origin(name: &str, text: &str, arguments: &[&str]) -> Output {
    let path = std::env::temp_dir().join(format!("surge-{name}-{}.toml", std::process::id()));
    fs::write(&path, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_surge"))
        .args(["origin", "--settings"])
        .arg(&path)
        .args(arguments)
        .output()
        .unwrap();
    fs::remove_file(&path).unwrap();
    output
}

#[test]
fn a_sweep_of_a_scenarios_origin_says_the_computed_and_the_measured_peak() {
    let scenario = "title = \"x\"\n[origin]\ncapacity = 100\nspread = { lognormal = { cv = 1.5 } }\n\
                    [origin.database]\npool = 30\nservice = \"25ms\"\n[[crowd]]\nname = \"y\"\n";
    let output = origin("sweep", scenario, &["--sweep", "500", "--threads", "200"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.len() > 8, "{said}");
    let last_point = lines[lines.len() - 2].split_whitespace().next();
    assert_eq!(
        last_point,
        Some("200"),
        "a flag says more than the file: {said}"
    );
    let peak = lines[lines.len() - 1];
    assert!(peak.starts_with("peak: computed "), "{said}");
}

#[test]
fn settings_that_make_no_sense_are_refused_with_what_to_write() {
    for (text, complaint) in [
        ("[origin]\ncapacity = -1\n", "capacity is requests a second"),
        (
            "[origin]\ncores = 0\n",
            "cores, threads and pages are 1 or more",
        ),
        ("[origin]\ncoers = 4\n", "unknown field `coers`"),
        (
            "[origin]\nservice = \"5\"\n",
            "write a duration such as 250ms",
        ),
        (
            "[origin.database]\npool = 0\n",
            "database.cores and database.pool are 1 or more",
        ),
        (
            "[origin]\nspread = { pareto = { alpha = 0 } }\n",
            "spread.pareto.alpha is more than 0",
        ),
        ("title = \"x\"\n", "missing field `origin`"),
    ] {
        let output = origin("senseless", text, &["--sweep", "500"]);
        assert_eq!(output.status.code(), Some(1), "{text}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(complaint), "{text}: {said}");
    }
}
