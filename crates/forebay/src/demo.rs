//! `forebay demo`: a small portal under a surge, bare and behind Forebay, side by side.

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use forebay_config::Config;
use forebay_proxy::process::Process;
use surge::demo::{DemoPlan, DemoReport};
use surge::origin::Origin;
use surge::view::View;
use tracing::Level;

use crate::arguments::Demo;
use crate::{Failure, run, say};

pub(crate) fn demo(arguments: &Demo) -> Result<ExitCode, Failure> {
    run::log_from(Level::ERROR);
    let state = StateDirectory::new()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::of(&error))?;
    let report = runtime.block_on(compare(arguments, &state))?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&report).map_err(|error| Failure::of(&error))?;
        say(&text)?;
    } else {
        say(&format!("\n{}", report.sentence()))?;
    }
    let broken = report.behind.tally.requests.harmed();
    Ok(if broken == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn compare(arguments: &Demo, state: &StateDirectory) -> Result<DemoReport, Failure> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let start =
        || Origin::start(surge::demo::origin(anywhere)).map_err(|error| Failure::of(&error));
    let (bare_origin, behind_origin) = (start()?, start()?);
    let bare = bare_origin.address();
    let config = config(&behind_origin, &state.0)?;
    let reload = config.clone();
    // Starting blocks, and so does stopping.
    let starting = tokio::task::spawn_blocking(move || {
        Process::start(config, Box::new(move || Ok(reload.clone())))
    });
    let process = starting
        .await
        .map_err(|error| Failure::of(&error))?
        .map_err(|error| Failure::of(&error))?;
    let behind = *process
        .addresses()
        .first()
        .ok_or_else(|| Failure("no listener".to_owned()))?;
    if !arguments.json {
        introduce(bare, behind, arguments.seconds)?;
    }
    let crowd = surge::demo::crowd(arguments.seconds);
    let plan = DemoPlan {
        bare,
        behind,
        bare_origin,
        behind_origin,
        crowd,
    };
    let report = surge::demo::run(plan, view(arguments)).await;
    tokio::task::spawn_blocking(move || process.stop())
        .await
        .map_err(|error| Failure::of(&error))?;
    Ok(report)
}

fn view(arguments: &Demo) -> View {
    if arguments.json {
        View::Silent
    } else if arguments.plain || !std::io::stdout().is_terminal() {
        View::Plain
    } else {
        View::Terminal
    }
}

fn introduce(bare: SocketAddr, behind: SocketAddr, seconds: u32) -> Result<ExitCode, Failure> {
    say(&format!(
        "A small portal, and a crowd of ten times its usual visitors, for {seconds} seconds.\n\
         Visit it yourself meanwhile:\n  bare             http://{bare}/\n  behind Forebay   http://{behind}/\n"
    ))
}

/// The smallest configuration, with the limit that suits this origin, and no quota: the whole
/// crowd comes from one machine.
fn config(origin: &surge::origin::Running, state: &Path) -> Result<Config, Failure> {
    let text = format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\n\
         [origin.portal]\nservers = [\"http://{}\"]\n\
         limit = {{ mode = \"fixed\", concurrency = {} }}\n\
         [admin]\naddress = \"none\"\n\
         [state]\ndirectory = {:?}\n\
         [log]\naccess = \"none\"\n",
        origin.address(),
        origin.settings().best_concurrency(),
        state.display().to_string(),
    );
    forebay_config::parse(&text, "demo", Path::new("."), &|_| None)
        .map(|loaded| loaded.config)
        .map_err(|problems| Failure(problems.to_string()))
}

/// A directory for the demo's own state, gone with it.
struct StateDirectory(PathBuf);

impl StateDirectory {
    fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("forebay-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| Failure::of(&error))?;
        Ok(Self(path))
    }
}

impl Drop for StateDirectory {
    fn drop(&mut self) {
        // What remains lies in the temporary directory.
        _ = std::fs::remove_dir_all(&self.0);
    }
}
