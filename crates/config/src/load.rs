//! From a file, or its text, to a configuration.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::check;
use crate::problem::{Loaded, Problem, Problems, Severity};
use crate::raw::File;
use crate::read::{Node, Place, Reader, Value as _, read_bounded};
use crate::report::Report;

/// Bytes of a configuration file.
const FILE_SIZE_MAX: u64 = 4 << 20;

/// Reads and checks the file at `path`; relative paths in it are taken from
/// its directory, `{ env = … }` from the environment of this process.
///
/// # Errors
/// Everything that is wrong with the file, or the one reason why it cannot be read.
pub fn load(path: &Path) -> Result<Loaded, Problems> {
    let name = path.display().to_string();
    let unreadable = |text: String, what: String| {
        let mut report = Report::new(&text);
        let end = text.len();
        report.error(
            &Place {
                key: String::new(),
                span: end..end,
            },
            what,
            "",
        );
        Problems {
            list: report.into_sorted(),
            text,
            name: name.clone(),
        }
    };
    let bytes = read_bounded(path, FILE_SIZE_MAX)
        .map_err(|error| unreadable(String::new(), format!("cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let fine = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..fine]).into_owned();
        unreadable(text, "is no UTF-8 from here on".to_owned())
    })?;
    let base = path.parent().unwrap_or(Path::new(""));
    parse(&text, &name, base, &|name| std::env::var(name).ok())
}

/// Checks `text`. `name` is what messages call it, `base` the directory from
/// which relative paths are taken, `env` the environment.
///
/// Files that the text names are read: secrets, certificates and keys.
///
/// # Errors
/// Everything that is wrong with the text, warnings included, sorted by place.
/// A text that is no TOML has only that said about it.
pub fn parse(
    text: &str,
    name: &str,
    base: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Problems> {
    let problems = |list| Problems {
        list,
        text: text.to_owned(),
        name: name.to_owned(),
    };
    let tree = tree(text).map_err(problems)?;
    let mut reader = Reader {
        base,
        env,
        report: Report::new(text),
    };
    let root = Node {
        place: Place {
            key: String::new(),
            span: 0..0,
        },
        value: &tree,
    };
    let file = File::read(&root, &mut reader).expect("a document is a table");
    let config = check::config(file, &mut reader);
    let list = reader.report.into_sorted();
    if list
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        return Err(problems(list));
    }
    Ok(Loaded {
        config,
        warnings: list,
    })
}

fn tree(text: &str) -> Result<DeValue<'_>, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(DeValue::Table(table.into_inner()));
    }
    let mut report = Report::new(text);
    for error in errors {
        let place = Place {
            key: String::new(),
            span: error.span().unwrap_or(0..0),
        };
        report.error(&place, format!("is no TOML: {}", error.message()), "");
    }
    Err(report.into_sorted())
}
