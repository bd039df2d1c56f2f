//! A visitor's place in line, as the page or the status tells it, and whether it was kept.

use std::time::Duration;

use memchr::{memchr, memmem};
use serde::Deserialize;

use crate::waits::Estimate;

/// What a visitor in line is told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Told {
    /// `open`, `queueing`, `called` or `closed`.
    pub(crate) state: String,
    /// People ahead; None while it is not known.
    #[serde(default)]
    pub(crate) ahead: Option<u64>,
    /// How long the wait is said to be.
    #[serde(default)]
    pub(crate) eta_seconds: Option<Eta>,
    /// When to ask again.
    #[serde(default, rename = "poll_after_seconds")]
    pub(crate) poll_after: Option<f64>,
    /// What identifies the place.
    #[serde(default)]
    pub(crate) reference: Option<String>,
}

/// What a waiting page tells programs, in the attributes of its `main` element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    /// `data-state`, `data-ahead`, `data-poll` and `data-reference`.
    pub(crate) told: Told,
    /// `data-status`: where the page's script asks.
    pub(crate) status: Option<String>,
    /// `data-counting`: the script is to ask at once, which makes the place count.
    pub(crate) counting: bool,
    /// `data-form`: a form was held, which is sent again by hand only.
    pub(crate) form: bool,
    /// What a browser without a script asks for at once, which makes the place count.
    pub(crate) here: Option<String>,
}

/// How long a wait is said to be, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) struct Eta {
    p50: f64,
    p90: f64,
}

impl Told {
    /// How long the wait is said to be.
    pub(crate) fn estimate(&self) -> Option<Estimate> {
        let eta = self.eta_seconds?;
        Some(Estimate {
            likely: Duration::try_from_secs_f64(eta.p50).ok()?,
            hardly_more: Duration::try_from_secs_f64(eta.p90).ok()?,
        })
    }

    /// Whether the visitor may go in now.
    pub(crate) fn may_enter(&self) -> bool {
        self.state == "open" || self.state == "called"
    }
}

/// Reads the JSON of the status.
pub(crate) fn in_status(body: &[u8]) -> Option<Told> {
    serde_json::from_slice(body).ok()
}

/// Whether `body` is a waiting page: its `main` element has `data-state` or `data-ahead`, and
/// not the `data-retry` of the "one moment" page.
pub(crate) fn is_page(body: &[u8]) -> bool {
    main_of(body).is_some_and(is_waiting)
}

/// Reads a waiting page.
pub(crate) fn in_page(body: &[u8]) -> Option<Page> {
    let main = main_of(body).filter(|main| is_waiting(main))?;
    let told = Told {
        state: attribute(main, " data-state=\"")
            .unwrap_or("queueing")
            .to_owned(),
        ahead: attribute(main, " data-ahead=\"").and_then(|ahead| ahead.parse().ok()),
        eta_seconds: None,
        poll_after: seconds(main, " data-poll=\""),
        reference: attribute(main, " data-reference=\"").map(str::to_owned),
    };
    Some(Page {
        told,
        status: attribute(main, " data-status=\"").map(unescaped),
        counting: main.contains(" data-counting"),
        form: main.contains(" data-form"),
        here: here_of(body),
    })
}

/// After how many seconds the "one moment" page tries again, if `body` is that page.
pub(crate) fn busy_in_page(body: &[u8]) -> Option<f64> {
    seconds(main_of(body)?, BUSY)
}

/// What marks the "one moment" page, which says "called" as well.
const BUSY: &str = " data-retry=\"";

/// Before the address of the style sheet by which a page without a script is counted.
const HERE: &[u8] = b"<noscript><link rel=\"stylesheet\" href=\"";

/// The start of the page's `main` element with its attributes; none without any.
fn main_of(body: &[u8]) -> Option<&str> {
    let begin = memmem::find(body, b"<main ")?;
    let end = memchr(b'>', &body[begin..])?;
    std::str::from_utf8(&body[begin..begin + end]).ok()
}

fn is_waiting(main: &str) -> bool {
    let marked = main.contains(" data-state=\"") || main.contains(" data-ahead=\"");
    marked && !main.contains(BUSY)
}

fn here_of(body: &[u8]) -> Option<String> {
    let address = &body[memmem::find(body, HERE)? + HERE.len()..];
    let end = memchr(b'"', address)?;
    std::str::from_utf8(&address[..end]).ok().map(unescaped)
}

fn unescaped(text: &str) -> String {
    text.replace("&amp;", "&")
}

fn seconds(tag: &str, name: &str) -> Option<f64> {
    let seconds: f64 = attribute(tag, name)?.parse().ok()?;
    seconds.is_finite().then_some(seconds)
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_before, value) = tag.split_once(name)?;
    Some(value.split_once('"')?.0)
}

