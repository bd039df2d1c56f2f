//! One visitor: asks for the first page, fills in the form page by page, waits
//! in line where there is one, reloads when impatient, and at last gives up.

mod ask;
mod browser;
mod form;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::crowd::gate::Gate;
use crate::crowd::source::Source;
use crate::crowd::{Behaviour, CrowdSettings, Visit};
use crate::dice::Dice;
use crate::ledger::{Ending, Ledger};
use crate::outcome::{Kind, Outcome};
use crate::place::{self, Place, Told};
use crate::waits::Estimate;
use crate::wire::Answer;
use ask::Ask;
use browser::{Browser, Seen};

/// Where the form begins.
const FORM: &str = "/apply/1";

/// The page that is much more work than others.
const HEAVY: &str = "/slow";

/// Wait before the next try where the site names none.
const RETRY: f64 = 2.0;

/// Shortest wait in line between two questions, whatever the site says.
const POLL_MIN: f64 = 0.2;

/// What the visitors of one group have in common.
#[derive(Debug)]
struct Party {
    group: usize,
    settings: Arc<CrowdSettings>,
    visit: Arc<Visit>,
    ledger: Arc<Ledger>,
    gate: Gate,
}

/// Lets one group's visitors come, whatever the site does.
pub(crate) async fn run(
    group: usize,
    settings: Arc<CrowdSettings>,
    ledger: Arc<Ledger>,
    gate: Gate,
) {
    let Behaviour::Visit(visit) = &settings.groups[group].behaviour else {
        return;
    };
    let party = Party {
        group,
        visit: Arc::new(visit.clone()),
        settings: Arc::clone(&settings),
        ledger,
        gate,
    };
    let mut visitors = JoinSet::new();
    for (index, planned) in (0..).zip(settings.arrivals(group)) {
        let planned = party.ledger.began() + planned;
        sleep_until(planned).await;
        while visitors.try_join_next().is_some() {}
        let Some(room) = party.gate.admit() else {
            party.ledger.visitor_turned_away_by_us(group);
            continue;
        };
        party.ledger.visitor_came(group, planned.elapsed());
        let visitor = Visitor::new(&party, index, planned);
        visitors.spawn(async move {
            visitor.visit().await;
            drop(room);
        });
    }
    // Whoever came stays as long as the crowd does.
    visitors.join_all().await;
}

/// A visitor on the way through the site.
#[derive(Debug)]
struct Visitor {
    group: usize,
    visit: Arc<Visit>,
    path: String,
    ledger: Arc<Ledger>,
    dice: Dice,
    browser: Browser,
    scripted: bool,
    heavy: bool,
    /// How this visitor's patience compares with the mean.
    patience: f64,
    /// When the last page came.
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

/// A place in line and what was told of it first.
#[derive(Debug)]
struct Queued {
    joined: Instant,
    place: Place,
    told: Option<(Instant, Estimate)>,
}

impl Visitor {
    fn new(party: &Party, index: u64, planned: Instant) -> Self {
        let settings = &party.settings;
        let visit = &party.visit;
        let mut dice = settings.dice(party.group).fork(index);
        let impatient = dice.chance(visit.reload_probability);
        let scripted = dice.chance(visit.scripted);
        let patience = dice.between(0.5, 1.5);
        let heavy = dice.chance(visit.heavy);
        let sources = settings.groups[party.group].sources;
        let source = Source::of(sources, settings.number(party.group, index));
        Self {
            group: party.group,
            visit: Arc::clone(visit),
            path: settings.site.path.clone(),
            ledger: Arc::clone(&party.ledger),
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

    /// The whole visit; its end is in the ledger.
    pub(crate) async fn visit(mut self) {
        let ending = match self.pages().await {
            Ok(()) => Ending::Completed,
            Err(Leaves) if self.mid_form => Ending::LostMidForm,
            Err(Leaves) => Ending::GivenUp,
        };
        if self.place.take().is_some() {
            self.ledger.left_line(self.group);
        }
        self.ledger.visit_ended(self.group, ending);
    }

    async fn pages(&mut self) -> Result<(), Leaves> {
        self.page(Ask::get(&self.path.clone())).await?;
        if self.heavy {
            self.think().await;
            self.page(Ask::get(HEAVY)).await?;
        }
        if self.visit.pages == 0 {
            return Ok(());
        }
        self.think().await;
        let mut answer = self.page(Ask::get(FORM)).await?;
        self.mid_form = true;
        for _page in 0..self.visit.pages {
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
        self.since = self.intended;
        self.ledger.page_wanted(self.intended);
        let page = self.tries(ask).await;
        self.ledger.page_settled();
        page
    }

    async fn tries(&mut self, ask: Ask) -> Result<Answer, Leaves> {
        loop {
            match self.browser.navigate(&ask, self.intended).await {
                Seen {
                    outcome: Outcome::Answered(Kind::Page),
                    answer: Some(answer),
                } => {
                    self.inside = true;
                    if let Some(queued) = self.place.take() {
                        self.ledger
                            .entered_from_line(self.group, queued.joined, queued.told);
                    }
                    return Ok(answer);
                }
                Seen {
                    outcome: Outcome::Answered(Kind::Waiting),
                    answer: Some(answer),
                } if self.visit.cookies => {
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
            self.place = Some(Queued {
                joined: self.since,
                place: Place::default(),
                told: None,
            });
            self.ledger.joined_line(self.group, self.inside);
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
            let Some(told) = self.browser.poll(&status, self.intended).await else {
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
        let Some(queued) = &mut self.place else {
            return;
        };
        if queued.told.is_none() {
            queued.told = told.estimate().map(|estimate| (Instant::now(), estimate));
        }
        if queued.place.note(told) {
            self.ledger.place_lost(self.group);
        }
    }

    async fn think(&mut self) {
        let seconds = self.visit.think.as_secs_f64() * self.dice.between(0.5, 1.5);
        self.rest_until(Instant::now() + Duration::from_secs_f64(seconds))
            .await;
    }

    /// Waits `seconds`, up to `jitter` times that more, but not beyond patience.
    async fn pause(&mut self, seconds: f64, jitter: f64) -> Result<(), Leaves> {
        let seconds = seconds.clamp(POLL_MIN, 3_600.0) * self.dice.between(1.0, 1.0 + jitter);
        let bound = if self.place.is_some() {
            self.visit.patience_in_line
        } else {
            self.visit.patience
        };
        let leaves = self.since + bound.mul_f64(self.patience);
        let again = Instant::now() + Duration::from_secs_f64(seconds);
        self.rest_until(again.min(leaves)).await;
        if again < leaves { Ok(()) } else { Err(Leaves) }
    }

    async fn rest_until(&mut self, until: Instant) {
        if until.duration_since(Instant::now()) > self.visit.keep_alive {
            self.browser.hang_up();
        }
        sleep_until(until).await;
        self.intended = until;
    }
}

/// Patience is out, or there is nothing to go on with.
#[derive(Debug)]
struct Leaves;

/// `Retry-After` in seconds.
fn retry_after(answer: &Answer) -> Option<f64> {
    answer.header("retry-after")?.trim().parse().ok()
}
