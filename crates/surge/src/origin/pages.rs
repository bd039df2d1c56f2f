//! The portal's pages: a welcome, a form of several pages, a thank-you.

use std::fmt::Write as _;

/// One look for all pages, served from `/static/style.css`.
pub(super) const STYLE: &str = include_str!("style.css");

/// Headings and fields of the form; a longer form repeats the last but one.
const FORM: [(&str, &[(&str, &str)]); 3] = [
    (
        "About you",
        &[("name", "Your full name"), ("email", "Email address")],
    ),
    (
        "Your home",
        &[("street", "Street and number"), ("town", "Town or village")],
    ),
    (
        "Your project",
        &[
            ("work", "What will be done?"),
            ("cost", "Estimated cost, in dollars"),
        ],
    ),
];

/// `/`
pub(super) fn welcome(pages: u32) -> String {
    let steps = if pages == 1 {
        "one short page".to_owned()
    } else {
        format!("{pages} short pages")
    };
    page(
        "Home renovation grant",
        &format!(
            "<p class=\"lead\">Rivermark pays up to $5,000 towards insulation, windows and \
             heating. Applications for this year open today.</p>\
             <p><a class=\"button\" href=\"/apply/1\">Start my application</a></p>\
             <h2>Before you start</h2>\
             <ul><li>The form has {steps} and takes about ten minutes.</li>\
             <li>Have a recent quote of your contractor at hand.</li>\
             <li>You need not sign in.</li></ul>"
        ),
    )
}

/// `/apply/STEP`, 1 to `pages`; `token` tells a second post of this page from the first.
pub(super) fn form(step: u32, pages: u32, token: u64) -> String {
    let index = (step as usize - 1).min(FORM.len() - 1);
    let (heading, fields) = FORM[index];
    let last = step == pages;
    let mut body = format!(
        "<p class=\"step\">Step {step} of {pages}</p>\
         <progress max=\"{pages}\" value=\"{step}\">{step} of {pages}</progress>\
         <form method=\"post\" action=\"/apply/{step}\">\
         <input type=\"hidden\" name=\"token\" value=\"{token:016x}\">"
    );
    for (name, label) in fields {
        // Writing into a String cannot fail.
        let written = write!(
            body,
            "<label for=\"{name}\">{label}</label><input id=\"{name}\" name=\"{name}\">"
        );
        debug_assert!(written.is_ok());
    }
    body.push_str(if last {
        "<button>Send my application</button></form>"
    } else {
        "<button>Continue</button></form>"
    });
    page(heading, &body)
}

/// `/apply/done`
pub(super) fn done(reference: u64) -> String {
    let reference = reference & 0xffff_ffff;
    page(
        "Thank you",
        &format!(
            "<p class=\"lead\">Your application has been received.</p>\
             <p>Your reference is <strong>RM-{reference:08x}</strong>. We answer within ten \
             working days.</p><p><a href=\"/\">Back to the start</a></p>"
        ),
    )
}

/// Whatever is not there.
pub(super) fn missing() -> String {
    page(
        "Page not found",
        "<p>There is no such page. <a href=\"/\">Back to the start</a></p>",
    )
}

/// `/slow`: a page of many times the usual work.
pub(super) fn slow() -> String {
    page(
        "Yearly report",
        "<p class=\"lead\">This page is many times the usual work.</p>",
    )
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · Rivermark</title>\
         <link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/static/style.css\">\
         </head><body><header><span class=\"crest\" aria-hidden=\"true\"></span>\
         <span><strong>Rivermark</strong> Online services</span></header>\
         <main><h1>{title}</h1>{body}</main>\
         <footer>A model portal for demonstrations. Nothing that you type is kept.</footer>\
         </body></html>\n"
    )
}
