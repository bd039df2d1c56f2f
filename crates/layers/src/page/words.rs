//! Numbers and times as people of one language write them.

use std::time::Duration;

use super::catalogue::Catalogue;
use super::escape;
use super::waiting::WaitState;

/// What is needed of a language while a page is being filled. Texts are escaped already.
#[derive(Clone, Debug)]
pub(super) struct Words {
    thousands: String,
    /// How many digits stand together above the lowest three: two in India.
    group: usize,
    hours: String,
    minutes: String,
    seconds: String,
    counting: String,
    unknown: String,
    by_lot: String,
    under_minute: String,
    title_ahead: (String, String),
    waiting_heading: String,
    called_heading: String,
    closed_heading: String,
    maintenance_heading: String,
    early_heading: String,
    error_when: (String, String),
    pub(super) error_unsent: String,
    pub(super) error_unsure: String,
}

impl Words {
    /// Takes the words from a catalogue; the key of a missing one otherwise.
    pub(super) fn of(catalogue: &Catalogue) -> Result<Self, &'static str> {
        let text = |key: &'static str| catalogue.text(key).map(escape::html_string).ok_or(key);
        let around = |key: &'static str| {
            let text = catalogue.text(key).ok_or(key)?;
            let (before, after) = text.split_once('%').ok_or(key)?;
            Ok::<_, &'static str>((escape::html_string(before), escape::html_string(after)))
        };
        if !matches!(catalogue.text("dir"), Some("ltr" | "rtl")) {
            return Err("dir");
        }
        Ok(Self {
            thousands: text("thousands")?,
            group: match catalogue.text("group") {
                Some("2") => 2,
                Some("3") => 3,
                _ => return Err("group"),
            },
            hours: text("hours")?,
            minutes: text("minutes")?,
            seconds: text("seconds")?,
            counting: text("counting")?,
            unknown: text("unknown")?,
            by_lot: text("by_lot")?,
            under_minute: text("under_minute")?,
            title_ahead: around("title_ahead")?,
            waiting_heading: text("waiting_heading")?,
            called_heading: text("called_heading")?,
            closed_heading: text("closed_heading")?,
            maintenance_heading: text("maintenance_heading")?,
            early_heading: text("early_heading")?,
            error_when: around("error_when")?,
            error_unsent: text("error_unsent")?,
            error_unsure: text("error_unsure")?,
        })
    }

    /// `1,248`, `1 248`, or words while it is being counted, drawn by lot, or not known.
    pub(super) fn ahead(
        &self,
        ahead: Option<u32>,
        (counting, drawn): (bool, bool),
        out: &mut Vec<u8>,
    ) {
        match ahead {
            Some(number) => self.number(number, out),
            None if drawn => out.extend_from_slice(self.by_lot.as_bytes()),
            None if counting => out.extend_from_slice(self.counting.as_bytes()),
            None => out.extend_from_slice(self.unknown.as_bytes()),
        }
    }

    /// `4–7 min`, `55 min – 1 h 10 min`, or words. The script on the page says it the same way.
    pub(super) fn wait(&self, eta: Option<(Duration, Duration)>, out: &mut Vec<u8>) {
        let Some((likely, hardly_more)) = eta else {
            out.extend_from_slice(self.unknown.as_bytes());
            return;
        };
        if hardly_more < Duration::from_secs(60) {
            out.extend_from_slice(self.under_minute.as_bytes());
            return;
        }
        let low = (likely.as_secs().saturating_add(30) / 60).max(1);
        let high = hardly_more.as_secs().div_ceil(60).max(low);
        if rounded(low) == rounded(high) {
            self.clock(high, out);
        } else if high < 60 {
            decimal(low, out);
            out.extend_from_slice("–".as_bytes());
            self.clock(high, out);
        } else {
            self.clock(low, out);
            out.extend_from_slice(" – ".as_bytes());
            self.clock(high, out);
        }
    }

    /// The title of somebody in line: how many are ahead comes first, for narrow tabs.
    pub(super) fn title(&self, state: WaitState, ahead: Option<u32>, out: &mut Vec<u8>) {
        if let (Some(number), WaitState::Queueing) = (ahead, state) {
            out.extend_from_slice(self.title_ahead.0.as_bytes());
            self.number(number, out);
            out.extend_from_slice(self.title_ahead.1.as_bytes());
            out.extend_from_slice(" – ".as_bytes());
        }
        let heading = match state {
            WaitState::Queueing => &self.waiting_heading,
            WaitState::Called => &self.called_heading,
            WaitState::Closed => &self.closed_heading,
            WaitState::Maintenance => &self.maintenance_heading,
            WaitState::Early(_) => &self.early_heading,
        };
        out.extend_from_slice(heading.as_bytes());
    }

    /// "Please try again in 20 s."
    pub(super) fn try_again_in(&self, time: Duration, out: &mut Vec<u8>) {
        out.extend_from_slice(self.error_when.0.as_bytes());
        match time.as_secs() {
            seconds @ 0..60 => {
                decimal(seconds.max(1), out);
                out.extend_from_slice(self.seconds.as_bytes());
            }
            seconds => self.clock(seconds.div_ceil(60), out),
        }
        out.extend_from_slice(self.error_when.1.as_bytes());
    }

    /// Appends minutes as `12 min`, and from an hour on as `1 h 20 min` in steps of five minutes:
    /// signs that need no plurals.
    pub(super) fn clock(&self, minutes: u64, out: &mut Vec<u8>) {
        let minutes = rounded(minutes);
        let (hours, minutes) = if minutes < 60 {
            (0, minutes)
        } else {
            (minutes / 60, minutes % 60)
        };
        if hours > 0 {
            decimal(hours, out);
            out.extend_from_slice(self.hours.as_bytes());
        }
        if hours > 0 && minutes > 0 {
            out.extend_from_slice("\u{a0}".as_bytes());
        }
        if hours == 0 || minutes > 0 {
            decimal(minutes, out);
            out.extend_from_slice(self.minutes.as_bytes());
        }
    }

    fn number(&self, number: u32, out: &mut Vec<u8>) {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number).as_bytes();
        let (above, lowest) = digits.split_at(digits.len().saturating_sub(3));
        let (first, groups) = above.split_at(above.len() % self.group);
        let parts = [first].into_iter().chain(groups.chunks(self.group));
        for part in parts.filter(|part| !part.is_empty()) {
            out.extend_from_slice(part);
            out.extend_from_slice(self.thousands.as_bytes());
        }
        out.extend_from_slice(lowest);
    }
}

