//! The targets, one a file.

mod cookie;
mod credential;
mod query;
mod snapshot;
mod ticket;
mod toy;

/// What kind of input it was: inputs of the same kind teach nothing new.
pub type Shape = u64;

/// Something that reads what a stranger may have written.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Reads the input. Panics when a promise is broken.
    pub run: fn(&[u8]) -> Shape,
    /// Right inputs, from which wrong ones are made.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: [Target; 5] = [
    credential::TARGET,
    ticket::TARGET,
    cookie::TARGET,
    query::TARGET,
    snapshot::TARGET,
];

/// A rough size, for shapes.
fn rough(count: usize) -> Shape {
    Shape::from(usize::BITS - count.leading_zeros())
}
