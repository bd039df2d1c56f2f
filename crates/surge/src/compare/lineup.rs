//! The line-up: who is compared, read from a file and checked before anything runs.
//!
//! All mistakes are said at once, each with its line. Templates are read with the
//! line-up, so that a run cannot fail half-way for a name that nobody fills in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::setting::Setting;
use super::template;

/// Rivals of a line-up, at most.
const RIVALS_MAX: usize = 32;
/// Settings that one sweep may try.
const SWEEP_MAX: usize = 24;
/// Bytes of one template.
const TEMPLATE_MAX: u64 = 1 << 20;

/// Who is compared, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Lineup {
    /// At least one.
    pub rivals: Vec<Rival>,
}

/// A program in one configuration, or the bare origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Rival {
    /// The program's name.
    pub name: String,
    /// Which of its configurations; may be empty.
    pub variant: String,
    /// What runs it in the foreground; empty for the bare origin.
    pub(super) command: Vec<String>,
    /// Names of files and what is in them before they are filled in.
    pub(super) files: Vec<(String, String)>,
    /// Its own names.
    pub(super) values: Settings,
    /// What a sweep tries for some of them.
    pub(super) sweep: BTreeMap<String, Vec<Setting>>,
    /// Where it says of itself, as JSON, how it is; may be empty.
    pub(super) watch: String,
}

/// A rival's own names and what stands for them.
pub(super) type Settings = BTreeMap<String, Setting>;

impl Rival {
    /// Name and variant.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.name, self.variant)
            .trim_end()
            .to_owned()
    }

    /// Whether visitors go to the origin itself.
    #[must_use]
    pub const fn is_bare(&self) -> bool {
        self.command.is_empty()
    }

    /// Every combination of what a sweep tries; none where there is no sweep.
    pub(super) fn combinations(&self) -> Vec<Settings> {
        if self.sweep.is_empty() {
            return Vec::new();
        }
        let mut all = vec![Settings::new()];
        for (name, choices) in &self.sweep {
            let with = |settings: &Settings| {
                let each = choices.iter().map(|choice| {
                    let mut settings = settings.clone();
                    settings.insert(name.clone(), choice.clone());
                    settings
                });
                each.collect::<Vec<_>>()
            };
            all = all.iter().flat_map(with).collect();
        }
        all
    }
}

/// Everything that is wrong with a line-up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(Vec<Mistake>);

/// One thing that is wrong: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mistake {
    line: usize,
    what: String,
}

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Mistake { line, what }) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { "\n" };
            write!(formatter, "{between}line {line}: {what}")?;
        }
        Ok(())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLineup {
    #[serde(default)]
    rival: Vec<Spanned<toml::Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRival {
    name: String,
    #[serde(default)]
    variant: String,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    values: BTreeMap<String, toml::Value>,
    #[serde(default)]
    sweep: BTreeMap<String, Vec<toml::Value>>,
    #[serde(default)]
    watch: String,
}

impl Lineup {
    /// Reads the line-up at `path`; its templates stand beside it.
    ///
    /// # Errors
    /// Everything that is wrong with it, or why it cannot be read.
    pub fn load(path: &Path) -> Result<Self, Mistakes> {
        let text = read(path).map_err(|what| Mistakes(vec![Mistake { line: 1, what }]))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, &|name| read(&folder.join(name)))
    }

    /// Checks the text of a line-up; `template` brings the file of a name, or says why not.
    pub(super) fn parse(
        text: &str,
        template: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Self, Mistakes> {
        let line_at = |offset: usize| text[..offset].matches('\n').count() + 1;
        let raw: RawLineup = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_at(span.start));
            let what = error.message().to_owned();
            Mistakes(vec![Mistake { line, what }])
        })?;
        let mut check = Check {
            template,
            seen: BTreeSet::new(),
            line: 1,
            mistakes: Vec::new(),
        };
        if raw.rival.is_empty() || raw.rival.len() > RIVALS_MAX {
            check.wrong(format!("write 1 to {RIVALS_MAX} [[rival]] tables"));
        }
        let mut rivals = Vec::new();
        for each in raw.rival {
            check.line = line_at(each.span().start);
            match each.into_inner().try_into::<RawRival>() {
                Ok(rival) => rivals.push(check.rival(rival)),
                Err(error) => check.wrong(error.message().to_owned()),
            }
        }
        if check.mistakes.is_empty() {
            Ok(Self { rivals })
        } else {
            Err(Mistakes(check.mistakes))
        }
    }

    /// Only the rivals that `names` call by title or by name alone.
    ///
    /// # Errors
    /// The names that call nobody, and those that could be called.
    pub fn only(mut self, names: &[String]) -> Result<Self, String> {
        let same = |name: &str, written: &str| name.eq_ignore_ascii_case(written.trim());
        let calls = |rival: &Rival, written: &String| {
            same(&rival.title(), written) || same(&rival.name, written)
        };
        for name in names {
            if !self.rivals.iter().any(|rival| calls(rival, name)) {
                let known: Vec<_> = self.rivals.iter().map(Rival::title).collect();
                let known = known.join(", ");
                return Err(format!("{name} is not in the line-up; there are {known}"));
            }
        }
        self.rivals
            .retain(|rival| names.is_empty() || names.iter().any(|name| calls(rival, name)));
        Ok(self)
    }
}

