//! What the pages say of the site.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the pages say of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its name.
    pub name: Option<String>,
    /// Whom visitors may ask for help.
    pub contact: Option<String>,
    /// A template around every page.
    pub page: Option<Template>,
    /// Languages of the pages that belong to no room. Never empty, none twice.
    pub languages: Vec<Language>,
}

/// A template of the operator's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Where it stands.
    pub path: PathBuf,
    /// What stands there.
    pub text: String,
}

/// A language of the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language {
    /// Its tag, such as `en`.
    pub tag: String,
    /// Texts by key that stand instead of Forebay's own, or all of a language
    /// of which Forebay has none.
    pub texts: BTreeMap<String, String>,
}
