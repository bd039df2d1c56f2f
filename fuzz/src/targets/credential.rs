//! A cookie's text as a credential, and as a page's first try: only what was sealed opens, in the
//! one form in which it was sealed.

use forebay_admission::credential::{Attempt, Credential, Rejected};
use forebay_admission::pass::Pass;
use forebay_admission::ticket::Ticket;

use super::toy::{NOW, ROOM, Toy};
use super::{Shape, Target};

pub(super) const TARGET: Target = Target {
    name: "credential",
    run,
    seeds,
};

fn seeds() -> Vec<Vec<u8>> {
    let attempt = Attempt {
        pass: 7,
        began: NOW,
    };
    let mut all = super::ticket::credentials()
        .into_iter()
        .map(|credential| credential.seal(&Toy).into_bytes())
        .collect::<Vec<_>>();
    all.push(attempt.seal(&Toy).into_bytes());
    all
}

fn run(input: &[u8]) -> Shape {
    let text = String::from_utf8_lossy(input);
    let opened = Credential::open(&text, ROOM, &Toy, NOW);
    let attempt = Attempt::open(&text, 7, &Toy, NOW);
    let tried = Shape::from(attempt.is_some()) << 8;
    if let Some(attempt) = attempt {
        assert_eq!(attempt.seal(&Toy), *text, "one form alone opens");
        assert!(opened.is_err(), "a first try is no credential");
    }
    tried
        | match opened {
            Ok(credential) => {
                let known = seeds().iter().any(|seed| seed == input);
                assert!(known, "nobody sealed this");
                match credential {
                    Credential::Ticket(Ticket { confirmed, .. }) => 1 + Shape::from(confirmed),
                    Credential::Pass(Pass { confirmed, .. }) => 3 + Shape::from(confirmed),
                }
            }
            Err(Rejected::Malformed) => 10,
            Err(Rejected::UnknownKey) => 11,
            Err(Rejected::Forged) => 12,
            Err(Rejected::OtherRoom) => 13,
            Err(Rejected::FromTheFuture) => 14,
            Err(Rejected::Expired) => 15,
        }
}
