//! kill -9 during a surge: nobody is told a larger number, nobody is new.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use forebay_testkit::{Options, exchange, wait_until};
use serde_json::Value;

use super::refused;
use crate::house::{House, SOON, Visitor, echo};

/// People whose place is looked at before and after each kill.
const PEOPLE: usize = 20;

/// Strangers who come as fast as two threads can, whether somebody answers or not.
struct Surge {
    stop: Arc<AtomicBool>,
    came: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Surge {
    fn start(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let came = Arc::new(AtomicUsize::new(0));
        let threads = (0..2)
            .map(|_| {
                let (stop, came) = (Arc::clone(&stop), Arc::clone(&came));
                thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        if contact(address) {
                            came.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        Self {
            stop,
            came,
            threads,
        }
    }

    fn came(&self) -> usize {
        self.came.load(Ordering::Relaxed)
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a surge");
        }
    }
}

/// Whether one more stranger came, with the second contact.
fn contact(address: SocketAddr) -> bool {
    let options = Options {
        timeout: Duration::from_secs(2),
        ..Options::one_answer()
    };
    let page = "GET / HTTP/1.1\r\nHost: site.test\r\nAccept: text/html\r\n\r\n";
    let first = exchange(address, page, &options);
    if !first.is_answered() {
        // Nobody is there for a moment.
        thread::yield_now();
        return false;
    }
    let Some(cookie) = first.answer().cookie("forebay-main").map(str::to_owned) else {
        return false;
    };
    let poll = format!(
        "GET /__forebay/status?room=main HTTP/1.1\r\nHost: site.test\r\n\
         Cookie: forebay-main={cookie}\r\n\r\n"
    );
    exchange(address, poll, &options).is_answered()
}

/// Kills it so often, and names everybody who was told a larger number or was new.
fn killed(times: usize) -> Vec<String> {
    let origin = echo();
    let rest = "[room.main]\nmode = \"queue-all\"\ninlet = \"1/h\"\n\
                [quota.room]\nrate = \"100000/s\"\n";
    let mut house = House::start(origin.address, rest);
    // Whoever the first hour's one is, it is none of those below.
    Visitor::queued(&house);
    let mut line: Vec<Visitor> = (0..PEOPLE).map(|_| Visitor::queued(&house)).collect();
    let surge = Surge::start(house.address);
    let mut found = Vec::new();
    for round in 0..times {
        let came = surge.came();
        wait_until(SOON, || surge.came() >= came + 5);
        let before: Vec<Value> = line.iter_mut().map(Visitor::place).collect();
        house.program.kill();
        house.start_again();
        for (visitor, before) in line.iter_mut().zip(&before) {
            let after = visitor.place();
            let ahead = |place: &Value| place["ahead"].as_u64();
            let larger = ahead(&after) > ahead(before).or(Some(u64::MAX));
            let new = after["reference"] != before["reference"] || after["state"] == "open";
            if larger || new {
                found.push(format!("round {round}: {before} then {after}"));
            }
        }
    }
    surge.end();
    assert!(refused(&house) == 0.0, "no ticket was refused");
    found
}

#[test]
fn after_eight_kills_in_a_surge_nobody_has_a_larger_number_and_nobody_is_new() {
    assert_eq!(killed(8), [""; 0]);
}

#[test]
#[ignore = "a minute or more: the bar of the waiting room, run by hand"]
fn after_fifty_kills_in_a_surge_nobody_has_a_larger_number_and_nobody_is_new() {
    assert_eq!(killed(50), [""; 0]);
}
