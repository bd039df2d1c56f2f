//! Templates, compiled once into fixed text with slots between.
//!
//! `{{name}}` is a slot, a setting, or a text of the catalogue; `{{#name}}…{{/name}}` stands only
//! where the flag holds, `{{^name}}…{{/name}}` where it does not; `{{#languages}}…{{/languages}}`
//! stands once per language. Everything but slots is decided here, so that a visitor's page is copied and not computed.

use bytes::Bytes;

use super::catalogue::Catalogue;
use super::escape;
use super::waiting::Phase;

/// How deep texts may refer to texts; a catalogue that refers to itself is an error.
const DEPTH: usize = 8;

/// What can be spliced into one kind of page.
pub(super) trait Slot: Copy {
    /// The slot of this name, for the language with this index.
    fn named(name: &str, language: usize) -> Option<Self>;
}

/// A compiled page.
#[derive(Clone, Debug)]
pub(super) struct Document<S> {
    text: Vec<u8>,
    /// Where in `text` each slot stands, ascending.
    slots: Vec<(usize, S)>,
}

impl<S: Slot> Document<S> {
    /// The page with its slots filled; `spare` is about how many bytes they take.
    pub(super) fn render(&self, spare: usize, mut fill: impl FnMut(S, &mut Vec<u8>)) -> Bytes {
        let mut page = Vec::with_capacity(self.text.len() + spare);
        let mut from = 0;
        for &(at, slot) in &self.slots {
            page.extend_from_slice(&self.text[from..at]);
            fill(slot, &mut page);
            from = at;
        }
        page.extend_from_slice(&self.text[from..]);
        page.into()
    }
}

/// One language that a page speaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speech<'a> {
    /// Its index among all languages.
    pub(super) index: usize,
    /// Its tag, such as `fr`.
    pub(super) tag: &'a str,
    /// Its texts.
    pub(super) catalogue: &'a Catalogue,
}

/// Everything that is known when a page is compiled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sources<'a> {
    /// The document around the page.
    pub(super) frame: &'a str,
    /// Which page it is: `waiting`, `busy` or `error`.
    pub(super) page: &'a str,
    /// The page.
    pub(super) main: &'a str,
    /// The page's title.
    pub(super) title: &'a str,
    /// The style sheet, verbatim.
    pub(super) style: &'a str,
    /// The script, verbatim.
    pub(super) script: &'a str,
    /// The script of the notices, verbatim, for pages of one language: two leave no room for it.
    pub(super) notice: &'a str,
    /// The site's name; empty: none.
    pub(super) site: &'a str,
    /// Whom to call; empty: nobody.
    pub(super) contact: &'a str,
    /// Path prefix of our own resources.
    pub(super) prefix: &'a str,
    /// Whether the request carried a form.
    pub(super) form: bool,
    /// Which texts a waiting page carries.
    pub(super) phase: Phase,
    /// The languages of this edition, one or more.
    pub(super) languages: &'a [Speech<'a>],
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mistake {
    /// Byte of the frame where it stands.
    pub(super) at: usize,
    /// What it is, and what to write.
    pub(super) what: String,
}

impl Sources<'_> {
    /// Compiles the page; what is wrong is added to `mistakes`, and then the page is none.
    pub(super) fn compile<S: Slot>(&self, mistakes: &mut Vec<Mistake>) -> Document<S> {
        let mut compiler = Compiler {
            sources: self,
            text: Vec::new(),
            slots: Vec::new(),
            mistakes,
        };
        match self.languages.first() {
            Some(first) => compiler.run(self.frame, Within::Frame(0), first, 0),
            None => compiler.wrong(0, "there is no language".to_owned()),
        }
        Document {
            text: compiler.text,
            slots: compiler.slots,
        }
    }
}

/// Where the template that is being compiled begins.
#[derive(Clone, Copy)]
enum Within {
    /// At this byte of the frame.
    Frame(usize),
    /// It stands in the frame's place of this byte, and comes from elsewhere.
    Elsewhere(usize),
}

