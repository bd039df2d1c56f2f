//! A visitor's place in line, as the page or the status tells it, and whether it was kept.

use std::time::Duration;

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
    /// Where the page's script asks; only pages say it.
    #[serde(skip)]
    pub(crate) status: Option<String>,
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

/// Reads what a waiting page tells programs: `data-state`, `data-ahead`, `data-poll`,
/// `data-reference` and `data-status`. One of the first two makes it a waiting page.
pub(crate) fn in_page(body: &[u8]) -> Option<Told> {
    let page = std::str::from_utf8(body).ok()?;
    let state = attribute(page, "data-state=\"");
    let ahead = attribute(page, "data-ahead=\"");
    if state.is_none() && ahead.is_none() {
        return None;
    }
    Some(Told {
        state: state.unwrap_or("queueing").to_owned(),
        ahead: ahead.and_then(|ahead| ahead.parse().ok()),
        eta_seconds: None,
        poll_after: attribute(page, "data-poll=\"").and_then(|poll| poll.parse().ok()),
        reference: attribute(page, "data-reference=\"").map(str::to_owned),
        status: attribute(page, "data-status=\"").map(|path| path.replace("&amp;", "&")),
    })
}

fn attribute<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let (_before, value) = page.split_once(name)?;
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
            status: None,
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
        assert_eq!(in_page(page).unwrap().ahead, Some(12));
        let told = in_status(status).unwrap();
        assert_eq!(
            (told.ahead, told.poll_after, told.may_enter()),
            (Some(12), Some(1.5), false)
        );
        assert_eq!(in_page(b"<main>an ordinary page</main>"), None);
        assert_eq!(
            in_page(b"<main data-state=\"queueing\" data-ahead=\"\">")
                .unwrap()
                .ahead,
            None
        );
    }
}
