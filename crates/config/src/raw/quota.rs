//! `[quota.NAME]`.

use super::Count;
use crate::checked::{Per, Rate};
use crate::read::{Number, Word, table};

table! {
    /// A rate allowance.
    Quota, later [], {
        /// Who has an allowance of their own. Default: "client", and "pass" for
        /// the quota of that name.
        per: Per = optional,
        /// The steady rate, such as "100/s". Only the implied quotas have a default.
        rate: Rate = optional,
        /// Requests that may come at once after a rest. Default: those of five seconds.
        burst: Count = optional,
        /// Bound of the table; when it is full the most idle entry goes.
        entries: Number<1, 100_000_000> = "1000000",
    }
}

impl Word for Per {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("client", Self::Client),
        ("pass", Self::Pass),
        ("route", Self::Route),
    ];
}
