//! What is defined and never used: mostly a route that somebody forgot.

use crate::checked::Route;
use crate::raw::File;
use crate::read::{At, Named, Reader};

/// The names that the file defines, in its order, which is that of the indexes.
pub(super) struct Defined {
    origins: Vec<At<String>>,
    quotas: Vec<At<String>>,
    rooms: Vec<At<String>>,
}

impl Defined {
    pub(super) fn of(file: &File) -> Self {
        Self {
            origins: names(&file.origin.value),
            quotas: names(&file.quota.value),
            rooms: names(&file.room.value),
        }
    }

    /// Warns about what none of `routes` names. Quotas and rooms that are
    /// implied have a use without a route.
    pub(super) fn warn(&self, routes: &[Route], reader: &mut Reader<'_>) {
        if reader.report.mentions("route") {
            return;
        }
        warn(
            &self.origins,
            &[],
            routes.iter().map(|route| route.origin),
            reader,
        );
        let quotas = routes.iter().filter_map(|route| route.quota);
        warn(&self.quotas, &["client", "pass", "room"], quotas, reader);
        let rooms = routes.iter().filter_map(|route| route.room);
        warn(&self.rooms, &["main"], rooms, reader);
    }
}

fn names<T>(named: &Named<T>) -> Vec<At<String>> {
    named.0.iter().map(|(name, _)| name.clone()).collect()
}

fn warn(
    names: &[At<String>],
    implied: &[&str],
    used: impl Iterator<Item = usize> + Clone,
    reader: &mut Reader<'_>,
) {
    for (index, At { place, value }) in names.iter().enumerate() {
        let needed = implied.contains(&value.as_str()) || used.clone().any(|used| used == index);
        if !needed && !reader.report.mentions(&place.key) {
            let what = "is used by no [[route]]";
            reader
                .report
                .warning(place, what, "name it in one, or leave it out");
        }
    }
}
