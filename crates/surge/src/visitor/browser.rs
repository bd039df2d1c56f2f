//! A visitor's browser: cookies, one connection, and what came of each request.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use super::ask::{Ask, Asker};
use super::party::Party;
use super::retry_after;
use crate::cookies::Cookies;
use crate::crowd::farewell;
use crate::crowd::source::Source;
use crate::outcome::{Kind, Outcome};
use crate::place::{self, Told};
use crate::wire::{Answer, Connection, Keep};

/// What came of a request.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) outcome: Outcome,
    /// Whole answers only.
    pub(super) answer: Option<Answer>,
}

/// What came of a question for the place in line.
#[derive(Debug)]
pub(super) enum Polled {
    /// It was told.
    Told(Told),
    /// There is no such room.
    NoRoom,
    /// No whole answer, or none that says it.
    Failed {
        /// Seconds that the answer named.
        retry_after: Option<f64>,
    },
}

/// One visitor's browser.
#[derive(Debug)]
pub(super) struct Browser {
    party: Arc<Party>,
    source: Source,
    /// None: a program that keeps none.
    cookies: Option<Cookies>,
    impatient: bool,
    connection: Option<(Connection, OwnedSemaphorePermit)>,
}

impl Browser {
    pub(super) fn new(party: &Arc<Party>, source: Source) -> Self {
        Self {
            party: Arc::clone(party),
            source,
            cookies: party.visit.cookies.then(Cookies::default),
            impatient: false,
            connection: None,
        }
    }

    /// Reloads when a page takes too long, if `impatient`.
    pub(super) fn impatient(self, impatient: bool) -> Self {
        Self { impatient, ..self }
    }

    /// Closes the connection, if one is open.
    pub(super) fn hang_up(&mut self) {
        self.connection = None;
    }

    /// One request for a page, meant to be made at `intended`, to its one outcome; `inside`:
    /// by somebody who has got a page before.
    pub(super) async fn look(&mut self, ask: &Ask, intended: Instant, inside: bool) -> Seen {
        let asker = if self.cookies.is_some() {
            Asker::Person
        } else {
            Asker::Bot
        };
        let request = self.written(ask, asker);
        self.begins();
        let sent = if self.impatient {
            let reloads = self.party.visit.reload_after;
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
        self.ended(outcome, intended);
        if inside {
            let (ledger, group) = (&self.party.ledger, self.party.group);
            ledger.insider_asked(group, ask.form.is_some(), outcome);
        }
        Seen { outcome, answer }
    }

    /// Asks for the place in line, as the waiting page's script does; the answer may be kept back
    /// for the last seconds before the turn.
    pub(super) async fn poll(&mut self, path: &str, intended: Instant) -> Polled {
        let request = self.written(&Ask::get(&format!("{path}&wait=1")), Asker::Script);
        self.begins();
        let sent = self.send(&request).await;
        let polled = match &sent {
            Ok(answer) if answer.status == 404 => Polled::NoRoom,
            Ok(answer) => match place::in_status(&answer.body) {
                Some(told) if answer.status < 300 => Polled::Told(told),
                _ => Polled::Failed {
                    retry_after: retry_after(answer),
                },
            },
            Err(_outcome) => Polled::Failed { retry_after: None },
        };
        let outcome = match (&polled, &sent) {
            (Polled::Told(_), _) => Outcome::Answered(Kind::Waiting),
            (_, Ok(answer)) => Outcome::Answered(Kind::of(answer)),
            (_, Err(outcome)) => *outcome,
        };
        self.ended(outcome, intended);
        polled
    }

    /// Asks at once for what the waiting page has a browser without a script ask for.
    pub(super) async fn contact(&mut self, path: &str) {
        let intended = Instant::now();
        let request = self.written(&Ask::get(path), Asker::Style);
        self.begins();
        let outcome = match self.send(&request).await {
            // The room's own, and no page of the site.
            Ok(answer) if answer.status < 300 => Outcome::Answered(Kind::Waiting),
            Ok(answer) => Outcome::Answered(Kind::of(&answer)),
            Err(outcome) => outcome,
        };
        self.ended(outcome, intended);
    }

    /// Where a script would ask for the place, as far as the cookies tell.
    pub(super) fn status_path(&self) -> Option<String> {
        let room = self.cookies.as_ref()?.room()?;
        Some(format!("/__forebay/status?room={room}"))
    }

    /// Where a redirect leads on this site.
    pub(super) fn redirect(&self, answer: &Answer) -> Option<Ask> {
        if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let location = answer.header("location")?;
        let path = location
            .strip_prefix("https://")
            .or_else(|| location.strip_prefix("http://"))
            .and_then(|rest| rest.strip_prefix(self.party.settings.site.host.as_str()))
            .unwrap_or(location);
        path.starts_with('/').then(|| Ask::get(path))
    }

    fn begins(&self) {
        self.party.ledger.request_begun(self.party.group);
    }

    fn ended(&self, outcome: Outcome, intended: Instant) {
        let took = intended.elapsed();
        self.party
            .ledger
            .request_ended(self.party.group, outcome, took);
    }

    fn written(&self, ask: &Ask, asker: Asker) -> Vec<u8> {
        let host = &self.party.settings.site.host;
        ask.written(host, asker, self.source, self.cookies.as_ref())
    }

    async fn send(&mut self, request: &[u8]) -> Result<Answer, Outcome> {
        let (mut connection, permit) = self.connect().await?;
        let bound = self.party.visit.request_timeout;
        let exchange = connection.ask(request, bound, Keep::All).await?;
        if exchange.stays {
            self.connection = Some((connection, permit));
        } else if exchange.answer.closes {
            farewell::watch(connection, permit, &self.party.ledger, self.party.group);
        }
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
            && connection.reusable(self.party.visit.keep_alive)?
        {
            return Ok((connection, permit));
        }
        let permit = self.party.gate.enter(&self.party.ledger).await;
        let bound = self.party.visit.connect_timeout;
        let site = &self.party.settings.site;
        let connection = Connection::open(site, self.source.bound(), bound).await?;
        Ok((connection, permit))
    }
}
