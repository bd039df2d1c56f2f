//! The bars of overload control on real sockets: `cargo xtask overload`.
//!
//! Each cell is an origin under a load or with something that happens to it; `surge compare`
//! runs it for everybody in `benches/load/overload/lineup.toml` and keeps what it saw. The
//! table is made of whatever runs are kept, so that cells can be run one by one.

mod bars;
mod cell;
mod kept;
mod log;
mod scenario;
mod settle;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::command::{Failure, program, run, target};
use crate::load;
use cell::Cell;

/// What is run.
#[derive(Args)]
pub(crate) struct Overload {
    /// Only cells of these origins, loads or happenings, such as "slow,10x"; see --list
    #[arg(long, value_delimiter = ',', value_name = "WORDS")]
    only: Vec<String>,
    /// Only these of the line-up, such as "Forebay adaptive,HAProxy"; else those that the
    /// cell is about
    #[arg(long, value_name = "NAMES")]
    rivals: Option<String>,
    /// Seconds of a steady load that are measured; twice as many where little is done
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// Leave the cells' runs of earlier calls alone, and make the table only
    #[arg(long)]
    table: bool,
    /// Run the optimised programs as they were built last
    #[arg(long)]
    as_built: bool,
    /// Name the cells, and run none
    #[arg(long)]
    list: bool,
    /// Where runs are kept; target/overload if not given
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// Also writes the table to this file
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// Runs the chosen cells and holds all kept runs against the bars.
pub(crate) fn overload(options: &Overload) -> Result<(), Failure> {
    let cells = cell::all(options.seconds);
    let chosen = cell::chosen(&cells, &options.only)?;
    if options.list {
        for cell in &chosen {
            println!("{}: {}", cell.name(), cell.rivals);
        }
        return Ok(());
    }
    let keep = options
        .keep
        .clone()
        .unwrap_or_else(|| target().join("overload"));
    if !options.table {
        if !options.as_built {
            load::build()?;
            run(&mut program("bash", &["benches/load/rivals/install.sh"]))?;
        }
        for cell in &chosen {
            play(cell, options, &keep)?;
        }
    }
    let table = bars::table(&cells, &keep);
    println!("\n{table}");
    match &options.markdown {
        Some(file) => fs::write(file, &table).map_err(|source| cannot("write", file, &source)),
        None => Ok(()),
    }
}

/// Runs one cell; its earlier runs of the same rivals are thrown away.
fn play(cell: &Cell, options: &Overload, keep: &Path) -> Result<(), Failure> {
    let folder = keep.join(cell.name());
    fs::create_dir_all(&folder).map_err(|source| cannot("make", &folder, &source))?;
    let rivals = options.rivals.as_deref().unwrap_or(cell.rivals);
    for rival in rivals.split(',') {
        let old = folder.join(kept::folder(rival));
        if old.is_dir() {
            fs::remove_dir_all(&old).map_err(|source| cannot("remove", &old, &source))?;
        }
    }
    let file = folder.join("scenario.toml");
    fs::write(&file, scenario::text(cell)).map_err(|source| cannot("write", &file, &source))?;
    // Not by cargo, which would wait for whoever builds meanwhile.
    let surge = target().join("release/surge");
    let mut command = program(surge, &["compare", &file.display().to_string()]);
    command.args(["--rivals", "benches/load/overload/lineup.toml"]);
    command.args(["--only", rivals, "--rounds", "1", "--plain"]);
    command.args(["--keep", &folder.display().to_string()]);
    run(&mut command)
}

fn cannot(what: &str, path: &Path, source: &std::io::Error) -> Failure {
    Failure::Unreadable {
        what: format!("cannot {what} {}", path.display()),
        why: source.to_string(),
    }
}
