//! The `Cookie` header: none of ours goes on, all others do, in their order.

use forebay_layers::cookie::{CookieNames, attempts, remove_ours};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::{Shape, Target, rough};

pub(super) const TARGET: Target = Target {
    name: "cookie",
    run,
    seeds,
};

fn seeds() -> Vec<Vec<u8>> {
    let seeds: [&[u8]; 6] = [
        b"forebay-main=abc",
        b"__Host-forebay-main=abc; session=1",
        b"a=1; forebay-main=x; b=2;forebay-other=y ; c",
        b"forebay-~try=abc; forebay-main=def\nb=2",
        b"xforebay-main=1; forebay-; =; ;",
        b"a=\xff; forebay-main=x",
    ];
    seeds.iter().map(|seed| seed.to_vec()).collect()
}

/// What an origin would read: names and values in their order.
fn pairs(headers: &HeaderMap) -> Vec<Vec<u8>> {
    let lines = headers.get_all(COOKIE).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .map(|pair| pair.trim_ascii().to_vec())
        .filter(|pair| !pair.is_empty())
        .collect()
}

fn is_ours(pair: &[u8]) -> bool {
    let name = pair.split(|byte| *byte == b'=').next();
    let name = name.unwrap_or_default().trim_ascii();
    name.starts_with(b"forebay-") || name.starts_with(b"__Host-forebay-")
}

fn run(input: &[u8]) -> Shape {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(COOKIE, value);
        }
    }
    let before = pairs(&headers);
    let names = CookieNames::of("main");
    let values = names.values(&headers).count();
    let tries = attempts(&headers).count();
    remove_ours(&mut headers);
    let after = pairs(&headers);
    let others: Vec<_> = before.iter().filter(|pair| !is_ours(pair)).collect();
    assert_eq!(after.iter().collect::<Vec<_>>(), others, "from {before:?}");
    assert_eq!(names.values(&headers).count(), 0);
    assert_eq!(attempts(&headers).count(), 0);
    let ours = before.len() - others.len();
    assert!(values + tries <= ours, "{values} and {tries} of {ours}");
    rough(values) << 16 | rough(tries) << 12 | rough(ours) << 8 | rough(others.len())
}
