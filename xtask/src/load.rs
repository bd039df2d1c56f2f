//! Long runs against real programs, and their one-minute cuts.
//!
//! The scripts in `benches/load` say what is measured and how; here the
//! programs are built and the scripts are started.

use clap::Args;

use crate::command::{Failure, cargo, program, run};

/// A cut: its name, the tools it needs, and what it does.
pub(crate) type Cut = (
    &'static str,
    &'static [&'static str],
    fn() -> Result<(), Failure>,
);

/// What `cargo xtask test` runs of the long runs: a minute of each.
pub(crate) const CUTS: [Cut; 2] = [
    ("soak", &["wrk", "curl"], || {
        soak(&Soak {
            seconds: 60,
            // A cut on a busy machine finds what is badly wrong; the bar is for quiet ones.
            least: Some(70),
        })
    }),
    (
        "compare",
        &["wrk", "curl", "nginx", "haproxy", "openssl"],
        || {
            compare(&Compare {
                seconds: 60,
                rounds: 2,
                works: Some("proxied,page".into()),
                only: Some("forebay,nginx,haproxy".into()),
                // A cut on a busy machine finds what is badly wrong; the bar itself is for quiet ones.
                bar: Some("2.5".into()),
                write: None,
            })
        },
    ),
];

/// How long to soak.
#[derive(Args)]
pub(crate) struct Soak {
    /// Length of the surge
    #[arg(long, default_value_t = 3600)]
    seconds: u32,
    /// Least share of the origin's peak in every ten seconds, in per cent; 90 if not given
    #[arg(long)]
    least: Option<u32>,
}

/// How long to compare.
#[derive(Args)]
pub(crate) struct Compare {
    /// Load in all, over every program, work and round
    #[arg(long, default_value_t = 720)]
    seconds: u32,
    /// Rounds; in each, every program does every work once
    #[arg(long, default_value_t = 4)]
    rounds: u32,
    /// Only these works, such as "proxied,tls"; benches/load/compare.sh says what each is
    #[arg(long, value_name = "NAMES")]
    works: Option<String>,
    /// Only these programs, such as "forebay,nginx"
    #[arg(long, value_name = "NAMES")]
    only: Option<String>,
    /// Fails when Forebay's CPU time per request is more than this times nginx's
    #[arg(long)]
    bar: Option<String>,
    /// Also writes the table to this file
    #[arg(long, value_name = "FILE")]
    write: Option<String>,
}

/// How the rivals are compared.
#[derive(Args)]
pub(crate) struct Rivals {
    /// The scenario's name, of those in benches/load/scenarios
    #[arg(long, default_value = "election-night-2016")]
    scenario: String,
    /// Rounds; in each, every rival is run once
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Only these, such as "no proxy,HAProxy best,Forebay"
    #[arg(long, value_name = "NAMES")]
    only: Option<String>,
    /// Multiplies the arrivals and the origin's capacity
    #[arg(long)]
    scale: Option<String>,
    /// How long each setting of a sweep is tried, in seconds; 0: no sweep
    #[arg(long, default_value_t = 20)]
    sweep: u32,
}

/// Gets the rivals and runs `surge compare` on optimised programs; the results are
/// the scenario's in `benches/load/results`.
pub(crate) fn rivals(options: &Rivals) -> Result<(), Failure> {
    build()?;
    run(&mut program("bash", &["benches/load/rivals/install.sh"]))?;
    let results = "benches/load/results";
    let file = |ending: &str| format!("{results}/rivals-{}.{ending}", options.scenario);
    let scenario = format!("benches/load/scenarios/{}.toml", options.scenario);
    let lineup = "benches/load/rivals/lineup.toml";
    let mut command = cargo(&[
        "run",
        "--release",
        "--locked",
        "--quiet",
        "--package",
        "surge",
    ]);
    command.args(["--", "compare", &scenario, "--rivals", lineup]);
    command.args(["--plain", "--rounds", &options.rounds.to_string()]);
    command.args(["--json", &file("json"), "--report", &file("html")]);
    command.args(["--table", &file("md")]);
    for (flag, value) in [("--only", &options.only), ("--scale", &options.scale)] {
        if let Some(value) = value {
            command.args([flag, value]);
        }
    }
    if options.sweep > 0 {
        command.args(["--sweep", &format!("{}s", options.sweep)]);
    }
    run(&mut command)
}

/// Runs `benches/load/soak.sh` on optimised programs.
pub(crate) fn soak(options: &Soak) -> Result<(), Failure> {
    build()?;
    let seconds = options.seconds.to_string();
    let mut command = program("bash", &["benches/load/soak.sh", "--seconds", &seconds]);
    if let Some(least) = options.least {
        command.args(["--least", &least.to_string()]);
    }
    run(&mut command)
}

/// Runs `benches/load/compare.sh` on optimised programs.
pub(crate) fn compare(options: &Compare) -> Result<(), Failure> {
    build()?;
    let (seconds, rounds) = (options.seconds.to_string(), options.rounds.to_string());
    let mut command = program("bash", &["benches/load/compare.sh"]);
    command.args(["--seconds", &seconds, "--rounds", &rounds]);
    for (flag, value) in [
        ("--works", &options.works),
        ("--only", &options.only),
        ("--bar", &options.bar),
        ("--write", &options.write),
    ] {
        if let Some(value) = value {
            command.args([flag, value]);
        }
    }
    run(&mut command)
}

pub(crate) fn build() -> Result<(), Failure> {
    let mut command = cargo(&["build", "--release", "--locked"]);
    run(command.args(["--package", "forebay", "--package", "surge", "--bins"]))
}
