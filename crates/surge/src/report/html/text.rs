//! Words and figures in the page.

use crate::words::grouped;

/// Text as HTML: nothing in it is markup any more.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// A time as people say it: `4 ms`, `1.2 s`, `35 s`, `2 min 5 s`.
pub(super) fn time(micros: u64) -> String {
    let seconds = micros as f64 / 1e6;
    match micros {
        0 => "0 ms".to_owned(),
        1..10_000 => format!("{:.1} ms", seconds * 1e3),
        10_000..999_500 => format!("{:.0} ms", seconds * 1e3),
        999_500..9_950_000 => format!("{seconds:.1} s"),
        9_950_000..119_500_000 => format!("{seconds:.0} s"),
        _ => {
            let whole = (micros + 500_000) / 1_000_000;
            format!("{} min {} s", grouped(whole / 60), whole % 60)
        }
    }
}

/// A rate with a digit behind the point only where it is small.
pub(super) fn number(number: f64) -> String {
    let tenths = (number * 10.0).round();
    if number.abs() < 100.0 && tenths % 10.0 != 0.0 {
        format!("{number:.1}")
    } else {
        grouped(number.max(0.0).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let text = r#"<b onclick="x">O'Brien & sons</b>"#;
        let safe = "&lt;b onclick=&quot;x&quot;&gt;O&#39;Brien &amp; sons&lt;/b&gt;";
        assert_eq!(escaped(text), safe);
    }

    #[test]
    fn times_and_numbers_have_the_digits_that_say_something() {
        for (micros, said) in [
            (0, "0 ms"),
            (4_230, "4.2 ms"),
            (42_300, "42 ms"),
            (1_240_000, "1.2 s"),
            (35_400_000, "35 s"),
            (125_000_000, "2 min 5 s"),
            (3_725_000_000, "62 min 5 s"),
        ] {
            assert_eq!(time(micros), said);
        }
        let numbers = [0.0, 0.5, 99.94, 100.0, 1_234.5].map(number);
        assert_eq!(numbers, ["0", "0.5", "99.9", "100", "1,235"]);
    }
}
