//! One visitor: asks for the first page, fills in the form page by page, waits
//! in line where there is one, reloads when impatient, and at last gives up.

mod appointments;
mod ask;
mod browser;
mod form;
mod line;
mod party;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::crowd::Visit;
use crate::crowd::source::Source;
use crate::dice::Dice;
use crate::ledger::Ending;
use crate::outcome::{Kind, Outcome};
use crate::place;
use crate::wire::Answer;
use ask::Ask;
use browser::{Browser, Seen};
use line::Queued;
use party::Party;
pub(crate) use party::run;

/// Where the form begins.
const FORM: &str = "/apply/1";

/// Redirects followed for one page, as browsers bound them.
const REDIRECTS_MAX: u32 = 10;

/// Wait before the next try where the site names none, in seconds; it doubles with
/// each further failure.
const RETRY: f64 = 1.0;

/// The longest of these waits, in seconds.
const RETRY_MAX: f64 = 30.0;

/// Shortest wait before a next try, whatever the site says, in seconds: what a hand needs.
const HAND: f64 = 0.1;

/// The longest wait that is taken for meant, in seconds.
const WAIT_MAX: f64 = 3_600.0;

/// A visitor on the way through the site.
#[derive(Debug)]
struct Visitor {
    party: Arc<Party>,
    dice: Dice,
    browser: Browser,
    scripted: bool,
    heavy: bool,
    /// How this visitor's patience compares with the mean.
    patience: f64,
    /// From when on the visitor waits for the page, or has been in line for it.
    since: Instant,
    /// When the next request is meant to be made, whenever the crowd gets round to it.
    intended: Instant,
    /// The place in line, while there is one.
    place: Option<Queued>,
    /// Whether any page of the site has come yet.
    inside: bool,
    /// Whether a form has been begun.
    mid_form: bool,
}

impl Visitor {
    fn new(party: &Arc<Party>, index: u64, planned: Instant) -> Self {
        let (settings, visit) = (&party.settings, &party.visit);
        let mut dice = settings.dice(party.group).fork(index);
        let impatient = dice.chance(visit.reload_probability);
        let scripted = dice.chance(visit.scripted);
        let patience = dice.between(0.5, 1.5);
        let heavy = dice.chance(visit.heavy);
        let sources = settings.groups[party.group].sources;
        let source = Source::of(sources, settings.number(party.group, index));
        Self {
            party: Arc::clone(party),
            dice,
            browser: Browser::new(party, source).impatient(impatient),
            scripted,
            heavy,
            patience,
            since: planned,
            intended: planned,
            place: None,
            inside: false,
            mid_form: false,
        }
    }

    fn settings(&self) -> &Visit {
        &self.party.visit
    }

    /// The whole visit; its end is in the ledger.
    async fn visit(mut self) {
        let ending = match self.pages().await {
            Ok(()) => Ending::Completed,
            Err(Leaves) if self.mid_form => Ending::LostMidForm,
            Err(Leaves) => Ending::GivenUp,
        };
        let (ledger, group) = (&self.party.ledger, self.party.group);
        if let Some(queued) = self.place.take() {
            ledger.left_line(group, queued.joined);
        }
        ledger.visit_ended(group, ending);
    }

    async fn pages(&mut self) -> Result<(), Leaves> {
        let first = Ask::get(&self.party.settings.site.path);
        self.page(first).await?;
        if self.heavy {
            self.think().await;
            self.page(Ask::get(&self.party.visit.heavy_page)).await?;
        }
        if self.settings().pages == 0 {
            return Ok(());
        }
        self.think().await;
        let mut next = form::filled(&self.page(Ask::get(FORM)).await?.body);
        if next.is_none() {
            // An apology with a good status, or a site without a form: nothing was sent.
            return Err(Leaves);
        }
        self.mid_form = true;
        let start = next.as_ref().map(|ask| ask.path.clone());
        for _page in 0..self.settings().pages {
            let Some(ask) = next else {
                return Ok(());
            };
            self.think().await;
            next = form::filled(&self.page(ask).await?.body);
            if next.as_ref().map(|ask| &ask.path) == start.as_ref() {
                // Thrown back to where the form begins.
                return Err(Leaves);
            }
        }
        // A form without an end is never sent.
        if next.is_some() { Err(Leaves) } else { Ok(()) }
    }

    /// Tries until the page comes or patience is out.
    async fn page(&mut self, ask: Ask) -> Result<Answer, Leaves> {
        self.since = self.intended;
        self.party.ledger.page_wanted(self.intended);
        let page = self.tries(ask).await;
        self.party.ledger.page_settled();
        page
    }

