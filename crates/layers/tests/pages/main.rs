//! The pages in a real browser, as visitors and as axe-core see them.
#![allow(missing_docs, reason = "a test's name says what it claims")]

mod accessible;
mod shown;
