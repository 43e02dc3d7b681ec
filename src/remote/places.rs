//! How many connections there may be, and from one peer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::warn;

use super::auth::network;
use super::server::Peer;

/// Connections that ask, over the network or over the local socket. A socket at a terminal is a viewer's and counted as
/// such.
const MAX_CONNECTIONS: usize = 1024;
/// Of one peer, so that nobody can shut out everybody else.
const MAX_OF_ONE: usize = 256;
/// A flood of refusals is one line of the log in so long.
const TELL_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Places {
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    taken: usize,
    by_peer: HashMap<IpAddr, usize>,
    told: Option<Instant>,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    peer: Option<IpAddr>,
}

impl Places {
    /// A place for a connection, if there is one.
    pub fn take(self: &Arc<Self>, peer: Peer) -> Option<Place> {
        let ip = match peer {
            Peer::Network(address) => Some(network(address.ip())),
            Peer::Local => None,
        };
        let mut books = self.books();
        let of_peer = ip
            .and_then(|ip| books.by_peer.get(&ip))
            .copied()
            .unwrap_or(0);
        if books.taken >= MAX_CONNECTIONS || of_peer >= MAX_OF_ONE {
            let now = Instant::now();
            if books.told.is_none_or(|told| now >= told + TELL_EVERY) {
                books.told = Some(now);
                warn!(%peer, all = books.taken, of_peer, "connections refused: there are too many");
            }
            return None;
        }
        books.taken += 1;
        if let Some(ip) = ip {
            books.by_peer.insert(ip, of_peer + 1);
        }
        Some(Place {
            places: Arc::clone(self),
            peer: ip,
        })
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut books = self.places.books();
        books.taken -= 1;
        if let Some(ip) = self.peer
            && let Some(count) = books.by_peer.get_mut(&ip)
        {
            *count -= 1;
            if *count == 0 {
                books.by_peer.remove(&ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8, port: u16) -> Peer {
        Peer::Network(([192, 0, 2, last], port).into())
    }

    #[test]
    fn one_peer_leaves_room_for_others() {
        let places = Arc::new(Places::default());
        let port = |n: usize| u16::try_from(n).unwrap();
        let mut held: Vec<Place> = (0..MAX_OF_ONE)
            .map(|n| places.take(peer(1, port(n))).unwrap())
            .collect();
        assert!(places.take(peer(1, 9999)).is_none());
        let other = places.take(peer(2, 1)).unwrap();
        let _local = places.take(Peer::Local).unwrap();
        held.pop();
        assert!(places.take(peer(1, 9999)).is_some());
        drop((held, other));
        assert_eq!(places.books().by_peer.len(), 0);
    }

    #[test]
    fn all_together_have_an_end() {
        let places = Arc::new(Places::default());
        let held: Vec<Place> = (0..MAX_CONNECTIONS)
            .map(|_| places.take(Peer::Local).unwrap())
            .collect();
        assert!(places.take(peer(3, 1)).is_none());
        drop(held);
        assert!(places.take(peer(3, 1)).is_some());
    }
}