/// Collects what is wrong, rival by rival.
struct Check<'a> {
    template: &'a dyn Fn(&str) -> Result<String, String>,
    seen: BTreeSet<String>,
    /// Where the rival in hand begins.
    line: usize,
    mistakes: Vec<Mistake>,
}

impl Check<'_> {
    fn wrong(&mut self, what: String) {
        let line = self.line;
        self.mistakes.push(Mistake { line, what });
    }

    fn rival(&mut self, raw: RawRival) -> Rival {
        let mut rival = Rival {
            name: raw.name,
            variant: raw.variant,
            command: raw.command,
            files: Vec::new(),
            values: Settings::new(),
            sweep: BTreeMap::new(),
            watch: raw.watch,
        };
        if rival.name.trim().is_empty() {
            self.wrong("a rival needs a name".to_owned());
        }
        if !self.seen.insert(rival.title().to_lowercase()) {
            self.wrong(format!("{} stands there twice", rival.title()));
        }
        for (name, value) in raw.values {
            if let Some(setting) = self.setting(&rival, &name, &value) {
                rival.values.insert(name, setting);
            }
        }
        self.files(&mut rival, raw.files);
        self.sweep(&mut rival, raw.sweep);
        rival
    }

    fn setting(&mut self, rival: &Rival, name: &str, value: &toml::Value) -> Option<Setting> {
        let title = rival.title();
        if template::BUILT_IN.contains(&name) || !template::is_name(name) {
            self.wrong(format!(
                "{title}: {name} cannot be a name of one's own; write capital letters, none of {}",
                template::BUILT_IN.join(", ")
            ));
        }
        match Setting::read(value) {
            Ok(setting) => Some(setting),
            Err(why) => {
                self.wrong(format!("{title}: {name}: {why}"));
                None
            }
        }
    }

    /// Reads the templates and looks for names that nobody would fill in.
    fn files(&mut self, rival: &mut Rival, files: Vec<String>) {
        let title = rival.title();
        for name in files {
            // A file goes into the rival's own folder, nowhere else.
            if name.contains('/') {
                self.wrong(format!("{title}: {name} must stand beside the line-up"));
                continue;
            }
            match (self.template)(&name) {
                Ok(text) => rival.files.push((name, text)),
                Err(why) => self.wrong(format!("{title}: {why}")),
            }
        }
        if rival.is_bare() {
            if !rival.files.is_empty() || !rival.values.is_empty() || !rival.watch.is_empty() {
                self.wrong(format!(
                    "{title}: has files, values or watch, but no command"
                ));
            }
            return;
        }
        let texts = rival.files.iter().map(|(name, text)| (name.as_str(), text));
        let command = rival.command.iter().map(|word| ("command", word));
        let watch = std::iter::once(("watch", &rival.watch));
        let mut listens = false;
        for (place, text) in texts.chain(command).chain(watch) {
            for name in template::names(text) {
                listens |= ["LISTEN", "PORT"].contains(&name);
                if !template::BUILT_IN.contains(&name) && !rival.values.contains_key(name) {
                    self.wrong(format!("{title}: {place}: nothing stands for @{name}@"));
                }
            }
        }
        if !listens {
            self.wrong(format!(
                "{title}: neither @LISTEN@ nor @PORT@ says where it listens"
            ));
        }
    }

    fn sweep(&mut self, rival: &mut Rival, sweep: BTreeMap<String, Vec<toml::Value>>) {
        let title = rival.title();
        for (name, choices) in sweep {
            if !rival.values.contains_key(&name) {
                self.wrong(format!("{title}: sweep.{name} is not among its values"));
                continue;
            }
            let choices: Vec<_> = choices
                .iter()
                .filter_map(|value| self.setting(rival, &name, value))
                .collect();
            if choices.is_empty() {
                self.wrong(format!("{title}: sweep.{name} has nothing to try"));
            }
            rival.sweep.insert(name, choices);
        }
        let combinations: usize = rival.sweep.values().map(Vec::len).product();
        if combinations > SWEEP_MAX {
            self.wrong(format!(
                "{title}: a sweep of {combinations} settings; at most {SWEEP_MAX}"
            ));
        }
    }
}

