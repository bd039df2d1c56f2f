//! `[[route]]`.

use super::{HostName, RouteCache};
use crate::checked::{HostPattern, PathPattern, RoutePriority};
use crate::read::{At, FromText, NoneWord, Or, Word, Wrong, table};

table! {
    /// Which requests go where. A key that is missing matches everything.
    Route, later [], {
        /// A host, or "*.example" for every host below it.
        host: HostPattern = optional,
        /// A path, or "/apply/*" for "/apply" and everything below it.
        path: PathPattern = optional,
        /// Methods in upper case.
        methods: Vec<At<Method>> = optional,
        /// Name of the origin; may be missing where there is only one.
        origin: String = optional,
        /// Name of the waiting room, or "none".
        room: Or<NoneWord, String> = "'main'",
        /// Name of the quota, or "none".
        quota: Or<NoneWord, String> = "'client'",
        /// One class up or down in the short queue, never into the first two.
        priority: RoutePriority = "'normal'",
        /// Whether answers to GETs without cookies are kept for everybody;
        /// `{}` for what the origin calls fresh. Missing: none is kept.
        cache: RouteCache = optional,
    }
}

/// A method that may be routed.
#[derive(Debug, Clone)]
pub(crate) struct Method(pub(crate) String);

impl FromText for Method {
    const WRITE: &'static str = "write one such as \"GET\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        if matches!(text, "CONNECT" | "TRACE") {
            return Err(Wrong::new("which Forebay never forwards", "leave it out"));
        }
        if text.is_empty()
            || !text
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
        {
            return Err(Wrong::new("which is no method", Self::WRITE));
        }
        // Methods are case-sensitive (RFC 9110, section 9.1).
        let upper = text.to_ascii_uppercase();
        if upper != text {
            return Err(Wrong::new("with small letters", format!("write {upper:?}")));
        }
        Ok(Self(upper))
    }
}

impl FromText for HostPattern {
    const WRITE: &'static str = "write a host such as \"apply.example\" or \"*.example\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        if text == "*" {
            return Err(Wrong::new("which every host is", "leave the key out"));
        }
        let (name, below) = text
            .strip_prefix("*.")
            .map_or((text, false), |name| (name, true));
        match HostName::parse(name) {
            Some(HostName { host, port: None }) if below => Ok(Self::Below(format!(".{host}"))),
            Some(HostName { host, port: None }) => Ok(Self::Exact(host)),
            Some(_) => Err(Wrong::new("with a port", "leave the port out")),
            None => Err(Wrong::new("which is no host", Self::WRITE)),
        }
    }
}

impl FromText for PathPattern {
    const WRITE: &'static str = "write a path such as \"/apply\" or \"/apply/*\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = |what: &str| Wrong::new(what, Self::WRITE);
        if !text.starts_with('/') {
            return Err(wrong("which does not begin with \"/\""));
        }
        if text.contains(['?', '#']) {
            return Err(wrong("which goes on behind the path"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong(
                "which has characters that a request has percent-encoded",
            ));
        }
        let (path, below) = text
            .strip_suffix("/*")
            .map_or((text, false), |path| (path, true));
        if path.contains('*') {
            return Err(wrong("where \"*\" is not the last segment"));
        }
        let path = path.to_owned();
        Ok(if below {
            Self::Below(path)
        } else {
            Self::Exact(path)
        })
    }
}

impl Word for RoutePriority {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("high", Self::High),
        ("normal", Self::Normal),
        ("low", Self::Low),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_the_path_itself_and_what_is_below_it() {
        let cases = [
            ("/apply/*", "/apply", true),
            ("/apply/*", "/apply/", true),
            ("/apply/*", "/apply/now", true),
            ("/apply/*", "/applying", false),
            ("/*", "/", true),
            ("/*", "/anything", true),
            ("/apply", "/apply", true),
            ("/apply", "/apply/", false),
        ];
        for (pattern, path, expected) in cases {
            let parsed = PathPattern::parse(pattern).expect("the patterns are right");
            assert_eq!(parsed.matches(path), expected, "{pattern} {path}");
        }
        for wrong in ["apply", "/a/*/b", "/a*", "/a?b", "/a b", "/é", ""] {
            assert!(PathPattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_matches_in_any_case_and_a_star_takes_names_below_only() {
        let cases = [
            ("Apply.example", "apply.EXAMPLE", true),
            ("apply.example", "www.apply.example", false),
            ("*.example", "apply.example", true),
            ("*.example", "a.b.Example", true),
            ("*.example", "example", false),
            ("*.example", ".example", false),
            ("*.example", "badexample", false),
            ("[::1]", "[::1]", true),
        ];
        for (pattern, host, expected) in cases {
            let parsed = HostPattern::parse(pattern).expect("the patterns are right");
            assert_eq!(parsed.matches(host), expected, "{pattern} {host}");
        }
        for wrong in ["*", "a.example:80", "http://a", "a.*.example", "", "*."] {
            assert!(HostPattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_method_is_in_upper_case() {
        assert!(Method::parse("GET").is_ok());
        for wrong in ["get", "GET,POST", "", "TRACE", "CONNECT"] {
            assert!(Method::parse(wrong).is_err(), "{wrong}");
        }
    }
}
