//! What Forebay says about itself: every metric name, every field of the access log, and the one
//! writer that escapes JSON.
//!
//! Counting must not slow what is counted: cells are relaxed atomics behind handles that are
//! fetched once, and a log line is formatted into the worker's own buffer and written elsewhere.
#![forbid(unsafe_code)]

pub mod access;
pub mod json;
pub mod metrics;