/// The file at `path`, or why not.
fn read(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map(|found| found.len());
    match size {
        Ok(size) if size > TEMPLATE_MAX => {
            Err(format!("{} is over {TEMPLATE_MAX} bytes", path.display()))
        }
        _ => fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Lineup, String> {
        let template = |name: &str| match name {
            "fine.conf" => Ok("listen @LISTEN@ at most @MOST@\n".to_owned()),
            "mute.conf" => Ok("origin @ORIGIN@\n".to_owned()),
            name => Err(format!("{name}: no such file")),
        };
        Lineup::parse(text, &template).map_err(|mistakes| mistakes.to_string())
    }

    const FINE: &str = "[[rival]]\nname = 'none'\n[[rival]]\nname = 'one'\nvariant = 'best'\n\
         command = ['one', '@WORK@/fine.conf']\nfiles = ['fine.conf']\n\
         values = { MOST = '1.5 * LIMIT' }\nsweep = { MOST = [1, '2 * LIMIT'] }\n";

    #[test]
    fn a_rival_has_a_title_and_every_combination_of_its_sweep() {
        let lineup = parse(FINE).unwrap();
        let titles: Vec<_> = lineup.rivals.iter().map(Rival::title).collect();
        assert_eq!(titles, ["none", "one best"]);
        assert!(lineup.rivals[0].is_bare() && lineup.rivals[0].combinations().is_empty());
        assert_eq!(lineup.rivals[1].combinations().len(), 2);
    }

    #[test]
    fn all_mistakes_are_said_at_once_each_with_its_line() {
        let text = "[[rival]]\nname = ''\n\n[[rival]]\nname = 'a'\ncommand = ['a', '@WORKS@']\n\
             files = ['mute.conf', 'gone.conf', '../x']\nvalues = { limit = 1, RATE = 2, X = '2 * Y' }\n\
             sweep = { Z = [1], X = [] }\n\n[[rival]]\nname = 'a'\ncolour = 'red'\n\n\
             [[rival]]\nname = 'A'\nfiles = ['fine.conf']\n";
        let said = parse(text).unwrap_err();
        for expected in [
            "line 1: a rival needs a name",
            "line 4: a: limit cannot be a name",
            "line 4: a: RATE cannot be a name",
            "line 4: a: X: ",
            "line 4: a: gone.conf: no such file",
            "line 4: a: ../x must stand beside the line-up",
            "line 4: a: command: nothing stands for @WORKS@",
            "line 4: a: neither @LISTEN@ nor @PORT@",
            "line 4: a: sweep.Z is not among its values",
            "line 11: unknown field `colour`",
            "line 15: A stands there twice",
            "line 15: A: has files, values or watch, but no command",
        ] {
            assert!(said.contains(expected), "{expected} in\n{said}");
        }
    }

    #[test]
    fn a_file_without_rivals_a_broken_one_and_too_long_a_sweep_are_refused() {
        let many = FINE.replace("[1, '2 * LIMIT']", &format!("{:?}", [1; 25]));
        for (text, expected) in [
            ("", "write 1 to 32 [[rival]] tables"),
            ("[[rival]]\nname = ", "line 2: "),
            ("[[rivals]]\n", "line 1: unknown field `rivals`"),
            (&many, "a sweep of 25 settings; at most 24"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(expected), "{expected} in\n{said}");
        }
    }

    #[test]
    fn rivals_are_chosen_by_title_or_by_name() {
        let only = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            parse(FINE)
                .unwrap()
                .only(&names)
                .map(|lineup| lineup.rivals.len())
        };
        assert_eq!(only(&[]), Ok(2));
        assert_eq!(only(&["ONE", "one best"]), Ok(1));
        assert!(only(&["two"]).unwrap_err().contains("none, one best"));
    }

    #[test]
    fn the_line_ups_of_the_project_have_no_mistakes() {
        let load = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/load");
        for lineup in ["rivals/lineup.toml", "overload/lineup.toml"] {
            if let Err(mistakes) = Lineup::load(&load.join(lineup)) {
                panic!("{lineup}: {mistakes}");
            }
        }
    }
}