    async fn tries(&mut self, mut ask: Ask) -> Result<Answer, Leaves> {
        let (mut failures, mut redirects) = (0, 0);
        loop {
            let Seen { outcome, answer } =
                self.browser.look(&ask, self.intended, self.inside).await;
            match (outcome, answer) {
                (Outcome::Answered(Kind::Page), Some(answer)) => {
                    self.goes_in();
                    match self.browser.redirect(&answer) {
                        None => return Ok(answer),
                        Some(_round) if redirects == REDIRECTS_MAX => return Err(Leaves),
                        Some(next) => {
                            redirects += 1;
                            failures = 0;
                            ask = next;
                            self.led_on();
                        }
                    }
                }
                (Outcome::Answered(Kind::Waiting), Some(answer)) if self.settings().cookies => {
                    // The room's own redirect, for who came with what cannot be kept.
                    if let Some(next) = self.browser.redirect(&answer) {
                        ask = next;
                    }
                    let page = line::Page::of(&answer);
                    drop(answer);
                    self.wait_in_line(page).await?;
                }
                (Outcome::Answered(Kind::ClientError), _) => return Err(Leaves),
                (Outcome::Answered(_), Some(answer)) => {
                    failures += 1;
                    let again = self.told_to_come_again(&answer, ask.form.is_some(), failures);
                    drop(answer);
                    self.pause(again).await?;
                }
                (Outcome::Abandoned, _) => {
                    let again = self.dice.between(HAND, 2.0 * HAND);
                    self.pause(again).await?;
                }
                _ => {
                    failures += 1;
                    let again = self.growing(failures);
                    self.pause(again).await?;
                }
            }
        }
    }

    /// A page of the site has come: whoever stood in line is in.
    fn goes_in(&mut self) {
        self.inside = true;
        if let Some(queued) = self.place.take() {
            let ledger = &self.party.ledger;
            ledger.entered_from_line(self.party.group, queued.joined, queued.told);
        }
    }

    /// The page leads on to another, which is wanted from now on.
    fn led_on(&mut self) {
        self.intended = Instant::now();
        self.since = self.intended;
        self.party.ledger.page_settled();
        self.party.ledger.page_wanted(self.intended);
    }

    /// After how many seconds somebody tries again who was told to come later, or was told of an
    /// error. Who keeps no cookies is a program, and obeys `Retry-After` as well.
    fn told_to_come_again(&mut self, answer: &Answer, form: bool, failures: u32) -> f64 {
        let told = retry_after(answer);
        match place::busy_in_page(&answer.body) {
            // The "one moment" page reloads itself, and its jitter goes both ways.
            Some(after) if self.scripted && !form => after * self.dice.between(0.75, 1.25),
            // A form is sent again by hand only, and so is everything without a script.
            Some(after) => after * self.dice.between(1.0, 1.5),
            None => match told {
                Some(after) => after * self.dice.between(1.0, 1.25),
                None => self.growing(failures),
            },
        }
    }

    /// Seconds until the next try after so many failures in a row.
    fn growing(&mut self, failures: u32) -> f64 {
        let doubled = 2_f64.powi(failures.saturating_sub(1).min(10).cast_signed());
        (RETRY * doubled).min(RETRY_MAX) * self.dice.between(0.5, 1.5)
    }

    async fn think(&mut self) {
        let seconds = self.settings().think.as_secs_f64() * self.dice.between(0.5, 1.5);
        self.rest_until(Instant::now() + Duration::from_secs_f64(seconds))
            .await;
    }

    /// Waits `seconds`, but not beyond patience.
    async fn pause(&mut self, seconds: f64) -> Result<(), Leaves> {
        let seconds = Duration::from_secs_f64(seconds.clamp(HAND, WAIT_MAX));
        let again = Instant::now() + seconds;
        let leaves = self.leaves();
        self.rest_until(again.min(leaves)).await;
        if again < leaves { Ok(()) } else { Err(Leaves) }
    }

    /// When patience is out.
    fn leaves(&self) -> Instant {
        let bound = if self.place.is_some() {
            self.settings().patience_in_line
        } else {
            self.settings().patience
        };
        self.since + bound.mul_f64(self.patience)
    }

    async fn rest_until(&mut self, until: Instant) {
        if until.duration_since(Instant::now()) > self.settings().keep_alive {
            self.browser.hang_up();
        }
        sleep_until(until).await;
        self.intended = until;
    }
}

/// Patience is out, or there is nothing to go on with.
#[derive(Debug)]
struct Leaves;

/// `Retry-After` in seconds (RFC 9110 section 10.2.3); a date is not understood.
fn retry_after(answer: &Answer) -> Option<f64> {
    let seconds: u32 = answer.header("retry-after")?.trim().parse().ok()?;
    Some(seconds.into())
}
