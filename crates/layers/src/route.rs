//! Which route a request takes: host, path and method patterns, first match in file order.

use http::Method;

/// A host pattern, lower case: exact, or `*.example`, which stands for any subdomain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// This host alone.
    Exact(String),
    /// Any subdomain of this one; kept with its leading dot.
    Subdomains(String),
}

impl HostPattern {
    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => host.eq_ignore_ascii_case(name),
            Self::Subdomains(suffix) => host
                .len()
                .checked_sub(suffix.len())
                .filter(|start| *start > 0)
                .and_then(|start| host.get(start..))
                .is_some_and(|end| end.eq_ignore_ascii_case(suffix)),
        }
    }
}

/// A path pattern: exact, or `/apply/*`, which stands for `/apply` and all below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPattern {
    /// This path alone.
    Exact(String),
    /// This path, without a slash at its end, and all below it.
    Below(String),
}

impl PathPattern {
    /// Whether a path, without query, matches; compared byte by byte.
    pub(crate) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Below(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

/// What a request has to look like; what is not said matches everything.
#[derive(Clone, Debug, Default)]
pub struct Pattern {
    /// The host.
    pub host: Option<HostPattern>,
    /// The path.
    pub path: Option<PathPattern>,
    /// The methods.
    pub methods: Option<Vec<Method>>,
}

/// What came of looking for a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The first route that matches, by its index.
    Route(usize),
    /// Routes name this host, but none this path and method.
    NoRoute,
    /// No route names this host.
    UnknownHost,
}

/// The routes in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Router(Vec<Pattern>);

impl Router {
    /// A router over these patterns.
    #[must_use]
    pub const fn new(patterns: Vec<Pattern>) -> Self {
        Self(patterns)
    }

    /// The route for a host (without port; empty when none was sent), path and method.
    #[must_use]
    pub fn find(&self, host: &str, path: &str, method: &Method) -> Found {
        let mut known = false;
        for (index, pattern) in self.0.iter().enumerate() {
            if pattern
                .host
                .as_ref()
                .is_some_and(|wanted| !wanted.matches(host))
            {
                continue;
            }
            known = true;
            let path_fits = pattern
                .path
                .as_ref()
                .is_none_or(|wanted| wanted.matches(path));
            let method_fits = pattern
                .methods
                .as_ref()
                .is_none_or(|methods| methods.contains(method));
            if path_fits && method_fits {
                return Found::Route(index);
            }
        }
        if known {
            Found::NoRoute
        } else {
            Found::UnknownHost
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        let exact = |host: &str| Some(HostPattern::Exact(host.to_owned()));
        Router::new(vec![
            Pattern {
                host: exact("apply.example"),
                path: Some(PathPattern::Below("/apply".to_owned())),
                methods: Some(vec![Method::GET]),
            },
            Pattern {
                host: Some(HostPattern::Subdomains(".example".to_owned())),
                path: Some(PathPattern::Exact("/robots.txt".to_owned())),
                methods: None,
            },
        ])
    }

    #[test]
    fn the_first_route_that_matches_is_taken() {
        let cases = [
            ("apply.example", "/apply", Method::GET, Found::Route(0)),
            ("APPLY.example", "/apply/1", Method::GET, Found::Route(0)),
            ("apply.example", "/applying", Method::GET, Found::NoRoute),
            ("apply.example", "/apply/1", Method::POST, Found::NoRoute),
            ("apply.example", "/robots.txt", Method::GET, Found::Route(1)),
            ("www.example", "/robots.txt", Method::GET, Found::Route(1)),
            ("example", "/robots.txt", Method::GET, Found::UnknownHost),
            (".example", "/robots.txt", Method::GET, Found::UnknownHost),
            ("", "/", Method::GET, Found::UnknownHost),
        ];
        for (host, path, method, expected) in cases {
            assert_eq!(
                router().find(host, path, &method),
                expected,
                "{host} {path}"
            );
        }
    }
}
