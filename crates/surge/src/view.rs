//! How the demonstration is shown while it runs.

/// Where the running figures go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// In place, by ANSI escape codes.
    Terminal,
    /// A line a second.
    Plain,
    /// Nowhere.
    Silent,
}
