//! stub
pub mod upstream;
