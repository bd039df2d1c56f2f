//! Which of our languages a visitor reads (RFC 9110 section 12.5.4, RFC 4647 section 3.3.1).

/// Index of the language of `ours` that an `Accept-Language` value prefers; none when the header
/// names none of them or several equally by `*`.
///
/// A range stands for our language when its first subtag is ours, so `fr-CA` gets `fr`; `*` stands
/// for every language that no other range names. Between equals the one named first counts.
pub(super) fn preferred(accept_language: &str, ours: &[impl AsRef<str>]) -> Option<usize> {
    let mut named = vec![None; ours.len()];
    let mut any = 0;
    for (place, (range, quality)) in accept_language.split(',').filter_map(range).enumerate() {
        if range == "*" {
            any = quality;
        }
        let primary = range.split('-').next().unwrap_or_default();
        if let Some(index) = ours
            .iter()
            .position(|tag| tag.as_ref().eq_ignore_ascii_case(primary))
        {
            let (best, _) = named[index].get_or_insert((0, place));
            *best = quality.max(*best);
        }
    }
    let wished = |index: usize| named[index].unwrap_or((any, usize::MAX));
    let best = (0..ours.len()).max_by_key(|&index| {
        let (quality, place) = wished(index);
        (quality, std::cmp::Reverse(place))
    })?;
    let alone = (0..ours.len()).all(|index| index == best || wished(index) != wished(best));
    (wished(best).0 > 0 && alone).then_some(best)
}

/// One element: its range and its quality in thousandths; none when it is malformed.
fn range(element: &str) -> Option<(&str, u16)> {
    let (range, parameter) = match element.split_once(';') {
        Some((range, parameter)) => (range, Some(parameter.trim())),
        None => (element, None),
    };
    let range = range.trim();
    if range.is_empty() {
        return None;
    }
    let quality = match parameter {
        None => 1_000,
        Some(parameter) => quality(
            parameter
                .strip_prefix(['q', 'Q'])?
                .trim_start()
                .strip_prefix('=')?,
        )?,
    };
    Some((range, quality))
}

/// `qvalue` of RFC 9110 section 12.4.2 in thousandths.
fn quality(text: &str) -> Option<u16> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_most_wished_for_is_chosen() {
        let cases = [
            ("en", Some(0)),
            ("fr", Some(1)),
            ("FR-ca, en;q=0.8", Some(1)),
            ("en-US,en;q=0.9,fr;q=0.8", Some(0)),
            ("en;q=0.5, fr;q=0.9", Some(1)),
            ("de, fr;q=0.1", Some(1)),
            ("fr, en", Some(1)),
            ("fr;q=0.3, en;q=0.3", Some(1)),
            ("en ; q = 0.2 , fr ; q=0.201", Some(1)),
            ("fr-CA;q=0.2, en;q=0.5, fr;q=0.9", Some(1)),
            ("en;q=0.5, *", Some(1)),
            ("fr;q=0, *", Some(0)),
            ("frisian, en;q=0.1", Some(0)),
            ("fr;q=2, en;q=0.1", Some(0)),
            ("fr;level=1, en;q=0.1", Some(0)),
            ("", None),
            ("*", None),
            ("de", None),
            ("de, *;q=0.5", None),
            ("fr;q=0", None),
            ("en;q=0.0, fr;q=0.000", None),
            (";;;,,=", None),
        ];
        for (header, expected) in cases {
            assert_eq!(preferred(header, &["en", "fr"]), expected, "{header}");
        }
    }
}
