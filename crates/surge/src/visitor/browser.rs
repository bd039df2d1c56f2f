//! A visitor's browser: cookies, redirects, one connection, and what came of each request.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::ask::{Ask, Asker};
use crate::cookies::Cookies;
use crate::crowd::CrowdSettings;
use crate::ledger::Ledger;
use crate::outcome::{Kind, Outcome};
use crate::place::{self, Told};
use crate::wire::{Answer, Connection};

/// Redirects followed for one page, as browsers bound them.
const REDIRECTS_MAX: u32 = 10;

/// Bounds the connections of the whole crowd.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(crate) fn new(connections: usize) -> Self {
        Self(Arc::new(Semaphore::new(
            connections.min(Semaphore::MAX_PERMITS),
        )))
    }

    /// Room for one more connection, waiting if there is none; the waiting is counted.
    async fn enter(&self, ledger: &Ledger) -> OwnedSemaphorePermit {
        if let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() {
            return permit;
        }
        ledger.connection_waited_for();
        Arc::clone(&self.0)
            .acquire_owned()
            .await
            .expect("the gate is never closed")
    }
}

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
    ledger: Arc<Ledger>,
    gate: Gate,
    source: Option<IpAddr>,
    /// None: a program that keeps none.
    cookies: Option<Cookies>,
    impatient: bool,
    connection: Option<(Connection, OwnedSemaphorePermit)>,
}

impl Browser {
    pub(crate) fn new(
        settings: Arc<CrowdSettings>,
        ledger: Arc<Ledger>,
        gate: &Gate,
        index: u64,
    ) -> Self {
        let source = settings.own_addresses.then(|| own_address(index));
        let (gate, cookies) = (gate.clone(), Some(Cookies::default()));
        Self {
            settings,
            ledger,
            gate,
            source,
            cookies,
            impatient: false,
            connection: None,
        }
    }

    /// Keeps no cookies, if `without`.
    pub(crate) fn without_cookies(self, without: bool) -> Self {
        if without {
            Self {
                cookies: None,
                ..self
            }
        } else {
            self
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

    /// Asks for a page and follows redirects.
    pub(crate) async fn navigate(&mut self, ask: &Ask) -> Seen {
        let mut seen = self.look(ask).await;
        for _redirect in 0..REDIRECTS_MAX {
            let Some(next) = seen
                .answer
                .as_ref()
                .and_then(|answer| self.redirect(answer))
            else {
                return seen;
            };
            seen = self.look(&next).await;
        }
        // Round in circles: no page, whatever the last answer was.
        Seen {
            outcome: Outcome::Answered(Kind::ServerError),
            ..seen
        }
    }

    /// Asks for the place in line; none: no whole answer, or none that says it.
    pub(crate) async fn poll(&mut self, path: &str) -> Option<Told> {
        let began = Instant::now();
        self.ledger.request_begun();
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
        self.ledger.request_ended(outcome, began.elapsed());
        told
    }

    /// Where a script would ask for the place, as far as the cookies tell.
    pub(crate) fn status_path(&self) -> Option<String> {
        let room = self.cookies.as_ref()?.room()?;
        Some(format!("/__forebay/status?room={room}"))
    }

    /// One request for a page, from its begin to its one outcome.
    async fn look(&mut self, ask: &Ask) -> Seen {
        let began = Instant::now();
        self.ledger.request_begun();
        let asker = if self.cookies.is_some() {
            Asker::Person
        } else {
            Asker::Bot
        };
        let request = self.written(ask, asker);
        let sent = if self.impatient {
            let reloads = self.settings.reload_after;
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
        self.ledger.request_ended(outcome, began.elapsed());
        Seen { outcome, answer }
    }

    fn written(&self, ask: &Ask, asker: Asker) -> String {
        ask.written(&self.settings.host, asker, self.cookies.as_ref())
    }

    async fn send(&mut self, request: &str) -> Result<Answer, Outcome> {
        let (connection, permit) = self.connect().await?;
        let bound = self.settings.request_timeout;
        let exchange = connection.exchange(request.as_bytes(), bound).await?;
        if exchange.reset_at_end {
            self.ledger.reset_at_end();
        }
        self.connection = exchange.connection.map(|connection| (connection, permit));
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
        if let Some((connection, permit)) = self.connection.take()
            && connection.reusable(self.settings.keep_alive)?
        {
            return Ok((connection, permit));
        }
        let permit = self.gate.enter(&self.ledger).await;
        let bound = self.settings.connect_timeout;
        let connection = Connection::open(self.settings.target, self.source, bound).await?;
        Ok((connection, permit))
    }

    /// Where a redirect leads on this site.
    fn redirect(&self, answer: &Answer) -> Option<Ask> {
        if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let location = answer.header("location")?;
        let here = format!("http://{}", self.settings.host);
        let path = location.strip_prefix(&here).unwrap_or(location);
        path.starts_with('/').then(|| Ask::get(path))
    }
}

/// An address of the loopback net for the `index`-th visitor: four million of them,
/// away from those that servers use.
fn own_address(index: u64) -> IpAddr {
    let [.., high, middle, low] = (index % (1 << 22)).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 64 + high, middle, low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_have_different_addresses_of_the_loopback_net() {
        let text = |index| own_address(index).to_string();
        assert_eq!(
            [text(0), text(1), text(256)],
            ["127.64.0.0", "127.64.0.1", "127.64.1.0"]
        );
        assert_eq!(text((1 << 22) - 1), "127.127.255.255");
    }
}
