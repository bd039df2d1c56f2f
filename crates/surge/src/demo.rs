//! The demonstration: the same crowd against the bare portal and against the
//! portal behind the proxy, at the same time, side by side.
//!
//! Every figure is counted at a socket or by an origin; none is scripted.

mod report;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, interval_at};

use crate::crowd::{Crowd, CrowdSettings, Curve, Site, Step};
use crate::origin::{OriginSettings, Running};
use crate::view::{Board, Column, SHOWN_EVERY, View};
pub use report::{DemoReport, Side};

/// What is compared.
#[derive(Debug)]
pub struct DemoPlan {
    /// Socket of the bare portal, usually `bare_origin`'s.
    pub bare: SocketAddr,
    /// Socket of the proxy in front of `behind_origin`.
    pub behind: SocketAddr,
    /// The portal without protection.
    pub bare_origin: Running,
    /// The portal behind the proxy; as strong as the bare one.
    pub behind_origin: Running,
    /// The crowd; its `site` is replaced for each side.
    pub crowd: CrowdSettings,
}

/// The portal of the demonstration, listening on `address` (port 0: a free one).
///
/// Its queue is as short as Apache's is as it comes (`ListenBackLog` 511): in half a minute
/// one sees both what a portal does for people who have left and what it resets.
#[must_use]
pub fn origin(address: SocketAddr) -> OriginSettings {
    OriginSettings {
        address,
        backlog: 511,
        ..OriginSettings::default()
    }
}

/// The crowd of the demonstration, for `seconds` in all: calm, a ten-fold surge, then ebb.
///
/// The surge brings four times what [`origin`] can serve. What comes in all is a
/// little less than it can serve in the whole time, so a line can be worked off.
#[must_use]
pub fn crowd(seconds: u32) -> CrowdSettings {
    let part = |share: f64| Duration::from_secs_f64(f64::from(seconds) * share);
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let calm = 10.0;
    let step = |share, rate| Step {
        lasts: part(share),
        rate,
    };
    let steps = [
        step(0.125, calm),
        step(0.175, 10.0 * calm),
        step(0.7, 0.3 * calm),
    ];
    let mut crowd = CrowdSettings::steady(Site::at(anywhere), calm, part(1.0));
    for group in &mut crowd.groups {
        group.arrivals = Curve::steps(&steps);
    }
    crowd
}

/// Runs both crowds to their end, showing the figures once a second on standard
/// output, and stops both origins.
pub async fn run(plan: DemoPlan, view: View) -> DemoReport {
    let began = Instant::now();
    let bare = start(&plan.crowd, plan.bare);
    let behind = start(&plan.crowd, plan.behind);
    let mut board = Board::new(view, io::stdout());
    let mut ticks = interval_at(began + SHOWN_EVERY, SHOWN_EVERY);
    while began.elapsed() + SHOWN_EVERY / 2 < plan.crowd.lasts {
        ticks.tick().await;
        let origin = Some(plan.bare_origin.stats());
        let left = Column {
            name: "bare portal",
            tally: bare.tally(),
            origin,
        };
        let origin = Some(plan.behind_origin.stats());
        let right = Column {
            name: "behind Forebay",
            tally: behind.tally(),
            origin,
        };
        board.show(&heading(&plan.crowd, began.elapsed()), &[left, right]);
    }
    let (bare, behind) = tokio::join!(bare.finish(), behind.finish());
    let seconds = began.elapsed().as_secs_f64();
    let bare = Side {
        tally: bare,
        origin: plan.bare_origin.stop().await,
    };
    let behind = Side {
        tally: behind,
        origin: plan.behind_origin.stop().await,
    };
    DemoReport {
        seconds,
        bare,
        behind,
    }
}

fn start(crowd: &CrowdSettings, target: SocketAddr) -> Crowd {
    Crowd::start(CrowdSettings {
        site: Site::at(target),
        ..crowd.clone()
    })
}

/// `12 s of 40, 100 arrive a second`.
fn heading(crowd: &CrowdSettings, at: Duration) -> String {
    // The last drawing comes a little after the end.
    let rate = crowd.rate_at(at.min(crowd.lasts));
    format!(
        "{:.0} s of {:.0}, {rate:.0} come a second",
        at.as_secs_f64(),
        crowd.lasts.as_secs_f64()
    )
}
