//! The colleague's part: not written yet.
