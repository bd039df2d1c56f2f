//! The demonstration, as in the README but shorter.

use std::process::Command;
use std::time::Duration;

use forebay_testkit::program::run;

#[test]
fn the_demo_counts_and_nobody_behind_forebay_is_harmed() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forebay"));
    let done = run(
        command.args(["demo", "--seconds", "8", "--json"]),
        b"",
        Duration::from_secs(60),
    );
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let report: serde_json::Value =
        serde_json::from_str(&done.stdout).expect("JSON and nothing else");
    let requests = &report["behind"]["tally"]["requests"];
    assert!(requests.is_object(), "{report:#}");
    assert!(requests["begun"].as_u64() > Some(100), "{requests:#}");
    for harm in [
        "reset_before",
        "reset_after",
        "reset_at_end",
        "refused",
        "truncated",
        "malformed",
    ] {
        assert_eq!(requests[harm], 0, "{requests:#}");
    }
}
