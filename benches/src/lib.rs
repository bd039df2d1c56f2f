//! Benchmarks live in `micro/` and `load/`.
