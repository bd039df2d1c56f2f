//! The portal: what all connections share, and what a request becomes in it.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;

use super::answer::{Answer, Content, json, plain};
use super::ask::Ask;
use super::condition::Condition;
use super::machine::{Done, Machine, Unanswered};
use super::settings::OriginSettings;
use super::stats::OriginStats;

/// Longest form that is read.
const FORM_MAX: usize = 64 * 1024;

/// Everything the connections share.
#[derive(Debug)]
pub(super) struct Portal {
    pub(super) machine: Machine,
    /// Connections open now.
    pub(super) open: AtomicU64,
    /// Connections that were reset.
    pub(super) reset: AtomicU64,
}

impl Portal {
    pub(super) fn new(settings: OriginSettings) -> Self {
        Self {
            machine: Machine::new(settings),
            open: AtomicU64::new(0),
            reset: AtomicU64::new(0),
        }
    }

    pub(super) fn stats(&self) -> OriginStats {
        OriginStats {
            reset: self.reset.load(Ordering::Relaxed),
            connections: self.open.load(Ordering::Relaxed),
            ..self.machine.stats()
        }
    }

    pub(super) fn count_reset(&self) {
        self.reset.fetch_add(1, Ordering::Relaxed);
    }

    /// The answer of `server` to one request.
    pub(super) async fn answer(
        &self,
        server: usize,
        request: Request<Incoming>,
    ) -> Result<Answer, Unanswered> {
        let (head, body) = request.into_parts();
        let posted = Limited::new(body, FORM_MAX).collect().await;
        let Ok(posted) = posted.map(|body| body.to_bytes()) else {
            return Ok(plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                "This form is too long.\n",
            ));
        };
        if let Some(path) = head.uri.path().strip_prefix("/__origin/") {
            return Ok(self.backstage(&head.method, path, &posted));
        }
        self.machine.listening().await;
        let pages = self.machine.settings().pages;
        let ask = Ask::read(&head, &posted, pages);
        let done = self.machine.work(server, ask.class(pages), ask.form(pages));
        Ok(match done.await? {
            Done::Whole => ask.answer(&self.machine),
            Done::Truncated => ask.answer(&self.machine).map(Content::cut),
            Done::Failed => plain(StatusCode::INTERNAL_SERVER_ERROR, "Out of order.\n"),
        })
    }

    /// What the origin itself is asked, not the portal. Neither work nor counted.
    fn backstage(&self, method: &Method, path: &str, posted: &Bytes) -> Answer {
        match (method, path) {
            (&Method::GET, "stats") => shown(&self.stats()),
            (&Method::GET, "condition") => shown(&self.machine.condition()),
            (&Method::POST, "condition") => match serde_json::from_slice::<Condition>(posted) {
                Err(error) => plain(StatusCode::BAD_REQUEST, format!("{error}\n")),
                Ok(condition) => match condition.problem() {
                    Some(problem) => plain(StatusCode::BAD_REQUEST, format!("{problem}\n")),
                    None => {
                        self.machine.set(condition.clone());
                        shown(&condition)
                    }
                },
            },
            (_, "stats" | "condition") => plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "GET stats; GET or POST condition.\n",
            ),
            _nothing => plain(StatusCode::NOT_FOUND, "There is stats, and condition.\n"),
        }
    }
}

fn shown(value: &impl serde::Serialize) -> Answer {
    json(serde_json::to_vec(value).expect("counts and conditions are always JSON"))
}
