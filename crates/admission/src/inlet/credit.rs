//! Visitors, counted in billionths, so that a slow rate loses nothing to rounding.

use core::time::Duration;

use crate::rate::Rate;

/// So many visitors, in billionths. Arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credit(u64);

const WHOLE: u64 = 1_000_000_000;

impl Credit {
    /// Nobody.
    pub const ZERO: Self = Self(0);
    /// One visitor.
    pub const ONE: Self = Self(WHOLE);

    /// So many visitors.
    #[must_use]
    pub const fn from_whole(visitors: u64) -> Self {
        Self(visitors.saturating_mul(WHOLE))
    }

    /// So many billionths.
    #[must_use]
    pub const fn from_nano(nano: u64) -> Self {
        Self(nano)
    }

    /// Billionths.
    #[must_use]
    pub const fn as_nano(self) -> u64 {
        self.0
    }

    /// Whole visitors, rounded down.
    #[must_use]
    pub const fn whole(self) -> u64 {
        self.0 / WHOLE
    }

    /// What `rate` grants in `span`, rounded down.
    #[must_use]
    pub fn earned(rate: Rate, span: Duration) -> Self {
        Self::from_whole(u64::from(rate.count().get()))
            .scaled(span.as_nanos(), rate.per().as_nanos())
    }

    /// More.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Less; not below nobody.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `part` of `whole` of it, rounded down; `whole` zero counts as one.
    #[must_use]
    pub fn scaled(self, part: u128, whole: u128) -> Self {
        let product = u128::from(self.0).saturating_mul(part) / whole.max(1);
        Self(u64::try_from(product).unwrap_or(u64::MAX))
    }

    /// Thousandths of a visitor, rounded down.
    #[must_use]
    pub const fn milli_whole(self) -> u64 {
        self.0 / (WHOLE / 1_000)
    }

    /// So many thousandths of it.
    #[must_use]
    pub fn milli(self, thousandths: u32) -> Self {
        self.scaled(u128::from(thousandths), 1_000)
    }
}
