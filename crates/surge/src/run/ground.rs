//! The model origin on a thread of its own, and the ground truth from there.

use std::io;
use std::net::SocketAddr;
use std::thread;

use tokio::runtime;
use tokio::sync::{mpsc, oneshot};

use crate::origin::{Condition, Origin, OriginSettings, OriginStats, Running};

/// Orders on their way to the origin.
const ORDERS_MAX: usize = 16;

/// A running origin. Dropping it stops it.
#[derive(Debug)]
pub(super) struct Ground {
    address: SocketAddr,
    orders: mpsc::Sender<Order>,
}

#[derive(Debug)]
enum Order {
    Set(Condition),
    Stats(oneshot::Sender<OriginStats>),
    Stop(oneshot::Sender<OriginStats>),
}

impl Ground {
    /// Starts the origin.
    ///
    /// # Errors
    /// Its address cannot be bound, or there can be no thread for it.
    pub(super) async fn start(settings: OriginSettings) -> io::Result<Self> {
        let (orders, taken) = mpsc::channel(ORDERS_MAX);
        let (started, address) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        // It ends with the orders, or with the order to stop.
        let thread = thread::Builder::new().name("origin".to_owned());
        thread.spawn(move || {
            runtime.block_on(async move {
                match Origin::start(settings) {
                    Ok(running) => {
                        // Nobody to tell: then the orders have ended as well.
                        started.send(Ok(running.address())).ok();
                        obey(running, taken).await;
                    }
                    Err(why) => drop(started.send(Err(why))),
                }
            });
        })?;
        let ended = |_gone| io::Error::other("the origin's thread ended");
        Ok(Self {
            address: address.await.map_err(ended)??,
            orders,
        })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts the origin into a condition.
    pub(super) async fn set(&self, condition: Condition) {
        // The thread ends only after `stop`, which takes the handle.
        self.orders.send(Order::Set(condition)).await.ok();
    }

    /// What it has counted so far.
    pub(super) async fn stats(&self) -> OriginStats {
        self.ask(Order::Stats).await
    }

    /// Stops it; returns the last counts.
    pub(super) async fn stop(self) -> OriginStats {
        self.ask(Order::Stop).await
    }

    async fn ask(&self, order: fn(oneshot::Sender<OriginStats>) -> Order) -> OriginStats {
        let (answer, answered) = oneshot::channel();
        self.orders.send(order(answer)).await.ok();
        answered.await.unwrap_or_default()
    }
}

async fn obey(running: Running, mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.recv().await {
        match order {
            Order::Set(condition) => running.set(condition),
            Order::Stats(answer) => {
                // Who asked may have gone.
                answer.send(running.stats()).ok();
            }
            Order::Stop(answer) => {
                answer.send(running.stop().await).ok();
                return;
            }
        }
    }
    running.stop().await;
}
