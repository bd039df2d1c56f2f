//! The portal: what each address answers, how much work that is, what is counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::condition::Condition;
use super::pages;
use super::settings::OriginSettings;
use super::stats::OriginStats;
use super::tokens::Tokens;
use super::work::Work;
use crate::dice::Dice;

/// Longest form that is read.
const FORM_MAX: usize = 64 * 1024;

/// The portal's cookie: who fills in a form.
const SESSION: &str = "portal-session";

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// Threads and backlog are full: the connection is reset.
    #[error("threads and backlog are full")]
    Overrun,
    /// The origin is stopping.
    #[error("the origin is stopping")]
    Stopping,
}

/// Everything the connections share.
pub(super) struct Portal {
    settings: OriginSettings,
    condition: Mutex<Condition>,
    began: Instant,
    work: Mutex<Work<oneshot::Sender<()>>>,
    changed: Notify,
    dice: Mutex<Dice>,
    tokens: Mutex<Tokens>,
    pub(super) counts: Counts,
}

/// Counted as it happens; see [`OriginStats`] for what each means.
#[derive(Debug, Default)]
pub(super) struct Counts {
    in_flight_max: AtomicU64,
    completed: AtomicU64,
    useful: AtomicU64,
    reset: AtomicU64,
    forms: AtomicU64,
    duplicates: AtomicU64,
    pub(super) connections: AtomicU64,
}

impl Portal {
    pub(super) fn new(settings: OriginSettings) -> Self {
        Self {
            began: Instant::now(),
            condition: Mutex::default(),
            work: Mutex::new(Work::new(settings.clone())),
            changed: Notify::new(),
            dice: Mutex::new(Dice::new(settings.seed)),
            tokens: Mutex::new(Tokens::default()),
            counts: Counts::default(),
            settings,
        }
    }

    pub(super) const fn settings(&self) -> &OriginSettings {
        &self.settings
    }

    pub(super) fn stats(&self) -> OriginStats {
        let counts = &self.counts;
        let completed = load(&counts.completed);
        let useful = load(&counts.useful).min(completed);
        OriginStats {
            in_flight: lock(&self.work).len() as u64,
            in_flight_max: load(&counts.in_flight_max),
            completed,
            useful,
            wasted: completed - useful,
            reset: load(&counts.reset),
            forms: load(&counts.forms),
            duplicates: load(&counts.duplicates),
            connections: load(&counts.connections),
            peak: (self.settings.peak_under(&self.condition()) * 10.0).ceil() / 10.0,
            ..OriginStats::default()
        }
    }

    pub(super) fn set(&self, condition: Condition) {
        *lock(&self.condition) = condition;
    }

    pub(super) fn condition(&self) -> Condition {
        lock(&self.condition).clone()
    }

    /// Whether a new connection would only be reset.
    pub(super) fn is_full(&self) -> bool {
        lock(&self.work).is_full()
    }

    pub(super) fn count_reset(&self) {
        add(&self.counts.reset);
    }

    /// Moves the work on for as long as it is polled.
    pub(super) async fn run(&self) {
        loop {
            match self.advance() {
                Some(next) => tokio::select! {
                    () = tokio::time::sleep_until(next) => {}
                    () = self.changed.notified() => {}
                },
                None => self.changed.notified().await,
            }
        }
    }

    /// Brings the work up to date; says when somebody will be finished next.
    fn advance(&self) -> Option<Instant> {
        let mut work = lock(&self.work);
        for waiting in work.advance(self.began.elapsed()) {
            add(&self.counts.completed);
            // Nobody listens any more: the work was done for a visitor who had left.
            if waiting.send(()).is_ok() {
                add(&self.counts.useful);
            }
        }
        work.next().map(|next| self.began + next)
    }

    /// Takes the time of `weight` pages. Leaving early cancels nothing.
    async fn work(&self, weight: f64) -> Result<(), Unanswered> {
        self.advance();
        let weight = weight * lock(&self.dice).exponential();
        let (waiting, finished) = oneshot::channel();
        {
            let mut work = lock(&self.work);
            work.arrive(weight, waiting)
                .map_err(|_full| Unanswered::Overrun)?;
            self.counts
                .in_flight_max
                .fetch_max(work.len() as u64, Ordering::Relaxed);
        }
        self.changed.notify_one();
        finished.await.map_err(|_stopped| Unanswered::Stopping)
    }

