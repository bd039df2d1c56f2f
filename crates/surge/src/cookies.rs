//! A visitor's cookies: names and values as set, forgotten when told to (RFC 6265).

/// Most cookies one visitor keeps.
const COOKIES_MAX: usize = 50;

/// The cookies of one visitor at one site.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cookies(Vec<(String, String)>);

impl Cookies {
    /// Obeys one `Set-Cookie` field. The path is taken for `/`, and `Secure` for
    /// satisfied, as browsers do on loopback.
    pub(crate) fn set(&mut self, field: &str) {
        let mut parts = field.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let (name, value) = (name.trim(), value.trim());
        self.0.retain(|(known, _)| known != name);
        let forget = parts.any(|attribute| {
            attribute.split_once('=').is_some_and(|(key, seconds)| {
                key.trim().eq_ignore_ascii_case("max-age")
                    && seconds
                        .trim()
                        .parse::<i64>()
                        .is_ok_and(|seconds| seconds <= 0)
            })
        });
        if !forget && self.0.len() < COOKIES_MAX {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Names and values, in the order in which they were set.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The name of the waiting room whose cookie this visitor has.
    pub(crate) fn room(&self) -> Option<&str> {
        self.0
            .iter()
            .find_map(|(name, _)| name.trim_start_matches("__Host-").strip_prefix("forebay-"))
    }
}

#[cfg(test)]
mod tests {
    use super::Cookies;

    #[test]
    fn cookies_are_replaced_and_forgotten_as_told() {
        let mut cookies = Cookies::default();
        let all = |cookies: &Cookies| {
            let pairs = cookies
                .pairs()
                .map(|(name, value)| format!("{name}={value}"));
            pairs.collect::<Vec<_>>().join("; ")
        };
        for field in [
            "a=1; Path=/; HttpOnly",
            "b=2",
            "a=3; Max-Age=60",
            "broken",
            "c=4",
        ] {
            cookies.set(field);
        }
        assert_eq!(all(&cookies), "b=2; a=3; c=4");
        cookies.set("b=; Max-Age=0");
        assert_eq!(all(&cookies), "a=3; c=4");
    }

    #[test]
    fn the_room_is_named_by_its_cookie_with_or_without_the_host_prefix() {
        for field in ["forebay-apply=x", "__Host-forebay-apply=x; Secure"] {
            let mut cookies = Cookies::default();
            cookies.set(field);
            assert_eq!(cookies.room(), Some("apply"));
        }
    }
}
