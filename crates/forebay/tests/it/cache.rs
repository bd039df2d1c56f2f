//! Kept answers, as programs on the wire see them.

mod kept;
mod overrun;

use forebay_testkit::Answer;

/// A route whose answers are kept, for an hour where the origin does not say.
const KEEPS: &str = "[[route]]\nroom = \"none\"\ncache = { fresh = \"1h\", stale = \"1h\" }\n";

/// What `Cache-Status` says.
fn said(answer: &Answer) -> &str {
    answer.header("cache-status").unwrap_or_default()
}

/// Whether the answer is a copy.
fn is_hit(answer: &Answer) -> bool {
    said(answer).starts_with("forebay; hit")
}
