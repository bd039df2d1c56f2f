//! `surge`: a crowd of visitors, or the model origin alone, from the command line.

fn main() {}
