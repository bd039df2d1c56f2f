//! Waiting in line: on the room's page, with its script or without.

use tokio::time::Instant;

use super::appointments::{self, LEAVES_AFTER};
use super::browser::Polled;
use super::{HAND, Leaves, Visitor, retry_after};
use crate::place::{self, Place, Told};
use crate::waits::Estimate;
use crate::wire::Answer;

/// What somebody does by hand on the page comes so much later than it could, at most, in
/// seconds.
const NOTICING: f64 = 2.0;

/// A place in line and what was told of it first.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) joined: Instant,
    place: Place,
    pub(super) told: Option<(Instant, Estimate)>,
}

/// What a browser keeps of the waiting page: much less than its text.
#[derive(Debug)]
pub(super) struct Page {
    page: Option<place::Page>,
    retry_after: Option<f64>,
}

impl Page {
    pub(super) fn of(answer: &Answer) -> Self {
        Self {
            page: place::in_page(&answer.body),
            retry_after: retry_after(answer),
        }
    }
}

impl Visitor {
    /// Stays on the waiting page until its script, or the visitor, asks for the page again.
    pub(super) async fn wait_in_line(
        &mut self,
        Page { page, retry_after }: Page,
    ) -> Result<(), Leaves> {
        self.joins();
        let again = retry_after.unwrap_or(super::RETRY_MAX);
        let Some(page) = page else {
            // A place without a page, as programs are given: back when it says.
            return match self.browser.status_path().filter(|_path| self.scripted) {
                Some(status) => self.keep_asking(&status, again.max(1.0), false).await,
                None => self.by_hand(again).await,
            };
        };
        self.note(&page.told);
        let first = appointments::first(page.counting, page.told.poll_after, &mut self.dice);
        let status = page.status.or_else(|| self.browser.status_path());
        let may_enter = page.told.may_enter();
        match status {
            Some(status) if self.scripted && may_enter => {
                self.called(&status, first, page.form).await
            }
            Some(status) if self.scripted => self.keep_asking(&status, first, page.form).await,
            _ => {
                if let Some(here) = page.here {
                    self.browser.contact(&here).await;
                }
                self.by_hand(again).await
            }
        }
    }

    fn joins(&mut self) {
        if self.place.is_none() {
            self.since = Instant::now();
            self.place = Some(Queued {
                joined: self.since,
                place: Place::default(),
                told: None,
            });
            let (ledger, group) = (&self.party.ledger, self.party.group);
            ledger.joined_line(group, self.since, self.inside);
        }
    }

    /// Looks again by hand, when the page says that it is worth while.
    async fn by_hand(&mut self, seconds: f64) -> Result<(), Leaves> {
        let again = seconds.max(HAND) * self.dice.between(1.0, 1.25);
        self.pause(again).await
    }

    /// The page's script: asks for the place from appointment to appointment, until it is
    /// the visitor's turn.
    async fn keep_asking(&mut self, status: &str, first: f64, form: bool) -> Result<(), Leaves> {
        let mut failures = 0;
        let mut seconds = first;
        loop {
            self.pause(seconds).await?;
            match self.browser.poll(status, self.intended).await {
                Polled::Told(told) => {
                    failures = 0;
                    self.note(&told);
                    seconds = appointments::next(told.poll_after, &mut self.dice);
                    if told.may_enter() {
                        return self.called(status, seconds, form).await;
                    }
                }
                // No such room any more: nobody need wait.
                Polled::NoRoom => return self.called(status, 30.0, form).await,
                Polled::Failed { retry_after } => {
                    failures += 1;
                    seconds = appointments::after_failure(failures, retry_after, &mut self.dice);
                }
            }
        }
    }

    /// The turn has come: the page says so and leaves, while the script goes on asking. A form
    /// is sent again by hand only.
    async fn called(&mut self, status: &str, next: f64, form: bool) -> Result<(), Leaves> {
        let noticing = if form {
            self.dice.between(0.0, NOTICING)
        } else {
            0.0
        };
        let mut left = LEAVES_AFTER + noticing;
        let mut next = next;
        while next < left {
            self.pause(next).await?;
            left -= next;
            next = match self.browser.poll(status, self.intended).await {
                Polled::Told(told) => appointments::next(told.poll_after, &mut self.dice),
                Polled::NoRoom | Polled::Failed { .. } => left,
            };
        }
        self.pause(left).await
    }

    fn note(&mut self, told: &Told) {
        let Some(queued) = &mut self.place else {
            return;
        };
        if queued.told.is_none() {
            queued.told = told.estimate().map(|estimate| (Instant::now(), estimate));
        }
        if queued.place.note(told) {
            self.party.ledger.place_lost(self.party.group);
        }
    }
}
