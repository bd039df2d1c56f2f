//! Clients that send byte by byte, to hold a connection as long as they can.
//!
//! What becomes of each is one outcome: answered (408, 400 and the like are what a site
//! should say), closed, reset, or `abandoned`: its patience ran out before the site's.

use std::sync::Arc;

use super::attackers::Attackers;
use super::settings::{Behaviour, Loris};

/// Length that a slow form announces: more than anybody's patience.
const FORM_LENGTH: u32 = 10_000_000;

/// Runs one group of slow clients.
pub(super) async fn run(attackers: Attackers) {
    let site = &attackers.settings.site;
    let (path, host) = (&site.path, &site.host);
    let (opening, slowly, loris) = match &attackers.settings.groups[attackers.group].behaviour {
        Behaviour::SlowHead(loris) => {
            let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Slow: a");
            (String::new(), head, loris.clone())
        }
        Behaviour::SlowBody(loris) => {
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: {FORM_LENGTH}\r\n\r\n"
            );
            (head, "a".to_owned(), loris.clone())
        }
        Behaviour::Visit(_) | Behaviour::Script(_) | Behaviour::Leave(_) | Behaviour::Junk => {
            return;
        }
    };
    let Loris { every, patience } = loris;
    let (opening, slowly) = (Arc::<str>::from(opening), Arc::<str>::from(slowly));
    attackers
        .come(move |mut connection, _index| {
            let (opening, slowly) = (Arc::clone(&opening), Arc::clone(&slowly));
            async move {
                let ended = connection
                    .drip(opening.as_bytes(), slowly.as_bytes(), every, patience)
                    .await;
                (connection, ended)
            }
        })
        .await;
}
