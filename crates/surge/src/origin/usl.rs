//! How a station slows down as it is shared: Gunther's Universal Scalability Law.
//!
//! With `n` requests at work on `cores` equal cores, each core holds `m = n / cores`
//! of them and each request advances at `1 / (1 + σ(m−1) + κ m(m−1))` of its speed
//! alone: `σ` is contention for what cannot be shared, `κ` the price of keeping each
//! other up to date (N. J. Gunther, *Guerrilla Capacity Planning*, 2007, chapter 4).

/// A station's law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usl {
    /// Seconds that mean work takes on the idle station, more than 0.
    pub(crate) service: f64,
    /// Equal cores; a share of a machine that has died is a fraction of them.
    pub(crate) cores: f64,
    /// Contention `σ`, in `[0, 1)`.
    pub(crate) sigma: f64,
    /// Crosstalk `κ`, 0 or more.
    pub(crate) kappa: f64,
}

impl Usl {
    /// Speed of one request among `in_flight`, as a share of its speed alone.
    ///
    /// Less than one request to a core is no slower than one; less than one core is.
    pub(crate) fn speed(&self, in_flight: f64) -> f64 {
        if self.cores <= 0.0 {
            return 0.0;
        }
        let shared = (in_flight / self.cores).max(1.0);
        1.0 / (1.0 + self.sigma * (shared - 1.0) + self.kappa * shared * (shared - 1.0))
    }

    /// Requests a second with `in_flight` of mean work at work.
    pub(crate) fn throughput(&self, in_flight: f64) -> f64 {
        in_flight * self.speed(in_flight) / self.service
    }

    /// How many in flight give the highest throughput: `cores · √((1−σ)/κ)`, which is
    /// where the derivative of `m / (1 + σ(m−1) + κ m(m−1))` is zero; at most `most`.
    pub(crate) fn best(&self, most: u32) -> u32 {
        let most = most.max(1);
        if self.kappa <= 0.0 {
            return most;
        }
        let exact = self.cores * ((1.0 - self.sigma) / self.kappa).sqrt();
        let below = (exact.floor() as u32).clamp(1, most);
        let above = (below + 1).min(most);
        // Two neighbours can be equally good: then fewer, whatever the last bit says.
        let gain = self.throughput(f64::from(above)) / self.throughput(f64::from(below));
        if gain > 1.0 + 1e-9 { above } else { below }
    }
}
