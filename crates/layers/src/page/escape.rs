//! Text from elsewhere, made harmless where it is spliced in.

/// Appends `text` as HTML text or as the value of a quoted attribute.
pub(super) fn html(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            other => out.push(other),
        }
    }
}

/// `text` as HTML text or as the value of a quoted attribute.
pub(super) fn html_string(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    html(text, &mut out);
    String::from_utf8(out).expect("only ASCII was replaced, by ASCII")
}

/// Appends `text` as a query's value: everything but RFC 3986's unreserved characters is encoded,
/// so that no further escaping is needed.
pub(super) fn query(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte);
        } else {
            out.push(b'%');
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_place() {
        assert_eq!(
            html_string(r#"<a b="c&d" e='f'>é"#),
            "&lt;a b=&quot;c&amp;d&quot; e=&#39;f&#39;&gt;é"
        );
        let mut out = Vec::new();
        query("a-b&c=\"é", &mut out);
        assert_eq!(out, b"a-b%26c%3D%22%C3%A9");
    }
}
