//! From a scenario's text to a scenario, or to all of its mistakes.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::bounds;
use super::mistake::{Mistakes, Reader};
use super::table::{Node, Table};
use super::{Event, Scenario};
use crate::crowd::{Behaviour, Curve, Group, Sources, Visit};
use crate::origin::OriginSettings;

/// Crowds and events of one scenario, at most.
const CROWDS_MAX: usize = 16;
const EVENTS_MAX: usize = 64;

/// Characters of a title or a name, and of a story, at most.
const NAME_MAX: usize = 120;
const STORY_MAX: usize = 4_000;

/// The longest scenario: reports keep an hour's seconds.
const LASTS_MAX: Duration = Duration::from_secs(3_600);

/// Reads and scales.
pub(super) fn scenario(text: &str, name: &str) -> Result<Scenario, Mistakes> {
    let mut reader = Reader::new(text);
    let (tree, wrong) = DeTable::parse_recoverable(text);
    for wrong in &wrong {
        let at = wrong.span().unwrap_or(0..0);
        reader.mistake(&at, "", wrong.message());
    }
    // What a broken line leaves of its neighbours would only be blamed on them.
    let read = if wrong.is_empty() {
        whole(Table::root(tree), &mut reader)
    } else {
        None
    };
    reader.finish(name)?;
    let read = read.ok_or_else(|| Mistakes::unreadable(name, "is no scenario".to_owned()))?;
    let scale = read.scale;
    Ok(Scenario { scale: 1.0, ..read }.scaled(scale))
}

fn whole(mut root: Table<'_>, reader: &mut Reader<'_>) -> Option<Scenario> {
    let title = root.need("title", "a few words", reader);
    let title = title.and_then(|title| title.text(NAME_MAX, reader));
    let story = root.need(
        "story",
        "a paragraph for a reader who was not there",
        reader,
    );
    let story = story.and_then(|story| story.text(STORY_MAX, reader));
    let source = root.take("source");
    let source = source.map_or_else(|| Some(String::new()), |node| node.text(STORY_MAX, reader));
    let lasts = root.need("lasts", "how long it lasts, such as \"60s\"", reader);
    let lasts = lasts.and_then(|lasts| lasts.span(Duration::from_secs(1)..=LASTS_MAX, reader));
    let seed = root.take("seed");
    let seed = seed.map_or(Some(1), |node| node.read(reader));
    let scale = root.take("scale");
    let scale = scale.map_or(Some(1.0), |node| node.number(1e-6..=1e3, reader));
    let visitors_max = count(root.take("visitors_max"), 20_000, reader);
    let connections_max = count(root.take("connections_max"), 10_000, reader);
    let origin = match root.take("origin") {
        // It checks its own numbers.
        Some(node) => node.read_each(|_settings| [], reader),
        None => Some(OriginSettings::default()),
    };
    let pages = origin.as_ref().map(|origin| origin.pages);
    let until = lasts.unwrap_or(LASTS_MAX);
    let events = root.take("event");
    let events = events.map_or_else(Vec::new, |node| node.tables(EVENTS_MAX, reader));
    let events = events
        .into_iter()
        .filter_map(|table| event(table, until, reader));
    let mut events: Vec<_> = events.collect();
    events.sort_by_key(|event| event.at);
    let crowd = root.need("crowd", "at least one [[crowd]]", reader);
    let crowd = crowd.map_or_else(Vec::new, |node| node.tables(CROWDS_MAX, reader));
    let crowd = crowd.into_iter();
    let crowd = crowd
        .filter_map(|table| group(table, pages, reader))
        .collect();
    root.finish(reader);
    Some(Scenario {
        name: String::new(),
        title: title?,
        story: story?,
        source: source?,
        lasts: lasts?,
        origin: origin?,
        events,
        crowd,
        visitors_max: visitors_max?,
        connections_max: connections_max?,
        seed: seed?,
        scale: scale?,
    })
}

/// A bound of the crowd.
fn count(node: Option<Node<'_>>, default: usize, reader: &mut Reader<'_>) -> Option<usize> {
    let Some(node) = node else {
        return Some(default);
    };
    let count = node.read(reader)?;
    if (1..=1_000_000).contains(&count) {
        return Some(count);
    }
    node.mistake("write a number between 1 and 1000000", reader);
    None
}

fn event(mut table: Table<'_>, until: Duration, reader: &mut Reader<'_>) -> Option<Event> {
    let at = table.need("at", "when it begins, such as \"20s\"", reader);
    let at = at.and_then(|at| at.span(Duration::ZERO..=until, reader));
    let lasts = table.take("lasts");
    let lasts = lasts.map_or(Some(until), |node| {
        node.span(Duration::ZERO..=until, reader)
    });
    let says = table.need("says", "what happens, in a few words", reader);
    let says = says.and_then(|says| says.text(NAME_MAX, reader));
    let set = table.need("set", "what changes, such as { slow = 3 }", reader);
    let set = set.and_then(|node| node.read_each(bounds::condition, reader));
    table.finish(reader);
    let (at, lasts) = (at?, lasts?);
    Some(Event {
        at,
        // To the end, where it does not say how long.
        lasts: lasts.min(until.saturating_sub(at)),
        says: says?,
        set: set?,
    })
}

