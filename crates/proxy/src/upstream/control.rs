//! `Forebay-Control`, by which the origin says what is to become of this visitor. It is removed
//! whatever it says, and goes no further.

use forebay_admission::ledger::Whom;
use forebay_layers::exchange::{Exchange, Visitor};
use http::{HeaderMap, HeaderName};

const FOREBAY_CONTROL: HeaderName = HeaderName::from_static("forebay-control");

/// What an origin may say of a visitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Control {
    /// Done: the place inside is free.
    end: bool,
    /// The pass is worth nothing any more, and the visitor a stranger.
    revoke: bool,
}

impl Control {
    /// Takes the header's values out; words that are not known mean nothing.
    fn take(headers: &mut HeaderMap) -> Self {
        let mut said = Self::default();
        if !headers.contains_key(&FOREBAY_CONTROL) {
            return said;
        }
        let lines = headers.get_all(&FOREBAY_CONTROL).iter();
        for line in lines.filter_map(|value| value.to_str().ok()) {
            for word in line.split(',').map(str::trim) {
                said.end |= word.eq_ignore_ascii_case("end-pass");
                said.revoke |= word.eq_ignore_ascii_case("revoke");
            }
        }
        headers.remove(&FOREBAY_CONTROL);
        said
    }
}

/// Does what the origin's answer says. A visitor without a pass has nothing to take away.
pub(super) fn obey(exchange: &Exchange, headers: &mut HeaderMap) {
    let said = Control::take(headers);
    if said == Control::default() {
        return;
    }
    let (Visitor::Inside(pass, _), Some(desk)) = (&exchange.visitor, &exchange.desk) else {
        return;
    };
    if said.revoke {
        desk.register.revoke(Whom::Pass(pass.id), exchange.wall);
        let id = exchange.id.as_str();
        tracing::info!(
            by = "the origin",
            room = &*desk.name,
            id,
            "a pass is revoked"
        );
    }
    desk.room().end(pass);
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_header_is_read_in_all_its_forms_and_always_removed() {
        let control = |end, revoke| Control { end, revoke };
        let cases: [(&[&str], Control); 8] = [
            (&[], control(false, false)),
            (&["end-pass"], control(true, false)),
            (&["Revoke"], control(false, true)),
            (&["end-pass , revoke"], control(true, true)),
            (&["end-pass", "revoke"], control(true, true)),
            (&["something", "revoke"], control(false, true)),
            (&["revoked"], control(false, false)),
            (&[""], control(false, false)),
        ];
        for (lines, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert("x-other", HeaderValue::from_static("stays"));
            for line in lines {
                headers.append(FOREBAY_CONTROL, HeaderValue::from_str(line).unwrap());
            }
            assert_eq!(Control::take(&mut headers), expected, "{lines:?}");
            assert_eq!(headers.len(), 1, "{lines:?}");
        }
    }
}
