//! One visitor: asks for the first page, fills in the form page by page, waits
//! in line where there is one, reloads when impatient, and at last gives up.

mod ask;
mod browser;
mod form;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::crowd::CrowdSettings;
use crate::dice::Dice;
use crate::ledger::{Ending, Ledger};
use crate::outcome::{Kind, Outcome};
use crate::place::{self, Place, Told};
use crate::wire::Answer;
use ask::Ask;
use browser::Seen;
pub(crate) use browser::{Browser, Gate};

/// Where the form begins.
const FORM: &str = "/apply/1";

/// Wait before the next try where the site names none.
const RETRY: f64 = 2.0;

/// Shortest wait in line between two questions, whatever the site says.
const POLL_MIN: f64 = 0.2;

/// A visitor on the way through the site.
#[derive(Debug)]
pub(crate) struct Visitor {
    settings: Arc<CrowdSettings>,
    ledger: Arc<Ledger>,
    dice: Dice,
    browser: Browser,
    bot: bool,
    scripted: bool,
    /// How this visitor's patience compares with the mean.
    patience: f64,
    /// When the last page came.
    since: Instant,
    /// The place in line, while there is one.
    place: Option<Place>,
    /// Whether any page of the site has come yet.
    inside: bool,
    /// Whether a form has been begun.
    mid_form: bool,
}

impl Visitor {
    pub(crate) fn new(
        settings: Arc<CrowdSettings>,
        ledger: Arc<Ledger>,
        gate: &Gate,
        index: u64,
    ) -> Self {
        let mut dice = Dice::new(settings.seed).fork(index);
        let bot = dice.chance(settings.bots);
        let impatient = dice.chance(settings.reload_probability);
        let scripted = dice.chance(settings.scripted);
        let patience = dice.between(0.5, 1.5);
        let browser = Browser::new(Arc::clone(&settings), Arc::clone(&ledger), gate, index)
            .without_cookies(bot)
            .impatient(impatient);
        Self {
            settings,
            ledger,
            dice,
            browser,
            bot,
            scripted,
            patience,
            since: Instant::now(),
            place: None,
            inside: false,
            mid_form: false,
        }
    }

    /// The whole visit; its end is in the ledger.
    pub(crate) async fn visit(mut self) {
        let ending = match self.pages().await {
            Ok(()) => Ending::Completed,
            Err(Leaves) if self.mid_form => Ending::LostMidForm,
            Err(Leaves) => Ending::GivenUp,
        };
        if self.place.take().is_some() {
            self.ledger.left_line(false);
        }
        self.ledger.visit_ended(ending);
    }

    async fn pages(&mut self) -> Result<(), Leaves> {
        self.page(Ask::get(&self.settings.path.clone())).await?;
        if self.settings.pages == 0 {
            return Ok(());
        }
        self.think().await;
        let mut answer = self.page(Ask::get(FORM)).await?;
        self.mid_form = true;
        for _page in 0..self.settings.pages {
            let Some(posted) = form::filled(&answer.body) else {
                break;
            };
            self.think().await;
            answer = self.page(posted).await?;
        }
        // Thrown back to the start of the form, it never comes to its end.
        if form::filled(&answer.body).is_some() {
            Err(Leaves)
        } else {
            Ok(())
        }
    }

    /// Tries until the page comes or patience is out.
    async fn page(&mut self, ask: Ask) -> Result<Answer, Leaves> {
        self.since = Instant::now();
        loop {
            match self.browser.navigate(&ask).await {
                Seen {
                    outcome: Outcome::Answered(Kind::Page),
                    answer: Some(answer),
                } => {
                    self.inside = true;
                    if self.place.take().is_some() {
                        self.ledger.left_line(true);
                    }
                    return Ok(answer);
                }
                Seen {
                    outcome: Outcome::Answered(Kind::Waiting),
                    answer: Some(answer),
                } if !self.bot => {
                    self.wait_in_line(&answer).await?;
                }
                Seen {
                    outcome: Outcome::Answered(Kind::ClientError),
                    ..
                } => return Err(Leaves),
                Seen {
                    answer: Some(answer),
                    ..
                } => {
                    let again = retry_after(&answer).unwrap_or(RETRY);
                    self.pause(again, 0.25).await?;
                }
                Seen {
                    outcome: Outcome::Abandoned,
                    ..
                } => self.pause(0.1, 1.0).await?,
                Seen { .. } => self.pause(0.5, 3.0).await?,
            }
        }
    }

    /// Stays on the waiting page until its script, or the visitor, asks for the page again.
    async fn wait_in_line(&mut self, page: &Answer) -> Result<(), Leaves> {
        if self.place.is_none() {
            self.since = Instant::now();
            self.place = Some(Place::default());
            self.ledger.joined_line(self.inside);
        }
        let told = place::in_page(&page.body);
        let status = told.as_ref().and_then(|told| told.status.clone());
        let status = status.or_else(|| self.browser.status_path());
        let again = retry_after(page).unwrap_or(RETRY);
        let mut poll = told
            .as_ref()
            .and_then(|told| told.poll_after)
            .unwrap_or(again);
        if let Some(told) = told {
            self.note(&told);
        }
        let Some(status) = status.filter(|_path| self.scripted) else {
            return self.pause(again, 0.25).await;
        };
        loop {
            self.pause(poll, 0.1).await?;
            let Some(told) = self.browser.poll(&status).await else {
                return self.pause(RETRY, 1.0).await;
            };
            self.note(&told);
            if told.may_enter() {
                return Ok(());
            }
            poll = told.poll_after.unwrap_or(again);
        }
    }

    fn note(&mut self, told: &Told) {
        let lost = self.place.as_mut().is_some_and(|place| place.note(told));
        if lost {
            self.ledger.place_lost();
        }
    }

    async fn think(&mut self) {
        let seconds = self.settings.think.as_secs_f64() * self.dice.between(0.5, 1.5);
        self.rest_until(Instant::now() + Duration::from_secs_f64(seconds))
            .await;
    }

    /// Waits `seconds`, up to `jitter` times that more, but not beyond patience.
    async fn pause(&mut self, seconds: f64, jitter: f64) -> Result<(), Leaves> {
        let seconds = seconds.clamp(POLL_MIN, 3_600.0) * self.dice.between(1.0, 1.0 + jitter);
        let bound = if self.place.is_some() {
            self.settings.patience_in_line
        } else {
            self.settings.patience
        };
        let leaves = self.since + bound.mul_f64(self.patience);
        let again = Instant::now() + Duration::from_secs_f64(seconds);
        self.rest_until(again.min(leaves)).await;
        if again < leaves { Ok(()) } else { Err(Leaves) }
    }

    async fn rest_until(&mut self, until: Instant) {
        if until.duration_since(Instant::now()) > self.settings.keep_alive {
            self.browser.hang_up();
        }
        sleep_until(until).await;
    }
}

/// Patience is out, or there is nothing to go on with.
#[derive(Debug)]
struct Leaves;

/// `Retry-After` in seconds.
fn retry_after(answer: &Answer) -> Option<f64> {
    answer.header("retry-after")?.trim().parse().ok()
}
