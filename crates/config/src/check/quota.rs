//! Quotas: those of the file, and the three that are always there.

use std::num::NonZeroU32;
use std::time::Duration;

use super::origin::non_zero;
use crate::checked::{Per, Quota, Rate};
use crate::raw;
use crate::read::{At, Named, Place, Reader, read_default};

/// A quota that is there whether the file names it or not.
struct Implied {
    name: &'static str,
    per: Per,
    per_second: u32,
}

/// `room` is the budget of a room's page and polls: larger, so that many people
/// behind one address get the line and not a 429.
const IMPLIED: [Implied; 3] = [
    Implied {
        name: "client",
        per: Per::Client,
        per_second: 100,
    },
    Implied {
        name: "pass",
        per: Per::Pass,
        per_second: 20,
    },
    Implied {
        name: "room",
        per: Per::Client,
        per_second: 1000,
    },
];

pub(super) fn quotas(raw: Named<raw::Quota>, reader: &mut Reader<'_>) -> Vec<Quota> {
    let mut list: Vec<Quota> = raw
        .0
        .into_iter()
        .map(|(name, raw)| quota(name, &raw, reader))
        .collect();
    for Implied { name, .. } in IMPLIED {
        if !list.iter().any(|quota| quota.name == name) {
            let place = Place {
                key: format!("quota.{name}"),
                span: 0..0,
            };
            let raw = read_default(&place, "{}", reader);
            list.push(quota(
                At {
                    place,
                    value: name.to_owned(),
                },
                &raw,
                reader,
            ));
        }
    }
    list
}

fn quota(name: At<String>, raw: &raw::Quota, reader: &mut Reader<'_>) -> Quota {
    let At { place, value: name } = name;
    let implied = IMPLIED.iter().find(|implied| implied.name == name);
    let per = raw.per.as_ref().map(|per| per.value);
    let per = per
        .or(implied.map(|implied| implied.per))
        .unwrap_or(Per::Client);
    if let (Some(At { place, .. }), Some(implied)) = (&raw.per, implied)
        && name != "client"
        && per != implied.per
    {
        let what = "changes an implied quota, whose per is fixed";
        reader
            .report
            .error(place, what, "leave it out, or give the quota another name");
    }
    let rate = raw.rate.as_ref().map(|rate| rate.value);
    let implied_rate = implied.map(|implied| per_second(implied.per_second));
    let rate = rate.or(implied_rate).unwrap_or_else(|| {
        let place = place.child("rate", place.span.clone());
        if !reader.report.mentions(&place.key) {
            reader
                .report
                .error(&place, "is missing", "write one such as rate = \"100/s\"");
        }
        per_second(1)
    });
    let burst = raw
        .burst
        .as_ref()
        .map_or_else(|| of_five_seconds(rate), |at| non_zero(at.value));
    Quota {
        name,
        per,
        rate,
        burst,
        entries: raw.entries.value.fit(),
    }
}

const fn per_second(count: u32) -> Rate {
    Rate {
        count,
        per: Duration::from_secs(1),
    }
}

/// How many come in five seconds, one at least.
fn of_five_seconds(rate: Rate) -> NonZeroU32 {
    let many = u128::from(rate.count) * Duration::from_secs(5).as_nanos() / rate.per.as_nanos();
    u32::try_from(many).ok().map_or(NonZeroU32::MAX, |many| {
        NonZeroU32::new(many).unwrap_or(NonZeroU32::MIN)
    })
}
