//! A visitor's browser: cookies, redirects, one connection, and what came of each request.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use super::Party;
use super::ask::{Ask, Asker};
use crate::cookies::Cookies;
use crate::crowd::gate::Gate;
use crate::crowd::source::Source;
use crate::crowd::{CrowdSettings, Visit};
use crate::ledger::Ledger;
use crate::outcome::{Kind, Outcome};
use crate::place::{self, Told};
use crate::wire::{Answer, Connection, Keep};

/// Redirects followed for one page, as browsers bound them.
const REDIRECTS_MAX: u32 = 10;

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) outcome: Outcome,
    /// Whole answers only.
    pub(crate) answer: Option<Answer>,
}

/// One visitor's browser.
#[derive(Debug)]
pub(crate) struct Browser {
    settings: Arc<CrowdSettings>,
    visit: Arc<Visit>,
    group: usize,
    ledger: Arc<Ledger>,
    gate: Gate,
    source: Source,
    /// None: a program that keeps none.
    cookies: Option<Cookies>,
    impatient: bool,
    connection: Option<(Connection, OwnedSemaphorePermit)>,
}

impl Browser {
    pub(super) fn new(party: &Party, source: Source) -> Self {
        Self {
            settings: Arc::clone(&party.settings),
            visit: Arc::clone(&party.visit),
            group: party.group,
            ledger: Arc::clone(&party.ledger),
            gate: party.gate.clone(),
            source,
            cookies: party.visit.cookies.then(Cookies::default),
            impatient: false,
            connection: None,
        }
    }

    /// Reloads when a page takes too long, if `impatient`.
    pub(crate) fn impatient(self, impatient: bool) -> Self {
        Self { impatient, ..self }
    }

    /// Closes the connection, if one is open.
    pub(crate) fn hang_up(&mut self) {
        self.connection = None;
    }

    /// Asks for a page, meant to be asked for at `intended`, and follows redirects.
    pub(crate) async fn navigate(&mut self, ask: &Ask, intended: Instant) -> Seen {
        let mut seen = self.look(ask, intended).await;
        for _redirect in 0..REDIRECTS_MAX {
            let Some(next) = seen
                .answer
                .as_ref()
                .and_then(|answer| self.redirect(answer))
            else {
                return seen;
            };
            seen = self.look(&next, Instant::now()).await;
        }
        // Round in circles: no page, whatever the last answer was.
        Seen {
            outcome: Outcome::Answered(Kind::ServerError),
            ..seen
        }
    }

    /// Asks for the place in line; none: no whole answer, or none that says it.
    pub(crate) async fn poll(&mut self, path: &str, intended: Instant) -> Option<Told> {
        self.ledger.request_begun(self.group);
        let request = self.written(&Ask::get(path), Asker::Script);
        let sent = self.send(&request).await;
        let told = sent
            .as_ref()
            .ok()
            .and_then(|answer| place::in_status(&answer.body));
        let outcome = match &sent {
            Ok(_status) if told.is_some() => Outcome::Answered(Kind::Waiting),
            Ok(answer) => Outcome::Answered(Kind::of(answer)),
            Err(outcome) => *outcome,
        };
        self.ledger
            .request_ended(self.group, outcome, intended.elapsed());
        told
    }

    /// Where a script would ask for the place, as far as the cookies tell.
    pub(crate) fn status_path(&self) -> Option<String> {
        let room = self.cookies.as_ref()?.room()?;
        Some(format!("/__forebay/status?room={room}"))
    }

    /// One request for a page, from its begin to its one outcome.
    async fn look(&mut self, ask: &Ask, intended: Instant) -> Seen {
        self.ledger.request_begun(self.group);
        let asker = if self.cookies.is_some() {
            Asker::Person
        } else {
            Asker::Bot
        };
        let request = self.written(ask, asker);
        let sent = if self.impatient {
            let reloads = self.visit.reload_after;
            timeout(reloads, self.send(&request))
                .await
                .unwrap_or(Err(Outcome::Abandoned))
        } else {
            self.send(&request).await
        };
        let (outcome, answer) = match sent {
            Ok(answer) => (Outcome::Answered(Kind::of(&answer)), Some(answer)),
            Err(outcome) => (outcome, None),
        };
        self.ledger
            .request_ended(self.group, outcome, intended.elapsed());
        Seen { outcome, answer }
    }

    fn written(&self, ask: &Ask, asker: Asker) -> String {
        ask.written(
            &self.settings.site.host,
            asker,
            self.source,
            self.cookies.as_ref(),
        )
    }

    async fn send(&mut self, request: &str) -> Result<Answer, Outcome> {
        let (mut connection, permit) = self.connect().await?;
        let bound = self.visit.request_timeout;
        let exchange = connection.ask(request.as_bytes(), bound, Keep::All).await?;
        if exchange.reset_at_end {
            self.ledger.reset_at_end(self.group);
        }
        self.connection = exchange.stays.then_some((connection, permit));
        if let Some(cookies) = &mut self.cookies {
            exchange
                .answer
                .all("set-cookie")
                .for_each(|field| cookies.set(field));
        }
        Ok(exchange.answer)
    }

    /// The connection that is still open, or a new one.
    async fn connect(&mut self) -> Result<(Connection, OwnedSemaphorePermit), Outcome> {
        if let Some((mut connection, permit)) = self.connection.take()
            && connection.reusable(self.visit.keep_alive)?
        {
            return Ok((connection, permit));
        }
        let permit = self.gate.enter(&self.ledger).await;
        let bound = self.visit.connect_timeout;
        let site = &self.settings.site;
        let connection = Connection::open(site, self.source.bound(), bound).await?;
        Ok((connection, permit))
    }

    /// Where a redirect leads on this site.
    fn redirect(&self, answer: &Answer) -> Option<Ask> {
        if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let location = answer.header("location")?;
        let here = format!("http://{}", self.settings.site.host);
        let path = location.strip_prefix(&here).unwrap_or(location);
        path.starts_with('/').then(|| Ask::get(path))
    }
}
