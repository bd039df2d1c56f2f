//! Strings, wherever they come from, and what is written as one.

use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde_json::{Value as Json, json};
use toml::de::{DeTable, DeValue};

use super::{Node, Reader, Value};
use crate::checked::Secret;

/// Bytes of a file named by `{ file = "…" }`.
const FILE_SIZE_MAX: u64 = 64 * 1024;

/// A string of the file, or one that the file only points to.
pub(crate) struct Written {
    bytes: Vec<u8>,
    /// How messages name it: itself in quotes, or where it comes from, because
    /// a value from outside the text may be secret.
    shown: String,
}

/// The string at `node`: written there, or by `{ env = … }` or `{ file = … }`.
pub(crate) fn written(node: &Node<'_>, reader: &mut Reader<'_>, write: &str) -> Option<Written> {
    match node.value {
        DeValue::String(text) => Some(Written {
            bytes: text.as_bytes().to_vec(),
            shown: quoted(text),
        }),
        DeValue::Table(table) => match pointer(table) {
            Some(("env", name)) => from_env(node, reader, name),
            Some(("file", name)) => from_file(node, reader, name),
            _ => {
                let what = "is a table that is neither { env = \"NAME\" } nor { file = \"path\" }";
                reader.report.error(&node.place, what, write);
                None
            }
        },
        _ => {
            super::wrong_type(node, reader, write);
            None
        }
    }
}

fn pointer<'a>(table: &'a DeTable<'_>) -> Option<(&'a str, &'a str)> {
    let (key, value) = table.iter().next().filter(|_| table.len() == 1)?;
    Some((key.get_ref(), value.get_ref().as_str()?))
}

fn from_env(node: &Node<'_>, reader: &mut Reader<'_>, name: &str) -> Option<Written> {
    let value = (reader.env)(name);
    if value.is_none() {
        let what = format!(
            "names the environment variable {}, which is not set",
            quoted(name)
        );
        reader
            .report
            .error(&node.place, what, "set it where Forebay is started");
    }
    let shown = format!("the value of the environment variable {}", quoted(name));
    value.map(|value| Written {
        bytes: value.into_bytes(),
        shown,
    })
}

fn from_file(node: &Node<'_>, reader: &mut Reader<'_>, name: &str) -> Option<Written> {
    let path = reader.base.join(name);
    match read_bounded(&path, FILE_SIZE_MAX) {
        Ok(mut bytes) => {
            // Editors end a text with a newline that nobody means; a binary
            // key may end with that very byte.
            if std::str::from_utf8(&bytes).is_ok() {
                let end = bytes.trim_ascii_end().len();
                bytes.truncate(end);
            }
            Some(Written {
                bytes,
                shown: format!("the content of the file {}", quoted(name)),
            })
        }
        Err(error) => {
            let what = format!(
                "names the file {}, which cannot be read: {error}",
                path.display()
            );
            reader
                .report
                .error(&node.place, what, "name a file that this user may read");
            None
        }
    }
}

/// The file's bytes, or an error where it is larger than `size_max`.
pub(crate) fn read_bounded(path: &Path, size_max: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let size = File::open(path)?
        .take(size_max + 1)
        .read_to_end(&mut bytes)?;
    if size as u64 > size_max {
        let message = format!("it is larger than {size_max} bytes");
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            message,
        ));
    }
    Ok(bytes)
}

/// `text` in quotes, on one line, not longer than a line.
pub(crate) fn quoted(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    if text.chars().count() <= CHARS_MAX {
        return format!("{text:?}");
    }
    let short: String = text.chars().take(CHARS_MAX).chain(['…']).collect();
    format!("{short:?}")
}

/// Why a text does not fit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Goes on after `is "text", `.
    pub(crate) what: String,
    /// What to write instead.
    pub(crate) write: String,
}

impl Wrong {
    pub(crate) fn new(what: impl Into<String>, write: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            write: write.into(),
        }
    }
}

/// Something that is written as a string.
pub(crate) trait FromText: Sized {
    /// Parses `text`.
    fn parse(text: &str) -> Result<Self, Wrong>;

    /// What to write where no string stands at all.
    const WRITE: &'static str;

    /// The strings that fit, as JSON schema.
    fn text_schema() -> Json {
        json!({ "type": "string" })
    }
}

impl<T: FromText> Value for T {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let Written { bytes, shown } = written(node, reader, T::WRITE)?;
        let Ok(text) = String::from_utf8(bytes) else {
            reader.report.error(
                &node.place,
                format!("is {shown}, which is no text"),
                T::WRITE,
            );
            return None;
        };
        T::parse(&text)
            .map_err(|Wrong { what, write }| {
                reader
                    .report
                    .error(&node.place, format!("is {shown}, {what}"), write);
            })
            .ok()
    }

    fn schema() -> Json {
        json!({ "anyOf": [T::text_schema(), outside_schema()] })
    }
}

