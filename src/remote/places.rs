//! How many connections there may be, and from one peer.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
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
    last: u64,
    /// The connections of each peer, the oldest first.
    by_peer: HashMap<IpAddr, VecDeque<(u64, CancellationToken)>>,
    told: Option<Instant>,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    peer: Option<(IpAddr, u64)>,
    /// Another connection of the same peer needs the room.
    pub given_up: CancellationToken,
}

impl Places {
    /// A place for a connection, if there is one. A peer that has all of its own gives up its oldest.
    pub fn take(self: &Arc<Self>, peer: Peer) -> Option<Place> {
        let ip = match peer {
            Peer::Network(address) => Some(network(address.ip())),
            Peer::Local => None,
        };
        let given_up = CancellationToken::new();
        let mut books = self.books();
        let own = ip.and_then(|ip| books.by_peer.get_mut(&ip));
        let is_crowded = own.as_ref().is_some_and(|own| own.len() >= MAX_OF_ONE);
        if let Some(own) = own.filter(|_| is_crowded)
            && let Some((_, oldest)) = own.pop_front()
        {
            oldest.cancel();
        }
        let is_full = books.taken >= MAX_CONNECTIONS;
        if is_crowded || is_full {
            let now = Instant::now();
            if books.told.is_none_or(|told| now >= told + TELL_EVERY) {
                books.told = Some(now);
                warn!(%peer, all = books.taken, "there are too many connections");
            }
        }
        if is_full {
            return None;
        }
        books.taken += 1;
        books.last += 1;
        let number = books.last;
        if let Some(ip) = ip {
            let own = books.by_peer.entry(ip).or_default();
            own.push_back((number, given_up.clone()));
        }
        Some(Place {
            places: Arc::clone(self),
            peer: ip.map(|ip| (ip, number)),
            given_up,
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
        let Some((ip, number)) = self.peer else {
            return;
        };
        if let Some(own) = books.by_peer.get_mut(&ip) {
            own.retain(|(other, _)| *other != number);
            if own.is_empty() {
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
    fn a_peer_that_has_all_its_places_gives_up_its_oldest() {
        let places = Arc::new(Places::default());
        let port = |n: usize| u16::try_from(n).unwrap();
        let mut held: Vec<Place> = (0..MAX_OF_ONE)
            .map(|n| places.take(peer(1, port(n))).unwrap())
            .collect();
        let other = places.take(peer(2, 1)).unwrap();
        assert!(!held[0].given_up.is_cancelled());
        held.push(places.take(peer(1, 9999)).unwrap());
        let given_up = held.iter().filter(|place| place.given_up.is_cancelled());
        assert_eq!(given_up.count(), 1);
        assert!(held[0].given_up.is_cancelled());
        drop((held, other));
        let books = places.books();
        assert_eq!((books.taken, books.by_peer.len()), (0, 0));
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