/// From an hour on nobody can promise a minute.
const fn rounded(minutes: u64) -> u64 {
    if minutes < 60 {
        minutes
    } else {
        minutes.saturating_add(2) / 5 * 5
    }
}

/// Appends a plain number.
pub(super) fn decimal(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Words {
        Words::of(&Catalogue::parse(source).unwrap()).unwrap()
    }

    fn english() -> Words {
        words(include_str!("../../../../config/pages/en.toml"))
    }

    fn said(say: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        say(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_grouped_as_the_language_does() {
        let french = words(include_str!("../../../../config/pages/fr.toml"));
        let hindi = words(include_str!("../../../../config/pages/hi.toml"));
        let cases = [
            (0, "0", "0", "0"),
            (999, "999", "999", "999"),
            (1_000, "1,000", "1\u{202f}000", "1,000"),
            (123_456, "123,456", "123\u{202f}456", "1,23,456"),
            (
                u32::MAX,
                "4,294,967,295",
                "4\u{202f}294\u{202f}967\u{202f}295",
                "4,29,49,67,295",
            ),
        ];
        for (number, en, fr, hi) in cases {
            let counting = (true, true);
            assert_eq!(said(|out| english().ahead(Some(number), counting, out)), en);
            assert_eq!(said(|out| french.ahead(Some(number), counting, out)), fr);
            assert_eq!(said(|out| hindi.ahead(Some(number), counting, out)), hi);
        }
        let unknown = [
            ((true, false), "counting…"),
            ((false, false), "not known yet"),
            ((true, true), "decided by lot"),
        ];
        for (why, expected) in unknown {
            assert_eq!(said(|out| english().ahead(None, why, out)), expected);
        }
    }

    #[test]
    fn a_wait_is_a_band_that_promises_no_more_than_is_known() {
        let cases = [
            (0, 59, "less than a minute"),
            (10, 60, "1\u{a0}min"),
            (240, 400, "4–7\u{a0}min"),
            (500, 300, "8\u{a0}min"),
            (3_300, 4_150, "55\u{a0}min – 1\u{a0}h\u{a0}10\u{a0}min"),
            (3_480, 3_600, "58\u{a0}min – 1\u{a0}h"),
            (7_100, 7_200, "2\u{a0}h"),
        ];
        for (p50, p90, expected) in cases {
            let eta = Some((Duration::from_secs(p50), Duration::from_secs(p90)));
            assert_eq!(
                said(|out| english().wait(eta, out)),
                expected,
                "{p50} {p90}"
            );
        }
        assert_eq!(said(|out| english().wait(None, out)), "not known yet");
    }

    #[test]
    fn trying_again_has_a_time() {
        let cases = [(0, "1\u{a0}s"), (59, "59\u{a0}s"), (61, "2\u{a0}min")];
        for (seconds, expected) in cases {
            let text = said(|out| english().try_again_in(Duration::from_secs(seconds), out));
            assert_eq!(text, format!("Please try again in {expected}."));
        }
    }
}