/// The secret at `node`, which no message repeats.
pub(crate) fn secret(node: &Node<'_>, reader: &mut Reader<'_>, write: &str) -> Option<Secret> {
    written(node, reader, write).map(|Written { bytes, .. }| Secret::new(bytes))
}

/// What [`secret`] reads, as JSON schema.
pub(crate) fn secret_schema() -> Json {
    json!({ "anyOf": [{ "type": "string" }, outside_schema()] })
}

fn outside_schema() -> Json {
    let one = |key: &str| {
        json!({
            "type": "object",
            "properties": { key: { "type": "string" } },
            "required": [key],
            "additionalProperties": false,
        })
    };
    json!({ "anyOf": [one("env"), one("file")] })
}

impl FromText for String {
    const WRITE: &'static str = "write a string in quotes";

    fn parse(text: &str) -> Result<Self, Wrong> {
        Ok(text.to_owned())
    }
}

impl FromText for SocketAddr {
    const WRITE: &'static str = "write an address and a port, such as \"127.0.0.1:8080\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        text.parse().map_err(|_| {
            let write = match text.strip_prefix(':') {
                Some(port) if port.parse::<u16>().is_ok() => {
                    format!("write \"0.0.0.0{text}\" for all addresses of this machine")
                }
                _ => Self::WRITE.to_owned(),
            };
            Wrong::new("which is no address with a port", write)
        })
    }
}

impl FromText for IpNet {
    const WRITE: &'static str = "write an address or a network, such as \"10.0.0.0/8\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let network = text.parse::<Self>().ok();
        network
            .or_else(|| text.parse::<IpAddr>().ok().map(Self::from))
            .ok_or_else(|| Wrong::new("which is no network", Self::WRITE))
    }
}

/// A path; relative ones are taken from the configuration file's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathText(PathBuf);

impl PathText {
    pub(crate) fn under(&self, base: &Path) -> PathBuf {
        base.join(&self.0)
    }
}

impl FromText for PathText {
    const WRITE: &'static str = "write a path in quotes";

    fn parse(text: &str) -> Result<Self, Wrong> {
        if text.is_empty() || text.contains('\0') {
            return Err(Wrong::new("which is no path", Self::WRITE));
        }
        Ok(Self(PathBuf::from(text)))
    }
}

/// What an operator's program shows to be believed.
#[derive(Debug, Clone)]
pub(crate) struct Token(pub(crate) Secret);

impl Token {
    /// Characters below which a token could be found by trying: 16 random ones are 96 bits.
    const LENGTH_MIN: usize = 16;
}

impl Value for Token {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        const WRITE: &str = "write { env = \"FOREBAY_ADMIN_TOKEN\" }, 16 random characters or more";
        let Written { mut bytes, .. } = written(node, reader, WRITE)?;
        // A file ends with a line end that nobody types.
        while bytes.last().is_some_and(u8::is_ascii_whitespace) {
            bytes.pop();
        }
        let what = if !bytes.iter().all(u8::is_ascii_graphic) {
            "has characters that do not fit into a header".to_owned()
        } else if bytes.len() < Self::LENGTH_MIN {
            format!(
                "is {} characters long, which can be found by trying",
                bytes.len()
            )
        } else {
            return Some(Self(Secret::new(bytes)));
        };
        reader.report.error(&node.place, what, WRITE);
        None
    }

    fn schema() -> Json {
        let text = json!({ "type": "string", "minLength": Self::LENGTH_MIN });
        json!({ "anyOf": [text, outside_schema()] })
    }
}

/// A key of tickets and passes.
#[derive(Debug, Clone)]
pub(crate) struct Key(pub(crate) Secret);

impl Key {
    /// Bytes of an HMAC-SHA-256 key, as RFC 2104 section 3 advises: no fewer
    /// than the hash gives.
    const SIZE_MIN: usize = 32;
}

impl Value for Key {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        const WRITE: &str = "write { file = \"ticket.key\" }, a file of 32 random bytes or more";
        let Written { bytes, .. } = written(node, reader, WRITE)?;
        if bytes.len() < Self::SIZE_MIN {
            let what = format!("is {} bytes long, which anybody may guess", bytes.len());
            reader.report.error(&node.place, what, WRITE);
            return None;
        }
        Some(Self(Secret::new(bytes)))
    }

    fn schema() -> Json {
        let text = json!({ "type": "string", "minLength": Self::SIZE_MIN });
        json!({ "anyOf": [text, outside_schema()] })
    }
}
