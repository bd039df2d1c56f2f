//! Those of one class who wait: in the order of their first try, and in the order of their coming.

use alloc::collections::BTreeMap;

use crate::time::Timestamp;

/// A place in the order of service; the sequence is that of coming and never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) first_try: Timestamp,
    pub(super) sequence: u64,
}

/// When somebody came, and where that one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coming {
    pub(super) at: Timestamp,
    pub(super) place: Place,
}

#[derive(Clone, Debug)]
pub(super) struct Lane<W> {
    order: BTreeMap<Place, (Timestamp, W)>,
    coming: BTreeMap<u64, Coming>,
}

impl<W> Default for Lane<W> {
    fn default() -> Self {
        Self {
            order: BTreeMap::new(),
            coming: BTreeMap::new(),
        }
    }
}

impl<W> Lane<W> {
    pub(super) fn insert(&mut self, place: Place, at: Timestamp, waiter: W) {
        self.order.insert(place, (at, waiter));
        self.coming.insert(place.sequence, Coming { at, place });
    }

    pub(super) fn take(&mut self, place: Place) -> Option<W> {
        let (_, waiter) = self.order.remove(&place)?;
        self.coming.remove(&place.sequence);
        Some(waiter)
    }

    /// The first in the order of service who came after `since`.
    pub(super) fn first_since(&self, since: Option<Timestamp>) -> Option<Place> {
        let mut order = self.order.iter();
        let (place, _) = order.find(|(_, (at, _))| since.is_none_or(|since| *at > since))?;
        Some(*place)
    }

    /// The last to come.
    pub(super) fn newest(&self) -> Option<Coming> {
        self.coming.last_key_value().map(|(_, coming)| *coming)
    }

    /// The first to come.
    pub(super) fn oldest(&self) -> Option<Coming> {
        self.coming.first_key_value().map(|(_, coming)| *coming)
    }

    /// The last in the order of service.
    pub(super) fn last(&self) -> Option<Place> {
        self.order.last_key_value().map(|(place, _)| *place)
    }

    pub(super) fn len(&self) -> usize {
        debug_assert_eq!(self.order.len(), self.coming.len(), "one order, two views");
        self.order.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}