impl Within {
    const fn at(self, offset: usize) -> usize {
        match self {
            Self::Frame(start) => start + offset,
            Self::Elsewhere(place) => place,
        }
    }

    const fn part(self, offset: usize) -> Self {
        match self {
            Self::Frame(start) => Self::Frame(start + offset),
            elsewhere @ Self::Elsewhere(_) => elsewhere,
        }
    }
}

struct Compiler<'a, S> {
    sources: &'a Sources<'a>,
    text: Vec<u8>,
    slots: Vec<(usize, S)>,
    mistakes: &'a mut Vec<Mistake>,
}

impl<S: Slot> Compiler<'_, S> {
    fn wrong(&mut self, at: usize, what: String) {
        self.mistakes.push(Mistake { at, what });
    }

    fn run(&mut self, template: &str, within: Within, speech: &Speech<'_>, depth: usize) {
        if depth > DEPTH {
            return self.wrong(
                within.at(0),
                "texts refer to each other in a circle".to_owned(),
            );
        }
        let mut from = 0;
        while let Some(open) = template[from..].find("{{").map(|at| from + at) {
            self.text
                .extend_from_slice(&template.as_bytes()[from..open]);
            let Some((name, _)) = template[open + 2..].split_once("}}") else {
                return self.wrong(within.at(open), "`{{` without `}}`".to_owned());
            };
            from = open + 2 + name.len() + 2;
            let Some(flag) = name.strip_prefix(['#', '^']) else {
                self.place(name, within.at(open), speech, depth);
                continue;
            };
            let end = format!("{{{{/{flag}}}}}");
            let Some(length) = template[from..].find(&end) else {
                let what = format!("`{{{{{name}}}}}` has no `{end}`");
                return self.wrong(within.at(open), what);
            };
            let inner = &template[from..from + length];
            let part = within.part(from);
            if flag == "languages" {
                for speech in self.sources.languages {
                    self.run(inner, part, speech, depth + 1);
                }
            } else {
                match self.holds(flag, speech) {
                    Some(holds) if holds == name.starts_with('#') => {
                        self.run(inner, part, speech, depth + 1);
                    }
                    Some(_) => {}
                    None => self.wrong(within.at(open), format!("there is no flag `{flag}`")),
                }
            }
            from += length + end.len();
        }
        self.text.extend_from_slice(&template.as_bytes()[from..]);
    }

    /// Whether a flag holds; none: there is no such flag.
    fn holds(&self, flag: &str, speech: &Speech<'_>) -> Option<bool> {
        let sources = self.sources;
        let place = |l: &Speech<'_>| l.index == speech.index;
        Some(match flag {
            "waiting" | "busy" | "error" => sources.page == flag,
            "site" => !sources.site.is_empty(),
            "contact" => !sources.contact.is_empty(),
            "form" => sources.form,
            "alone" => sources.languages.len() == 1,
            "script" => !sources.script.is_empty(),
            "rest" => sources.languages.iter().position(place) > Some(0),
            _ => return sources.phase.holds(flag),
        })
    }

    fn place(&mut self, name: &str, at: usize, speech: &Speech<'_>, depth: usize) {
        let sources = self.sources;
        let elsewhere = Within::Elsewhere(at);
        match name {
            "main" => self.run(sources.main, elsewhere, speech, depth + 1),
            "title" => self.run(sources.title, elsewhere, speech, depth + 1),
            "style" => self.text.extend_from_slice(sources.style.as_bytes()),
            "notice" => self.text.extend_from_slice(sources.notice.as_bytes()),
            "script" => self.text.extend_from_slice(sources.script.as_bytes()),
            "lang" => escape::html(speech.tag, &mut self.text),
            "site" => escape::html(sources.site, &mut self.text),
            "contact" => escape::html(sources.contact, &mut self.text),
            "prefix" => escape::html(sources.prefix, &mut self.text),
            _ => self.place_slot_or_text(name, elsewhere, speech, depth),
        }
    }

    fn place_slot_or_text(
        &mut self,
        name: &str,
        within: Within,
        speech: &Speech<'_>,
        depth: usize,
    ) {
        if let Some(slot) = S::named(name, speech.index) {
            self.slots.push((self.text.len(), slot));
            return;
        }
        match speech.catalogue.text(name) {
            Some(text) => self.run(&escape::html_string(text), within, speech, depth + 1),
            None => {
                let what = format!("`{{{{{name}}}}}` is neither a slot nor a text of these pages");
                self.wrong(within.at(0), what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Number(usize);

    impl Slot for Number {
        fn named(name: &str, language: usize) -> Option<Self> {
            (name == "n").then_some(Self(language))
        }
    }

    fn page(main: &str) -> Result<String, Vec<Mistake>> {
        framed("[{{main}}]", main)
    }

    fn framed(frame: &str, main: &str) -> Result<String, Vec<Mistake>> {
        let catalogue = Catalogue::parse(
            r#"hi = "<{{n}}>"
loop = "{{loop}}""#,
        )
        .unwrap();
        let languages = [(0, "en"), (1, "fr")].map(|(index, tag)| Speech {
            index,
            tag,
            catalogue: &catalogue,
        });
        let sources = Sources {
            frame,
            page: "busy",
            main,
            title: "",
            style: "",
            script: "",
            notice: "",
            site: "a&b",
            contact: "",
            prefix: "",
            form: true,
            phase: Phase::Drawn,
            languages: &languages,
        };
        let mut mistakes = Vec::new();
        let document = sources.compile::<Number>(&mut mistakes);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let bytes = document.render(0, |slot, out| {
            out.extend_from_slice(slot.0.to_string().as_bytes())
        });
        Ok(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn a_template_says_what_stands_where() {
        let cases = [
            ("plain", "[plain]"),
            ("{{n}}{{site}}", "[0a&amp;b]"),
            ("{{hi}}", "[&lt;0&gt;]"),
            (
                "{{#languages}}{{#rest}}/{{/rest}}{{lang}}{{n}}{{/languages}}",
                "[en0/fr1]",
            ),
            (
                "{{#form}}f{{/form}}{{^form}}g{{/form}}{{#contact}}c{{/contact}}",
                "[f]",
            ),
            (
                "{{#drawn}}d{{/drawn}}{{#early}}e{{/early}}{{^script}}s{{/script}}{{#busy}}b{{/busy}}",
                "[dsb]",
            ),
        ];
        for (main, expected) in cases {
            assert_eq!(page(main).unwrap(), expected);
        }
    }

    #[test]
    fn a_broken_template_is_an_error_and_not_a_page() {
        for main in [
            "{{n",
            "{{none}}",
            "{{#form}}",
            "{{#none}}{{/none}}",
            "{{loop}}",
        ] {
            assert!(page(main).is_err(), "{main}");
        }
    }

    #[test]
    fn every_mistake_of_a_frame_has_its_place() {
        let places = |frame: &str, main: &str| -> Vec<usize> {
            let mistakes = framed(frame, main).unwrap_err();
            mistakes.into_iter().map(|mistake| mistake.at).collect()
        };
        let cases: [(&str, &str, &[usize]); 5] = [
            ("{{a}} {{b}}", "", &[0, 6]),
            ("é{{#form}}-{{a}}{{/form}}", "", &[12]),
            ("é{{#form}}-{{a", "", &[2]),
            ("--{{main}}{{x}}", "{{y}}{{z}}", &[2, 2, 10]),
            ("{{#busy}}{{^form}}{{a}}{{/form}}{{/busy}}{{b", "", &[41]),
        ];
        for (frame, main, expected) in cases {
            assert_eq!(places(frame, main), expected, "{frame}");
        }
    }
}
