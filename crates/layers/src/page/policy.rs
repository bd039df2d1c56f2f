//! The content security policy: nothing runs or is loaded but what the page itself carries.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The header's value for pages with these inline styles and none but these inline scripts (Content
/// Security Policy Level 3, section 6.7.3.3: the hash is over the element's text).
///
/// `data:` is the icon in the page itself; `'self'` in `connect-src` is the room's status, in
/// `style-src` the empty style sheet that a browser without scripts asks for.
pub(super) fn policy(styles: &[&str], scripts: &[&str]) -> String {
    let hashes = |texts: &[&str]| {
        let hashes: Vec<_> = texts.iter().map(|text| hash(text)).collect();
        hashes.join("' '")
    };
    format!(
        "default-src 'none'; style-src 'self' '{}'; script-src '{}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
        hashes(styles),
        hashes(scripts)
    )
}

fn hash(text: &str) -> String {
    format!(
        "sha256-{}",
        STANDARD.encode(digest(&SHA256, text.as_bytes()))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_known_vector() {
        // FIPS 180-2 appendix B.1.
        assert_eq!(
            hash("abc"),
            "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
        );
    }
}
