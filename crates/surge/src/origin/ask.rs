//! What a request asks of the portal: how much work that is, and what answers it.

use http::header::SET_COOKIE;
use http::request::Parts;
use http::{Method, StatusCode};

use super::answer::{Answer, html, see_other, style};
use super::class::Class;
use super::machine::{Form, Machine};
use super::{pages, session};

/// A request, understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Welcome,
    /// The page of many times the usual work.
    Slow,
    Style,
    /// A page of the form, counted from 1.
    Step {
        step: u32,
        /// Whether the visitor has the portal's cookie.
        known: bool,
    },
    /// A page of the form, posted; without a key it came from nowhere.
    Post {
        step: u32,
        key: Option<u64>,
    },
    ThankYou,
    Missing,
}

impl Ask {
    /// What `head` asks of a portal whose form has so many `pages`.
    pub(super) fn read(head: &Parts, posted: &[u8], pages: u32) -> Self {
        let path = head.uri.path();
        let step = path
            .strip_prefix("/apply/")
            .and_then(|step| step.parse().ok())
            .filter(|step| (1..=pages).contains(step));
        let known = session::is_known(&head.headers);
        match (head.method == Method::POST, path, step) {
            (true, _, Some(step)) => {
                let key = session::post_key(&head.headers, posted);
                let key = key.filter(|_key| known);
                Self::Post { step, key }
            }
            (false, _, Some(step)) => Self::Step { step, known },
            (false, "/", None) => Self::Welcome,
            (false, "/slow", None) => Self::Slow,
            (false, "/apply/done", None) => Self::ThankYou,
            (false, "/static/style.css", None) => Self::Style,
            _nothing => Self::Missing,
        }
    }

    pub(super) const fn class(self, pages: u32) -> Class {
        match self {
            Self::Welcome | Self::Step { .. } | Self::ThankYou => Class::Page,
            Self::Slow => Class::Heavy,
            Self::Style | Self::Missing => Class::Asset,
            Self::Post { step, .. } => Class::Post {
                last: step == pages,
            },
        }
    }

    /// The page of the form that is posted with it.
    pub(super) fn form(self, pages: u32) -> Option<Form> {
        match self {
            Self::Post { step, key } => Some(Form {
                key: key?,
                last: step == pages,
            }),
            _no_post => None,
        }
    }

    /// The answer, when the work is done.
    pub(super) fn answer(self, machine: &Machine) -> Answer {
        let pages = machine.settings().pages;
        match self {
            Self::Welcome => html(StatusCode::OK, pages::welcome(pages)),
            Self::Slow => html(StatusCode::OK, pages::slow()),
            Self::Style => style(pages::STYLE),
            Self::Step { step, known: true } => form(step, pages, machine.throw().0),
            Self::Step { step: 1, .. } => {
                let (token, session) = machine.throw();
                let mut page = form(1, pages, token);
                page.headers_mut()
                    .insert(SET_COOKIE, session::cookie(session));
                page
            }
            Self::Step { .. } | Self::Post { key: None, .. } => see_other("/apply/1"),
            Self::Post { step, .. } if step == pages => see_other("/apply/done"),
            Self::Post { step, .. } => see_other(&format!("/apply/{}", step + 1)),
            Self::ThankYou => html(StatusCode::OK, pages::done(machine.throw().0)),
            Self::Missing => html(StatusCode::NOT_FOUND, pages::missing()),
        }
    }
}

fn form(step: u32, pages: u32, token: u64) -> Answer {
    html(StatusCode::OK, pages::form(step, pages, token))
}
