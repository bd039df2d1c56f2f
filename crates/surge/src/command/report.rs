//! `surge report`: reports that were written as JSON, side by side in one page.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use surge::report::{Report as Run, html};

use super::{Problem, say};

/// Reports in one page, at most.
const REPORTS_MAX: usize = 16;

/// Flags of `surge report`.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Reports that `surge run --json` wrote
    #[arg(required = true, num_args = 1..=REPORTS_MAX)]
    reports: Vec<PathBuf>,
    /// Where to write the page
    #[arg(long)]
    html: PathBuf,
}

impl Report {
    /// Reads them all, writes the page, and says how each fared.
    pub(crate) fn run(&self) -> Result<(), Problem> {
        let reports: Result<Vec<_>, _> = self.reports.iter().map(|path| read(path)).collect();
        let reports = reports?;
        super::store(&self.html, &html(&reports))?;
        for report in &reports {
            say(&report.sentence())?;
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Run, Problem> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(Problem::io(shown.clone()))?;
    serde_json::from_str(&text).map_err(|source| Problem::NoReport {
        path: shown,
        source,
    })
}