    /// The answer to one request.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Unanswered> {
        let (head, body) = request.into_parts();
        let posted = Limited::new(body, FORM_MAX)
            .collect()
            .await
            .map(|body| body.to_bytes());
        let Ok(posted) = posted else {
            return Ok(plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                "This form is too long.\n",
            ));
        };
        match (head.method == Method::POST, head.uri.path()) {
            (false, "/__origin/stats") => Ok(self.stats_page()),
            (false, "/static/style.css") => {
                self.work(0.1).await?;
                Ok(style())
            }
            (false, "/") => self.page(1.0, pages::welcome(self.settings.pages)).await,
            (false, "/slow") => self.page(20.0, pages::slow()).await,
            (false, "/apply/done") => {
                let reference = lock(&self.dice).next();
                self.page(1.0, pages::done(reference)).await
            }
            (post, path) => match self.step(path) {
                Some(step) if post => self.posted(step, &head.headers, &posted).await,
                Some(step) => self.form(step, &head.headers).await,
                None => {
                    self.work(0.1).await?;
                    Ok(html(StatusCode::NOT_FOUND, pages::missing()))
                }
            },
        }
    }

    /// The form's page number in `path`, if it is one.
    fn step(&self, path: &str) -> Option<u32> {
        let step = path.strip_prefix("/apply/")?.parse().ok()?;
        (1..=self.settings.pages).contains(&step).then_some(step)
    }

    async fn page(&self, weight: f64, text: String) -> Result<Response<Full<Bytes>>, Unanswered> {
        self.work(weight).await?;
        Ok(html(StatusCode::OK, text))
    }

    async fn form(
        &self,
        step: u32,
        headers: &HeaderMap,
    ) -> Result<Response<Full<Bytes>>, Unanswered> {
        self.work(1.0).await?;
        let known = has_session(headers);
        if !known && step > 1 {
            return Ok(see_other("/apply/1"));
        }
        let (token, session) = {
            let mut dice = lock(&self.dice);
            (dice.next(), dice.next())
        };
        let mut page = html(
            StatusCode::OK,
            pages::form(step, self.settings.pages, token),
        );
        if !known {
            let cookie = format!("{SESSION}={session:016x}; Path=/; HttpOnly; SameSite=Lax");
            let cookie = cookie
                .parse()
                .expect("hexadecimal digits are valid in a header");
            page.headers_mut().insert(SET_COOKIE, cookie);
        }
        Ok(page)
    }

    async fn posted(
        &self,
        step: u32,
        headers: &HeaderMap,
        posted: &[u8],
    ) -> Result<Response<Full<Bytes>>, Unanswered> {
        self.work(1.0).await?;
        let Some(token) = form_token(posted).filter(|_token| has_session(headers)) else {
            return Ok(see_other("/apply/1"));
        };
        let last = step == self.settings.pages;
        if !lock(&self.tokens).first_time(token) {
            add(&self.counts.duplicates);
        } else if last {
            add(&self.counts.forms);
        }
        Ok(see_other(&if last {
            "/apply/done".to_owned()
        } else {
            format!("/apply/{}", step + 1)
        }))
    }

    fn stats_page(&self) -> Response<Full<Bytes>> {
        let stats = serde_json::to_vec(&self.stats()).expect("counts are always JSON");
        answer(StatusCode::OK, "application/json", "no-store", stats)
    }
}

fn has_session(headers: &HeaderMap) -> bool {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .any(|pair| {
            pair.trim()
                .split_once('=')
                .is_some_and(|(name, _value)| name == SESSION)
        })
}

/// The `token` field of a form.
fn form_token(posted: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(posted).ok()?;
    let token = text
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))?;
    u64::from_str_radix(token, 16).ok()
}

fn style() -> Response<Full<Bytes>> {
    answer(
        StatusCode::OK,
        "text/css",
        "public, max-age=3600",
        pages::STYLE.into(),
    )
}

fn html(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    answer(status, "text/html; charset=utf-8", "no-store", text.into())
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    answer(status, "text/plain; charset=utf-8", "no-store", text.into())
}

fn see_other(location: &str) -> Response<Full<Bytes>> {
    let mut page = plain(StatusCode::SEE_OTHER, "");
    let location = location
        .parse()
        .expect("the portal's own paths are valid in a header");
    page.headers_mut().insert(LOCATION, location);
    page
}

/// hyper adds `Content-Length` and `Date`.
fn answer(
    status: StatusCode,
    kind: &'static str,
    caching: &'static str,
    body: Vec<u8>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, http::HeaderValue::from_static(caching));
    response
}

/// Locks; a panic elsewhere leaves nothing half-done in what is locked here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

fn load(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
