//! Programs from outside that a test needs.

use std::env;
use std::path::{Path, PathBuf};

/// Where `name` is: on `PATH` or in the folders of a system's servers.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| is_program(candidate))
}

/// Where `name` is.
///
/// # Panics
/// When it is missing: a test whose tool is not there has not passed.
#[track_caller]
#[must_use]
pub fn need(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|| {
        panic!("{name} is missing: `cargo xtask test` installs it, or leaves it out by name with `--without {name}`")
    })
}

/// The text of a script that tests run in a browser: `NAME` among the target directory's tools.
///
/// # Panics
/// When it is missing.
#[track_caller]
#[must_use]
pub fn script(name: &str) -> String {
    // A test runs as TARGET/PROFILE/deps/NAME.
    let executable = env::current_exe().unwrap_or_default();
    let target = executable.ancestors().nth(3).unwrap_or(Path::new("target"));
    let path = target.join("tools").join(name);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: `cargo xtask test` gets it", path.display()))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_found_and_nonsense_is_not() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program-anywhere"), None);
    }
}
