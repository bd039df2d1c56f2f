//! JSON written field by field into a buffer: the one place that escapes.
//!
//! Used for the access log, the room's status and `application/problem+json`, where a line or an
//! answer is a handful of known fields. Nothing is allocated but the buffer's own growth.

/// An open object. Fields come out in the order in which they are written; keys are ours, and
/// written as they are.
#[derive(Debug)]
pub struct JsonWriter<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> JsonWriter<'a> {
    /// Appends one object to `out`, with the fields that `fill` writes.
    pub fn object(out: &'a mut Vec<u8>, fill: impl FnOnce(&mut JsonWriter<'_>)) {
        out.push(b'{');
        fill(&mut JsonWriter {
            out: &mut *out,
            first: true,
        });
        out.push(b'}');
    }

    /// A text.
    pub fn str(&mut self, key: &str, value: &str) {
        self.key(key);
        self.out.push(b'"');
        escape(self.out, value);
        self.out.push(b'"');
    }

    /// Bytes that should be text; what is not UTF-8 becomes U+FFFD.
    pub fn bytes(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.out.push(b'"');
        for chunk in value.utf8_chunks() {
            escape(self.out, chunk.valid());
            if !chunk.invalid().is_empty() {
                self.out.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
        self.out.push(b'"');
    }

    /// Whatever prints itself without a character that JSON escapes: addresses, identifiers.
    ///
    /// Everything else goes through [`str`](Self::str).
    pub fn plain(&mut self, key: &str, value: impl std::fmt::Display) {
        use std::io::Write as _;
        self.key(key);
        self.out.push(b'"');
        let start = self.out.len();
        write!(self.out, "{value}").expect("writing to a vector cannot fail");
        debug_assert!(
            self.out[start..].iter().all(|byte| !escapes(*byte)),
            "{value} is plain"
        );
        self.out.push(b'"');
    }

    /// A whole number.
    pub fn u64(&mut self, key: &str, value: u64) {
        self.key(key);
        self.out
            .extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// Thousandths as a number with at most three digits after the point: 1500 is written `1.5`.
    pub fn thousandths(&mut self, key: &str, value: u64) {
        self.u64(key, value / 1_000);
        let rest = value % 1_000;
        if rest > 0 {
            let digits = [b'.', digit(rest / 100), digit(rest / 10), digit(rest)];
            let kept = digits.iter().rposition(|byte| *byte != b'0').unwrap_or(0);
            self.out.extend_from_slice(&digits[..=kept]);
        }
    }

    /// A number, rounded to three digits after the point; `null` when it is not finite.
    pub fn f64(&mut self, key: &str, value: f64) {
        use std::io::Write as _;
        if !value.is_finite() {
            return self.null(key);
        }
        self.key(key);
        let rounded = (value * 1_000.0).round() / 1_000.0;
        let shown = if rounded.is_finite() { rounded } else { value };
        write!(self.out, "{shown}").expect("writing to a vector cannot fail");
    }

    /// `true` or `false`.
    pub fn bool(&mut self, key: &str, value: bool) {
        self.key(key);
        self.out
            .extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// `null`.
    pub fn null(&mut self, key: &str) {
        self.key(key);
        self.out.extend_from_slice(b"null");
    }

    /// An object within.
    pub fn nested(&mut self, key: &str, fill: impl FnOnce(&mut JsonWriter<'_>)) {
        self.key(key);
        JsonWriter::object(self.out, fill);
    }

    /// A list of objects within, one for each item.
    pub fn list<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut JsonWriter<'_>, T),
    ) {
        self.key(key);
        self.out.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            JsonWriter::object(self.out, |object| fill(object, item));
        }
        self.out.push(b']');
    }

    fn key(&mut self, key: &str) {
        debug_assert!(
            key.bytes().all(|byte| !escapes(byte)),
            "keys are plain: {key}"
        );
        // Room for all of it at once: the appends below then only copy.
        self.out.reserve(key.len() + 4);
        self.out
            .extend_from_slice(if self.first { b"\"" } else { b",\"" });
        self.first = false;
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

const fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

/// What RFC 8259 section 7 has escaped, and `<`, so that JSON can stand within a page's script
/// without ending it.
const fn escapes(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\' | b'<' | 0x7f)
}

/// [`escapes`] for each byte: most of a log line's time goes into looking at its bytes.
const ESCAPES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = escapes(byte as u8);
        byte += 1;
    }
    table
};

fn escape(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| ESCAPES[usize::from(*byte)]) {
        out.extend_from_slice(&rest[..at]);
        escaped(out, rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

fn escaped(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            let hex = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[hex(byte >> 4), hex(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// What comes out, as text.
    fn written(fill: impl FnOnce(&mut JsonWriter<'_>)) -> String {
        let mut out = Vec::new();
        JsonWriter::object(&mut out, fill);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_object_is_written_field_by_field() {
        let text = written(|object| {
            object.str("state", "queueing");
            object.u64("ahead", u64::MAX);
            object.null("reference");
            object.bool("hidden", false);
            object.nested("eta_seconds", |eta| {
                eta.f64("p50", 1.23456);
                eta.f64("p90", f64::INFINITY);
            });
            object.nested("empty", |_| {});
            object.list("rooms", ["a", "b"], |room, name| room.str("name", name));
            object.plain("client", std::net::Ipv6Addr::LOCALHOST);
        });
        let expected = r#"{"state":"queueing","ahead":18446744073709551615,"reference":null,"hidden":false,"eta_seconds":{"p50":1.235,"p90":null},"empty":{},"rooms":[{"name":"a"},{"name":"b"}],"client":"::1"}"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn thousandths_have_no_zeros_at_the_end() {
        for (value, expected) in [
            (0, "0"),
            (1, "0.001"),
            (10, "0.01"),
            (100, "0.1"),
            (999, "0.999"),
            (1_000, "1"),
            (1_500, "1.5"),
            (1_050, "1.05"),
            (u64::MAX, "18446744073709551.615"),
        ] {
            let text = written(|object| object.thousandths("n", value));
            assert_eq!(text, format!("{{\"n\":{expected}}}"));
        }
    }

    #[test]
    fn nothing_in_a_text_ends_the_text_the_line_or_a_script() {
        let hostile = "a\"b\\c\nd\re\tf\u{0}g\u{1f}h\u{7f}</script><!--";
        let text = written(|object| object.str("text", hostile));
        assert!(
            text.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            "{text}"
        );
        assert!(!text.contains('<'), "{text}");
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({ "text": hostile })
        );
    }

    proptest! {
        #[test]
        fn every_text_is_read_back(text in any::<String>()) {
            let written = written(|object| object.str("text", &text));
            let read: Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(read, json!({ "text": text }));
        }

        #[test]
        fn bytes_are_read_as_a_lossy_decoder_reads_them(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let written = written(|object| object.bytes("text", &bytes));
            let read: Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(read, json!({ "text": String::from_utf8_lossy(&bytes) }));
        }

        #[test]
        fn a_number_is_off_by_half_a_thousandth_at_most(value in -1e12..1e12) {
            let written = written(|object| object.f64("n", value));
            let read: Value = serde_json::from_str(&written).unwrap();
            let read = read["n"].as_f64().unwrap();
            prop_assert!((read - value).abs() <= 0.000_51 + value.abs() * 1e-15);
        }
    }
}
