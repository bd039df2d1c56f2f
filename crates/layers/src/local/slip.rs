//! The small pages about a link to a place: to copy it, to open it, and why it cannot be opened.
//! They work without a script, load nothing, and tell no other site the address they stand at.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};

use super::{link, respond};
use crate::exchange::{Answer, Exchange};
use crate::room::Desk;

/// What such a page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slip {
    /// Here is the link.
    Offer,
    /// Who asks for a link has no place.
    NoPlace,
    /// The button that opens the link.
    Confirm,
    /// Opened before.
    Used,
    /// Too old.
    Expired,
    /// Not a link of ours, or not a whole one.
    Wrong,
    /// Another site sent the form.
    Elsewhere,
    /// Too many are opened just now.
    Full,
}

impl Slip {
    const fn status(self) -> StatusCode {
        match self {
            Self::Offer | Self::Confirm => StatusCode::OK,
            Self::NoPlace => StatusCode::NOT_FOUND,
            Self::Used | Self::Expired => StatusCode::GONE,
            Self::Wrong => StatusCode::BAD_REQUEST,
            Self::Elsewhere => StatusCode::FORBIDDEN,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Heading and text.
    const fn words(self, language: Language) -> (&'static str, &'static str) {
        match language {
            Language::English => self.english(),
            Language::French => self.french(),
        }
    }

    const fn english(self) -> (&'static str, &'static str) {
        match self {
            Self::Offer => (
                "Your link to this place",
                "Open this link in another browser to have your place there, too. It works once, \
                 for 30 minutes. Keep it to yourself: whoever opens it has your place.",
            ),
            Self::NoPlace => (
                "You have no place in line here",
                "Open the page that you want to visit. Where there is a line, you get a place.",
            ),
            Self::Confirm => (
                "Have your place here?",
                "This browser gets the place that the link was made for. The link works once.",
            ),
            Self::Used => (
                "This link was used already",
                "Each link works once. Make a new one on the page where you are waiting, or ask \
                 whoever invited you.",
            ),
            Self::Expired => (
                "This link has expired",
                "Your place may still be kept: make a new link on the page where you are \
                 waiting. An invitation comes from whoever invited you.",
            ),
            Self::Wrong => (
                "This link does not work",
                "Perhaps a part of it is missing. Copy all of it, or make a new one on the page \
                 where you are waiting.",
            ),
            Self::Elsewhere => (
                "Please open the link itself",
                "Another website sent you here. Nothing has changed.",
            ),
            Self::Full => (
                "Please try again in two minutes",
                "Many links are being opened just now. Yours has not been used.",
            ),
        }
    }

    const fn french(self) -> (&'static str, &'static str) {
        match self {
            Self::Offer => (
                "Votre lien vers cette place",
                "Ouvrez ce lien dans un autre navigateur pour y avoir aussi votre place. Il \
                 fonctionne une seule fois, pendant 30 minutes. Gardez-le pour vous : qui l’ouvre \
                 a votre place.",
            ),
            Self::NoPlace => (
                "Vous n’avez pas de place dans la file",
                "Ouvrez la page que vous voulez visiter. S’il y a une file, vous y recevrez une \
                 place.",
            ),
            Self::Confirm => (
                "Avoir votre place ici ?",
                "Ce navigateur reçoit la place pour laquelle le lien a été créé. Le lien \
                 fonctionne une seule fois.",
            ),
            Self::Used => (
                "Ce lien a déjà été utilisé",
                "Chaque lien fonctionne une seule fois. Créez-en un nouveau sur la page où vous \
                 attendez, ou adressez-vous à qui vous a invité.",
            ),
            Self::Expired => (
                "Ce lien a expiré",
                "Votre place est peut-être encore gardée : créez un nouveau lien sur la page où \
                 vous attendez. Une invitation vient de qui vous a invité.",
            ),
            Self::Wrong => (
                "Ce lien ne fonctionne pas",
                "Il en manque peut-être une partie. Copiez-le en entier, ou créez-en un nouveau \
                 sur la page où vous attendez.",
            ),
            Self::Elsewhere => (
                "Veuillez ouvrir le lien lui-même",
                "Un autre site vous a envoyé ici. Rien n’a changé.",
            ),
            Self::Full => (
                "Veuillez réessayer dans deux minutes",
                "Beaucoup de liens sont ouverts en ce moment. Le vôtre n’a pas été utilisé.",
            ),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    English,
    French,
}

impl Language {
    const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    const fn button(self) -> &'static str {
        match self {
            Self::English => "Have my place here",
            Self::French => "Avoir ma place ici",
        }
    }

    const fn go_on(self) -> &'static str {
        match self {
            Self::English => "Go to the website",
            Self::French => "Aller sur le site",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::English => "Link",
            Self::French => "Lien",
        }
    }
}

/// The languages of the answer: that of the room's pages for this visitor, or all of them when
/// that is not known; English where these pages do not speak it.
fn languages(exchange: &Exchange, desk: &Desk) -> Vec<Language> {
    let wanted = exchange.head.headers.get(ACCEPT_LANGUAGE);
    let wanted = wanted.and_then(|value| value.to_str().ok());
    let pages = desk.pages();
    let tags = pages.content_language(pages.choose(wanted));
    let tags = tags.to_str().unwrap_or_default().split(',').map(str::trim);
    let known = |tag: &str| match tag {
        "en" => Some(Language::English),
        "fr" => Some(Language::French),
        _ => None,
    };
    let found: Vec<_> = tags.filter_map(known).collect();
    if found.is_empty() {
        vec![Language::English]
    } else {
        found
    }
}

const STYLE: &str = "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:36rem;margin:0 auto;\
padding:2rem 1rem;color:#1b2a2e;background:#fff}h1{font-size:1.5rem;line-height:1.25}\
button{font:inherit;font-weight:600;padding:.75rem 1.25rem;border:2px solid #0b6477;\
border-radius:.5rem;background:#0b6477;color:#fff;cursor:pointer}input{font:inherit;width:100%;\
box-sizing:border-box;padding:.5rem;border:1px solid #5b6b70;border-radius:.25rem;color:inherit;\
background:inherit}a{color:#0b6477}:focus-visible{outline:3px solid #e08a00;outline-offset:3px}\
section+section{border-top:1px solid #5b6b70;margin-top:2rem}@media(prefers-color-scheme:dark){\
body{color:#e6eef0;background:#10191c}a{color:#7cc7d6}}";

/// Nothing runs or is loaded, and the form goes to this site.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let text = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// The page that shows a link.
pub(super) fn offer(exchange: &Exchange, desk: &Desk, link: &str) -> Answer {
    page(exchange, desk, Slip::Offer, link)
}

/// Any of the other pages.
pub(super) fn slip(exchange: &Exchange, desk: &Desk, slip: Slip) -> Answer {
    page(exchange, desk, slip, "")
}

fn page(exchange: &Exchange, desk: &Desk, slip: Slip, link: &str) -> Answer {
    let languages = languages(exchange, desk);
    let to = link::asked_for(exchange).unwrap_or_else(|| "/".to_owned());
    let body = document(slip, &languages, link, &to);
    let mut answer = respond(body.into_bytes(), "text/html; charset=utf-8", None);
    *answer.response.status_mut() = slip.status();
    let headers = answer.response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The code is in the address: where somebody goes from here learns the host at most.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    if slip == Slip::Full {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("120"));
    }
    answer
}

fn document(slip: Slip, languages: &[Language], link: &str, to: &str) -> String {
    let (link, to) = (escaped(link), escaped(to));
    let first = languages.first().copied().unwrap_or(Language::English);
    let titles: Vec<_> = languages.iter().map(|one| slip.words(*one).0).collect();
    let mut out = format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>{}</title>\
         <style>{STYLE}</style></head><body><main>",
        first.tag(),
        titles.join(" / "),
    );
    for language in languages {
        let (tag, (heading, text)) = (language.tag(), slip.words(*language));
        out.push_str(&format!(
            "<section lang=\"{tag}\"><h1>{heading}</h1><p>{text}</p>"
        ));
        let more = match slip {
            Slip::Offer => format!(
                "<p><label>{} <input readonly value=\"{link}\"></label></p>",
                language.label()
            ),
            Slip::Confirm => format!(
                "<form method=\"post\"><button>{}</button></form>",
                language.button()
            ),
            _ => format!("<p><a href=\"{to}\">{}</a></p>", language.go_on()),
        };
        out.push_str(&more);
        out.push_str("</section>");
    }
    out.push_str("</main></body></html>");
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Slip; 8] = [
        Slip::Offer,
        Slip::NoPlace,
        Slip::Confirm,
        Slip::Used,
        Slip::Expired,
        Slip::Wrong,
        Slip::Elsewhere,
        Slip::Full,
    ];

    #[test]
    fn every_slip_speaks_both_languages_and_says_what_to_do() {
        for slip in ALL {
            let both = [Language::English, Language::French];
            let text = document(slip, &both, "http://a/?b&c", "/\"><script>");
            assert!(text.contains("<html lang=\"en\">"), "{slip:?}");
            assert!(text.contains("<section lang=\"fr\">"), "{slip:?}");
            assert!(!text.contains("<script"), "{slip:?}");
            let deeds = text.matches("<form").count()
                + text.matches("<input").count()
                + text.matches("<a href").count();
            assert_eq!(deeds, 2, "one in each language: {slip:?}");
            assert!(text.len() < 14_000, "{slip:?}");
        }
        let shown = document(Slip::Offer, &[Language::English], "http://a/?b&c", "/");
        assert!(shown.contains("value=\"http://a/?b&amp;c\""), "{shown}");
    }
}
