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

impl Sources<'_> {
    /// Compiles the page.
    pub(super) fn compile<S: Slot>(&self) -> Result<Document<S>, String> {
        let first = self.languages.first().ok_or("no language")?;
        let mut compiler = Compiler {
            sources: self,
            text: Vec::new(),
            slots: Vec::new(),
        };
        compiler.run(self.frame, first, 0)?;
        Ok(Document {
            text: compiler.text,
            slots: compiler.slots,
        })
    }
}

struct Compiler<'a, S> {
    sources: &'a Sources<'a>,
    text: Vec<u8>,
    slots: Vec<(usize, S)>,
}

impl<S: Slot> Compiler<'_, S> {
    fn run(&mut self, template: &str, speech: &Speech<'_>, depth: usize) -> Result<(), String> {
        if depth > DEPTH {
            return Err("texts refer to each other in a circle".to_owned());
        }
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            self.text.extend_from_slice(before.as_bytes());
            let (name, after) = after.split_once("}}").ok_or("`{{` without `}}`")?;
            rest = after;
            let Some(flag) = name.strip_prefix(['#', '^']) else {
                self.place(name, speech, depth)?;
                continue;
            };
            let (inner, after) = rest
                .split_once(&format!("{{{{/{flag}}}}}"))
                .ok_or_else(|| format!("`{{{{{name}}}}}` has no end"))?;
            rest = after;
            if flag == "languages" {
                for speech in self.sources.languages {
                    self.run(inner, speech, depth + 1)?;
                }
            } else if self.holds(flag, speech)? == name.starts_with('#') {
                self.run(inner, speech, depth + 1)?;
            }
        }
        self.text.extend_from_slice(rest.as_bytes());
        Ok(())
    }

    fn holds(&self, flag: &str, speech: &Speech<'_>) -> Result<bool, String> {
        match flag {
            "site" => Ok(!self.sources.site.is_empty()),
            "contact" => Ok(!self.sources.contact.is_empty()),
            "form" => Ok(self.sources.form),
            "alone" => Ok(self.sources.languages.len() == 1),
            "script" => Ok(!self.sources.script.is_empty()),
            "rest" => Ok(self
                .sources
                .languages
                .iter()
                .position(|l| l.index == speech.index)
                > Some(0)),
            _ => {
                let holds = self.sources.phase.holds(flag);
                holds.ok_or_else(|| format!("there is no flag `{flag}`"))
            }
        }
    }

    fn place(&mut self, name: &str, speech: &Speech<'_>, depth: usize) -> Result<(), String> {
        match name {
            "main" => return self.run(self.sources.main, speech, depth + 1),
            "title" => return self.run(self.sources.title, speech, depth + 1),
            "style" => self.text.extend_from_slice(self.sources.style.as_bytes()),
            "notice" => self.text.extend_from_slice(self.sources.notice.as_bytes()),
            "script" => self.text.extend_from_slice(self.sources.script.as_bytes()),
            "lang" => escape::html(speech.tag, &mut self.text),
            "site" => escape::html(self.sources.site, &mut self.text),
            "contact" => escape::html(self.sources.contact, &mut self.text),
            "prefix" => escape::html(self.sources.prefix, &mut self.text),
            _ => return self.place_slot_or_text(name, speech, depth),
        }
        Ok(())
    }

    fn place_slot_or_text(
        &mut self,
        name: &str,
        speech: &Speech<'_>,
        depth: usize,
    ) -> Result<(), String> {
        if let Some(slot) = S::named(name, speech.index) {
            self.slots.push((self.text.len(), slot));
            return Ok(());
        }
        let text = speech
            .catalogue
            .text(name)
            .ok_or_else(|| format!("`{{{{{name}}}}}` is neither a slot nor a text"))?;
        self.run(&escape::html_string(text), speech, depth + 1)
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

    fn page(main: &str) -> Result<String, String> {
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
            frame: "[{{main}}]",
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
        let document = sources.compile::<Number>()?;
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
                "{{#drawn}}d{{/drawn}}{{#early}}e{{/early}}{{^script}}s{{/script}}",
                "[ds]",
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
}