/// What a visitor remembers of the place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    least: Option<u64>,
    reference: Option<String>,
}

impl Place {
    /// Takes note of what is told; true when the place was lost: a larger number
    /// than before, or another reference, as if the visitor had just come.
    pub(crate) fn note(&mut self, told: &Told) -> bool {
        let larger =
            matches!((self.least, told.ahead), (Some(least), Some(ahead)) if ahead > least);
        // Once inside, the reference is the pass's and no place in line.
        let reference = told
            .reference
            .as_ref()
            .filter(|_reference| told.state != "open");
        let renewed = matches!((&self.reference, reference), (Some(old), Some(new)) if old != new);
        // The loss is noted once; from here on the new place counts.
        if told.ahead.is_some() {
            self.least = told.ahead;
        }
        if let Some(reference) = reference {
            self.reference = Some(reference.clone());
        }
        larger || renewed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ahead: Option<u64>, reference: &str) -> Told {
        let reference = Some(reference.to_owned());
        Told {
            state: "queueing".to_owned(),
            ahead,
            eta_seconds: None,
            poll_after: None,
            reference,
        }
    }

    #[test]
    fn a_place_is_lost_by_a_larger_number_or_another_reference_only() {
        let mut place = Place::default();
        for (ahead, reference, lost) in [
            (None, "a", false),
            (Some(10), "a", false),
            (Some(10), "a", false),
            (Some(3), "a", false),
            (None, "a", false),
            (Some(4), "a", true),
            (Some(4), "a", false),
            (Some(4), "b", true),
            (Some(0), "b", false),
        ] {
            assert_eq!(
                place.note(&told(ahead, reference)),
                lost,
                "{ahead:?} {reference}"
            );
        }
    }

    #[test]
    fn the_reference_of_who_may_enter_at_last_is_no_other_place() {
        let mut place = Place::default();
        assert!(!place.note(&told(Some(1), "a")));
        let inside = Told {
            state: "open".to_owned(),
            ..told(Some(0), "pass")
        };
        assert!(!place.note(&inside));
        assert!(
            !place.note(&told(Some(0), "a")),
            "the place itself is still the same"
        );
        assert!(
            place.note(&told(Some(1), "a")),
            "back in line, behind somebody"
        );
    }

    #[test]
    fn page_and_status_tell_the_same_place() {
        let page = b"<main data-state=\"queueing\" data-ahead=\"12\">";
        let status = br#"{"room":"main","state":"queueing","ahead":12,"eta_seconds":null,
            "poll_after_seconds":1.5,"reference":"x"}"#;
        assert_eq!(in_page(page).unwrap().told.ahead, Some(12));
        let told = in_status(status).unwrap();
        assert_eq!(
            (told.ahead, told.poll_after, told.may_enter()),
            (Some(12), Some(1.5), false)
        );
        let unknown = in_page(b"<main data-state=\"queueing\" data-ahead=\"\">").unwrap();
        assert_eq!(unknown.told.ahead, None);
    }

    #[test]
    fn the_page_says_what_its_script_and_a_browser_without_one_do() {
        let page = b"<body><main data-state=\"queueing\" data-ahead=\"\" data-poll=\"2\" \
            data-reference=\"AB\" data-status=\"/__forebay/status?room=a&amp;x\" data-site=\"\" \
            data-counting data-form>\n<noscript><link rel=\"stylesheet\" \
            href=\"/__forebay/here.css?room=a\"></noscript>";
        let page = in_page(page).unwrap();
        assert_eq!(page.status.as_deref(), Some("/__forebay/status?room=a&x"));
        assert_eq!(page.here.as_deref(), Some("/__forebay/here.css?room=a"));
        assert_eq!(
            (page.counting, page.form, page.told.poll_after),
            (true, true, Some(2.0))
        );
    }

    #[test]
    fn only_the_rooms_own_pages_are_taken_for_them() {
        for (page, waiting, busy) in [
            (&b"<main data-state=\"closed\">"[..], true, None),
            (
                b"<main data-state=\"called\" data-retry=\"3\">",
                false,
                Some(3.0),
            ),
            (b"<main>an ordinary page</main>", false, None),
            (
                b"<main id=\"x\"><p data-state=\"open\">a widget</p></main>",
                false,
                None,
            ),
            (b"<main data-state=\"cut off", false, None),
            (b"", false, None),
        ] {
            let text = String::from_utf8_lossy(page);
            assert_eq!(
                (is_page(page), busy_in_page(page)),
                (waiting, busy),
                "{text}"
            );
            assert_eq!(in_page(page).is_some(), waiting, "{text}");
        }
    }
}
