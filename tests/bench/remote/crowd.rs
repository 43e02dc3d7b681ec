//! Many viewers at once, on one thread.

use std::thread::{self, JoinHandle};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::client_async_with_config;

use crate::viewer::{Finder, Place, Seen, judge};

pub struct Crowd {
    thread: JoinHandle<Vec<u64>>,
    ready: mpsc::Receiver<()>,
    count: usize,
}

impl Crowd {
    /// Attaches `count` viewers that read until `mark` has come.
    pub fn attach(place: &Place, count: usize, mark: &'static str) -> Self {
        let (send, ready) = mpsc::channel(count);
        let place = place.clone();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let mut viewers = JoinSet::new();
                for number in 0..count {
                    viewers.spawn(read(place.clone(), number, mark, send.clone()));
                }
                viewers.join_all().await
            })
        });
        let mut crowd = Self {
            thread,
            ready,
            count,
        };
        for _ in 0..crowd.count {
            crowd.ready.blocking_recv().expect("a viewer attaches");
        }
        crowd
    }

    /// Bytes that each of them got, once all have seen the mark.
    pub fn join(self) -> Vec<u64> {
        self.thread.join().unwrap()
    }
}

async fn read(place: Place, number: usize, mark: &'static str, ready: mpsc::Sender<()>) -> u64 {
    let stream = TcpStream::connect(place.address).await.unwrap();
    let attached = client_async_with_config(place.request(), stream, Some(Place::config())).await;
    let (mut socket, _) = attached.unwrap();
    if let Some(greeting) = place.greeting(number) {
        socket.send(greeting).await.unwrap();
    }
    let mut finder = Finder::new(mark);
    let mut bytes = 0;
    let mut told = false;
    while let Some(message) = socket.next().await {
        let (seen, ack) = judge(place.arm, message.unwrap());
        if let Some(ack) = ack {
            socket.send(ack).await.unwrap();
        }
        let (Seen::Output(piece) | Seen::Screen(piece)) = seen else {
            continue;
        };
        bytes += piece.len() as u64;
        if !std::mem::replace(&mut told, true) {
            let _ = ready.send(()).await;
        }
        if finder.finds(&piece) {
            break;
        }
    }
    bytes
}
