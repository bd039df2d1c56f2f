//! `[room.NAME.bypass]`.

use serde_json::{Value as Json, json};

use super::route::Method;
use crate::checked::{IpNet, PathPattern, Secret};
use crate::read::{At, Entries, Node, Reader, Value, secret, secret_schema, table};

table! {
    /// Whom a room never holds. One rule that matches is enough.
    Bypass, later [], {
        /// Addresses or networks of clients, found through trusted proxies.
        addresses: Vec<At<IpNet>> = "[]",
        /// Paths, or "/static/*" for "/static" and everything below it.
        paths: Vec<At<PathPattern>> = "[]",
        /// Methods in upper case.
        methods: Vec<At<Method>> = "[]",
        /// Headers by name, each with the secret value that it has to have.
        /// They go no further.
        headers: SecretHeaders = "{}",
    }
}

/// Header names, each with a secret.
#[derive(Debug, Clone)]
pub(crate) struct SecretHeaders(pub(crate) Vec<(At<String>, Secret)>);

impl Value for SecretHeaders {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        const WRITE: &str = "write { env = \"NAME\" } or { file = \"path\" }";
        let entries = Entries::open(node, reader)?;
        let count = entries.all().count();
        let list: Vec<_> = entries
            .all()
            .filter_map(|(name, node)| Some((name, secret(&node, reader, WRITE)?)))
            .collect();
        (list.len() == count).then_some(Self(list))
    }

    fn schema() -> Json {
        json!({ "type": "object", "additionalProperties": secret_schema() })
    }
}
