//! The document around a page: ours, or the operator's template, which has to keep what makes the
//! pages work and is checked when it is loaded.

use super::squeeze;
use super::template::Mistake;

const OURS: &str = include_str!("../../../../config/pages/page.html");

/// A template of the operator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What messages call it: its path.
    pub name: String,
    /// The document, with `{{title}}`, `{{style}}`, `{{main}}` and `{{script}}`.
    pub text: String,
}

/// A document around pages.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// What messages call it; none: it is ours.
    name: Option<String>,
    pub(super) text: String,
}

impl Frame {
    /// The operator's, or ours.
    pub(super) fn of(template: Option<&Template>) -> Self {
        match template {
            Some(Template { name, text }) => Self {
                name: Some(name.clone()),
                text: text.clone(),
            },
            None => Self {
                name: None,
                text: squeeze::html(OURS),
            },
        }
    }

    /// Style sheets of its own, which the policy has to allow.
    pub(super) fn styles(&self) -> Vec<&str> {
        let elements = self.text.split("<style>").skip(1);
        let styles = elements.filter_map(|rest| Some(rest.split_once("</style>")?.0));
        styles.filter(|style| *style != "{{style}}").collect()
    }

    /// What a compiler of templates does not see.
    pub(super) fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let mut wrong = |at, what: &str| {
            let what = what.to_owned();
            mistakes.push(Mistake { at, what });
        };
        for needed in ["{{title}}", "{{main}}", "{{script}}"] {
            if !self.text.contains(needed) {
                wrong(
                    0,
                    &format!("there is no `{needed}`, without which the pages do not work"),
                );
            }
        }
        for (at, _) in self.text.match_indices("<script") {
            let ours = ["<script>{{script}}</script>", "<script>{{notice}}</script>"];
            if !ours.iter().any(|ours| self.text[at..].starts_with(ours)) {
                wrong(
                    at,
                    "no other scripts run here than `<script>{{script}}</script>`",
                );
            }
        }
        for (at, _) in self.text.match_indices("<style") {
            if !self.text[at..].starts_with("<style>") {
                wrong(at, "write a style sheet as `<style>`, without attributes");
            }
        }
        for style in self
            .styles()
            .into_iter()
            .filter(|style| style.contains("{{"))
        {
            let at = style.as_ptr() as usize - self.text.as_ptr() as usize;
            wrong(at, "a style sheet of its own has no slots");
        }
        for outside in [
            "http://",
            "https://",
            "src=\"//",
            " style=\"",
            "javascript:",
        ] {
            for (at, _) in self.text.match_indices(outside) {
                // The name of a vocabulary is fetched by nobody.
                if !self.text[..at].ends_with(['\'', '"'])
                    || !self.text[..at - 1].ends_with("xmlns=")
                {
                    wrong(
                        at,
                        "browsers are told to load nothing from elsewhere: use `<style>` and `data:` images",
                    );
                }
            }
        }
        mistakes
    }

    /// `NAME:LINE:COLUMN: what`, one a line, in the order of the template.
    pub(super) fn explained(&self, mut mistakes: Vec<Mistake>) -> String {
        mistakes.sort();
        mistakes.dedup();
        let lines = mistakes.into_iter().map(|Mistake { at, what }| {
            let Some(name) = &self.name else { return what };
            // Mistakes stand where `{{` or `<` does, which are whole characters.
            let before = self.text.get(..at).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .chars()
                .count()
                + 1;
            format!("{name}:{line}:{column}: {what}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Frame {
        Frame::of(Some(&Template {
            name: "page.html".to_owned(),
            text: text.to_owned(),
        }))
    }

    #[test]
    fn our_own_frame_has_no_mistakes_and_no_styles_of_its_own() {
        let ours = Frame::of(None);
        assert_eq!(ours.mistakes(), []);
        assert!(ours.styles().is_empty());
        let copy = frame(OURS);
        assert_eq!(copy.mistakes(), []);
    }

    #[test]
    fn a_frame_that_would_not_work_says_why_and_where() {
        const WHOLE: &str = "<title>{{title}}</title>{{main}}<script>{{script}}</script>\n";
        let cases = [
            ("<script>x()</script>", "page.html:2:3: no other scripts"),
            (
                "<script src=\"x\"></script>",
                "page.html:2:3: no other scripts",
            ),
            (
                "<style media=\"print\">",
                "page.html:2:3: write a style sheet as",
            ),
            (
                "<style>a{b:{{c}}}</style>",
                "page.html:2:10: a style sheet of its own",
            ),
            (
                "<p style=\"color:red\">",
                "page.html:2:5: browsers are told to",
            ),
            (
                "<img src=\"https://a/b\">",
                "page.html:2:13: browsers are told to",
            ),
        ];
        for (more, expected) in cases {
            let frame = frame(&format!("{WHOLE}é {more}"));
            let explained = frame.explained(frame.mistakes());
            assert!(explained.starts_with(expected), "{more}: {explained}");
        }
        let empty = frame("");
        assert_eq!(empty.explained(empty.mistakes()).lines().count(), 3);
        let fine = frame(&format!(
            "{WHOLE}<style>a{{b:c}}</style><svg xmlns=\"http://www.w3.org/2000/svg\">"
        ));
        assert_eq!(fine.mistakes(), []);
        assert_eq!(fine.styles(), ["a{b:c}"]);
    }
}
