//! Clients that ask for a page and close the connection at once.
//!
//! The origin works on for nobody: what they cost is all that a request costs. Each ends
//! as `abandoned`, unless the site was quicker.

use super::attackers::Attackers;
use super::settings::{Behaviour, Leave};
use crate::outcome::Outcome;
use crate::wire::Keep;

/// Runs one group of them.
pub(super) async fn run(attackers: Attackers) {
    let Behaviour::Leave(Leave { after }) = attackers.settings.groups[attackers.group].behaviour
    else {
        return;
    };
    let site = &attackers.settings.site;
    let (path, host) = (&site.path, &site.host);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\r\n");
    attackers
        .come(move |mut connection, _index| {
            let request = request.clone();
            async move {
                let left = connection.ask(request.as_bytes(), after, Keep::OfARoom);
                let ended = left.await.map_err(|outcome| match outcome {
                    Outcome::TimedOut => Outcome::Abandoned,
                    outcome => outcome,
                });
                (connection, ended)
            }
        })
        .await;
}
