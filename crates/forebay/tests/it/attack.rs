//! What somebody would try who wants to get past the line, or to move it.

mod counts;
mod credentials;
mod forms;
mod killed;
mod sharing;

use crate::house::House;

/// Credentials refused so far, for whatever reason.
fn refused(house: &House) -> f64 {
    house.metric("forebay_credentials_rejected_total", &[])
}