/// `pages` are those of the origin's form, where that could be read.
fn group(mut table: Table<'_>, pages: Option<u32>, reader: &mut Reader<'_>) -> Option<Group> {
    let name = table.need("name", "what the report calls them", reader);
    let name = name.and_then(|name| name.text(NAME_MAX, reader));
    let arrivals = table.need("arrivals", "[[\"0s\", 10], [\"30s\", 50]]", reader);
    let arrivals = arrivals.and_then(|node| node.read::<Curve>(reader));
    let sources = table.take("sources");
    let sources = sources.map_or(Some(Sources::Loopback), |node| self::sources(&node, reader));
    let behaviour = behaviour(&mut table, pages, reader);
    table.finish(reader);
    Some(Group {
        name: name?,
        arrivals: arrivals?,
        sources: sources?,
        behaviour: behaviour?,
    })
}

/// How sources are written.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Written {
    Same,
    Loopback,
    Forwarded(String),
}

fn sources(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Sources> {
    match node.read(reader)? {
        Written::Same => Some(Sources::Same),
        Written::Loopback => Some(Sources::Loopback),
        Written::Forwarded(prefix) => {
            let parts = prefix.split_once('.');
            let parsed = parts.and_then(|(a, b)| Some([a.parse().ok()?, b.parse().ok()?]));
            if parsed.is_none() {
                node.mistake("write { forwarded = \"203.0\" }", reader);
            }
            parsed.map(|prefix| Sources::Forwarded { prefix })
        }
    }
}

/// Exactly one of the keys that say what they do.
fn behaviour(
    table: &mut Table<'_>,
    pages: Option<u32>,
    reader: &mut Reader<'_>,
) -> Option<Behaviour> {
    const KINDS: [&str; 6] = ["visit", "script", "slow_head", "slow_body", "leave", "junk"];
    let [visits, script, head, body, leave, junk] = KINDS.map(|kind| table.take(kind));
    let mut said = Vec::new();
    said.extend(visits.map(|node| visit(&node, pages, reader).map(Behaviour::Visit)));
    let script = script.map(|node| node.read_each(bounds::script, reader));
    said.extend(script.map(|script| script.map(Behaviour::Script)));
    let slow: [(_, fn(_) -> _); 2] = [(head, Behaviour::SlowHead), (body, Behaviour::SlowBody)];
    for (node, make) in slow {
        let loris = node.map(|node| node.read_each(bounds::loris, reader));
        said.extend(loris.map(|loris| loris.map(make)));
    }
    let leave = leave.map(|node| node.read_each(bounds::leave, reader));
    said.extend(leave.map(|leave| leave.map(Behaviour::Leave)));
    said.extend(junk.map(|node| {
        let wanted: bool = node.read(reader)?;
        if !wanted {
            node.mistake("write true, or leave it out", reader);
        }
        Some(Behaviour::Junk)
    }));
    match said.len() {
        1 => said.pop().flatten(),
        // Ordinary people need no words.
        0 => Some(Behaviour::Visit(Visit {
            pages: pages.unwrap_or(Visit::default().pages),
            ..Visit::default()
        })),
        _ => {
            let kinds = KINDS.join(", ");
            table.mistake(
                format!("does more than one thing; keep one of {kinds}"),
                reader,
            );
            None
        }
    }
}

/// A visit goes through the whole form, unless it says otherwise.
fn visit(node: &Node<'_>, pages: Option<u32>, reader: &mut Reader<'_>) -> Option<Visit> {
    let mut visit: Visit = node.read_each(bounds::visit, reader)?;
    let written = has(node, "pages");
    if let Some(pages) = pages {
        if !written {
            visit.pages = pages;
        } else if visit.pages != 0 && visit.pages != pages {
            let says = format!("write the {pages} pages of the origin's form, or 0 for none");
            let at = bounds::place(node, "pages");
            reader.mistake(&at, &format!("{}.pages", node.key), says);
        }
    }
    Some(visit)
}

fn has(node: &Node<'_>, name: &str) -> bool {
    let DeValue::Table(table) = node.value.get_ref() else {
        return false;
    };
    table.keys().map(Spanned::get_ref).any(|key| key == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENARIO: &str = r#"
        title = "A night"
        story = """
        Once
        upon a time."""
        lasts = "1m"
        scale = 0.5

        [origin]
        capacity = 200
        pages = 9

        [[event]]
        at = "20s"
        lasts = "10s"
        says = "everything is slow"
        set = { slow = 3 }

        [[event]]
        at = "50s"
        says = "the site is gone"
        set = { down = true }

        [[crowd]]
        name = "people"
        arrivals = [["0s", 10], ["30s", 10], ["30s", 50], ["60s", 0]]

        [[crowd]]
        name = "impatient people"
        arrivals = [["0s", 2], ["60s", 2]]
        sources = { forwarded = "203.0" }
        visit = { think = "100ms", reload_probability = 1, pages = 0 }

        [[crowd]]
        name = "a program"
        arrivals = [["0s", 100], ["60s", 100]]
        sources = "same"
        script = { path = "/slow", connections = 4 }

        [[crowd]]
        name = "noise"
        arrivals = [["0s", 1], ["60s", 1]]
        junk = true
    "#;

    #[test]
    fn a_scenario_is_read_and_scaled_in_its_rates_and_its_capacity_alone() {
        let read = scenario(SCENARIO, "night.toml").unwrap();
        assert_eq!(read.story, "Once upon a time.");
        assert_eq!((read.lasts, read.scale), (Duration::from_secs(60), 0.5));
        assert!(
            (read.origin.peak() - 100.0).abs() < 0.1,
            "{}",
            read.origin.peak()
        );
        let rates = read
            .crowd
            .iter()
            .map(|group| group.arrivals.rate_at(Duration::from_secs(1)));
        assert_eq!(rates.collect::<Vec<_>>(), [5.0, 1.0, 50.0, 0.5]);
        let ten_seconds = Duration::from_secs(10);
        assert_eq!(
            [read.events[0].lasts, read.events[1].lasts],
            [ten_seconds; 2]
        );
        let slow = read.condition_at(Duration::from_secs(29)).slow;
        let after = read.condition_at(Duration::from_secs(30)).slow;
        assert_eq!((slow, after), (3.0, 1.0));
    }

    #[test]
    fn behaviours_and_sources_are_those_that_are_written() {
        let read = scenario(SCENARIO, "night.toml").unwrap();
        let [people, impatient, program, noise] = read.crowd.try_into().unwrap();
        let nine = Visit {
            pages: 9,
            ..Visit::default()
        };
        assert_eq!(
            people.behaviour,
            Behaviour::Visit(nine),
            "the form that the origin has"
        );
        assert_eq!(people.sources, Sources::Loopback);
        assert_eq!(impatient.sources, Sources::Forwarded { prefix: [203, 0] });
        let Behaviour::Visit(visit) = impatient.behaviour else {
            panic!()
        };
        assert_eq!((visit.pages, visit.think), (0, Duration::from_millis(100)));
        assert!(matches!(program.behaviour, Behaviour::Script(_)));
        assert_eq!(
            (program.sources, noise.behaviour),
            (Sources::Same, Behaviour::Junk)
        );
    }

    #[test]
    fn every_mistake_is_said_at_once_with_its_place_and_what_to_write() {
        let text = r#"title = ""
lasts = "2 days"
colour = "red"
[origin]
capacity = -1
threds = 3
[[event]]
at = "9s"
set = { slow = 0, dead = "half" }
[[crowd]]
name = "people"
arrivals = [["10s", 10], ["5s", 1]]
sources = "everywhere"
visit = { heavy = 2, thnk = "1s" }
junk = true
"#;
        let wrong = scenario(text, "x.toml").unwrap_err().to_string();
        let places: Vec<_> = wrong
            .lines()
            .map(|line| {
                let mut parts = line.splitn(5, ':');
                let place = [
                    parts.nth(1).unwrap(),
                    parts.next().unwrap(),
                    parts.next().unwrap(),
                ];
                place.join(":")
            })
            .collect();
        let expected = [
            "1:1: story",
            "1:9: title",
            "2:9: lasts",
            "3:1: colour",
            "5:1: origin.capacity",
            "6:1: origin.threds",
            "7:1: event[0].says",
        ];
        assert_eq!(places[..expected.len()], expected, "{wrong}");
        for says in [
            "write a paragraph",
            "write 1 to 120 characters",
            "write a duration such as",
            "known here are title",
            "capacity is requests a second",
            "unknown field `threds`",
            "write what happens",
            "slow is how many times",
            "expected f64",
            "follow one another in time",
            "unknown variant `everywhere`",
            "unknown field `thnk`",
            "keep one of visit",
            "write a share between 0 and 1",
        ] {
            assert!(wrong.contains(says), "{says} is missing in\n{wrong}");
        }
    }

    #[test]
    fn broken_toml_is_said_with_its_line_and_without_mistakes_that_follow_from_it() {
        let wrong = scenario("title = \"a\"\nlasts = = 1\n", "x.toml").unwrap_err();
        assert!(
            wrong.list.iter().all(|mistake| mistake.line == 2),
            "{wrong}"
        );
    }
}
