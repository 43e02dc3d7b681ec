//! How many connections a listener has at a time, in all and from one peer.
//!
//! Both listeners of tundra use it. What they take together leaves descriptors for the local socket and for new
//! terminals, whatever comes in over the network.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::limits;

/// Connections of one listener where descriptors are plenty.
const MAX_CONNECTIONS: usize = 1024;
/// Of one peer, so that nobody can shut out everybody else.
const MAX_OF_ONE: usize = 256;
/// Descriptors that no listener gets: for terminals, the local socket, files and the store.
const RESERVED_DESCRIPTORS: u64 = 256;
/// What a connection may cost of the rest: there are two listeners, and a request of one of them has a connection of its
/// own to a provider.
const DESCRIPTOR_SHARES: u64 = 3;
/// However few descriptors there are.
const MIN_CONNECTIONS: usize = 16;
/// A flood of refusals is one line of the log in so long.
const WARN_INTERVAL: Duration = Duration::from_secs(5);

/// Takes the next connection of a listener. What is written to it goes out at once: a key's echo and a delta of a stream
/// are small and must not wait for the acknowledgement of the one before. Cancel-safe.
///
/// # Errors
/// What the kernel answers, which concerns one connection and not the listener.
pub async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, peer))
}

/// The connections of one listener.
#[derive(Debug)]
pub struct ConnectionLimit {
    max: usize,
    max_of_one: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    last_number: u64,
    /// The connections of each peer, the oldest first.
    by_peer: HashMap<IpAddr, VecDeque<Open>>,
    warned: Option<Instant>,
}

#[derive(Debug)]
struct Open {
    number: u64,
    requests: Requests,
    revoked: CancellationToken,
}

/// The right to one connection; given back when dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    limit: Arc<ConnectionLimit>,
    peer: Option<(IpAddr, u64)>,
    requests: Requests,
    revoked: CancellationToken,
}

/// The requests under way on one connection. One that has any is not revoked for another connection.
#[derive(Clone, Debug, Default)]
pub struct Requests(Arc<AtomicUsize>);

/// One request under way, until it is dropped.
#[derive(Debug)]
pub struct RequestGuard(Requests);

impl ConnectionLimit {
    /// At most `max` connections, `max_of_one` of them from one peer.
    #[must_use]
    pub fn new(max: usize, max_of_one: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            max_of_one,
            state: Mutex::default(),
        })
    }

    /// The limit of a listener on the network: what this process's limit on open files leaves for it.
    #[must_use]
    pub fn for_listener() -> Arc<Self> {
        let max = share_of(limits::open_files());
        Self::new(max, MAX_OF_ONE.min(max - max / 4))
    }

    /// The limit of a listener for this machine alone, whose callers all come from one address: who asks for something is
    /// not turned away for the number of those who do, and what is idle makes room.
    #[must_use]
    pub fn for_this_machine() -> Arc<Self> {
        let max = share_of(limits::open_files());
        Self::new(max, max)
    }

    /// How many there may be in all.
    #[must_use]
    pub fn max(&self) -> usize {
        self.max
    }

    /// The permit for a connection, if there is one. Where a peer has all of its own, or all are taken, the peer loses its
    /// oldest one without a request under way. `peer` is None for connections that are counted together alone.
    pub fn admit(self: &Arc<Self>, peer: Option<IpAddr>) -> Option<ConnectionPermit> {
        let ip = peer.map(peer_network);
        let mut state = self.state();
        let is_full = state.open >= self.max;
        let mut is_refused = is_full;
        let own = ip.and_then(|ip| state.by_peer.get_mut(&ip));
        let crowded = own.filter(|own| is_full || own.len() >= self.max_of_one);
        let is_crowded = crowded.is_some();
        if let Some(own) = crowded {
            let oldest = own.iter().position(|open| open.requests.is_idle());
            let idle = oldest.and_then(|oldest| own.remove(oldest));
            is_refused = idle.is_none();
            if let Some(idle) = idle {
                idle.revoked.cancel();
            }
        }
        if is_crowded || is_refused {
            state.warn(peer);
        }
        if is_refused {
            return None;
        }
        state.open += 1;
        state.last_number += 1;
        let number = state.last_number;
        let requests = Requests::default();
        let revoked = CancellationToken::new();
        if let Some(ip) = ip {
            state.by_peer.entry(ip).or_default().push_back(Open {
                number,
                requests: requests.clone(),
                revoked: revoked.clone(),
            });
        }
        Some(ConnectionPermit {
            limit: Arc::clone(self),
            peer: ip.map(|ip| (ip, number)),
            requests,
            revoked,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn warn(&mut self, peer: Option<IpAddr>) {
        let now = Instant::now();
        if self.warned.is_none_or(|at| now >= at + WARN_INTERVAL) {
            self.warned = Some(now);
            warn!(?peer, open = self.open, "there are too many connections");
        }
    }
}

impl ConnectionPermit {
    /// Waits until another connection of the same peer needs the permit; for ever, where none does. Cancel-safe.
    pub async fn revoked(&self) {
        self.revoked.cancelled().await;
    }

    /// Where the connection's requests are counted.
    pub fn requests(&self) -> Requests {
        self.requests.clone()
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut state = self.limit.state();
        state.open -= 1;
        let Some((ip, number)) = self.peer else {
            return;
        };
        if let Some(own) = state.by_peer.get_mut(&ip) {
            own.retain(|open| open.number != number);
            if own.is_empty() {
                state.by_peer.remove(&ip);
            }
        }
    }
}

impl Requests {
    /// Counts a request until the guard is dropped.
    #[must_use]
    pub fn begin(&self) -> RequestGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        RequestGuard(self.clone())
    }

    /// Whether no request is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whose connections count together: one host of IPv6 has a whole /64 to come from.
#[must_use]
pub fn peer_network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) => {
            let mut octets = ip.octets();
            if let Some(host) = octets.get_mut(8..) {
                host.fill(0);
            }
            IpAddr::from(octets)
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn share_of(descriptors: Option<u64>) -> usize {
    let Some(descriptors) = descriptors else {
        return MAX_CONNECTIONS;
    };
    let share = descriptors.saturating_sub(RESERVED_DESCRIPTORS) / DESCRIPTOR_SHARES;
    let share = usize::try_from(share).unwrap_or(usize::MAX);
    share.clamp(MIN_CONNECTIONS, MAX_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[tokio::test]
    async fn what_is_written_to_a_connection_waits_for_no_acknowledgement() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, _) = accept(&listener).await.unwrap();
        assert!(stream.nodelay().unwrap());
    }

    #[test]
    fn a_peer_that_has_all_its_connections_loses_its_oldest_idle_one() {
        let limit = ConnectionLimit::new(8, 3);
        let mut held: Vec<ConnectionPermit> = (0..3)
            .map(|_| limit.admit(Some(peer(1))).unwrap())
            .collect();
        let busy = held[0].requests().begin();
        let other = limit.admit(Some(peer(2))).unwrap();
        held.push(limit.admit(Some(peer(1))).unwrap());
        let revoked: Vec<bool> = held.iter().map(|one| one.revoked.is_cancelled()).collect();
        assert_eq!(revoked, [false, true, false, false]);
        drop((held, other, busy));
        let state = limit.state();
        assert_eq!((state.open, state.by_peer.len()), (0, 0));
    }

    #[test]
    fn a_peer_whose_connections_are_all_busy_gets_no_other() {
        let limit = ConnectionLimit::new(8, 2);
        let held: Vec<ConnectionPermit> = (0..2)
            .map(|_| limit.admit(Some(peer(1))).unwrap())
            .collect();
        let busy: Vec<RequestGuard> = held.iter().map(|one| one.requests().begin()).collect();
        assert!(limit.admit(Some(peer(1))).is_none());
        assert!(limit.admit(Some(peer(2))).is_some());
        drop(busy);
        assert!(limit.admit(Some(peer(1))).is_some());
    }

    #[test]
    fn all_together_have_an_end() {
        let limit = ConnectionLimit::new(4, 4);
        let held: Vec<ConnectionPermit> = (0..4).map(|_| limit.admit(None).unwrap()).collect();
        assert!(limit.admit(Some(peer(3))).is_none());
        drop(held);
        assert!(limit.admit(Some(peer(3))).is_some());
    }

    #[test]
    fn where_one_peer_may_have_all_what_is_idle_makes_room_and_what_works_is_left_alone() {
        let limit = ConnectionLimit::new(4, 4);
        let mut held: Vec<ConnectionPermit> = (0..4)
            .map(|_| limit.admit(Some(peer(1))).unwrap())
            .collect();
        let busy: Vec<RequestGuard> = held[..3].iter().map(|one| one.requests().begin()).collect();
        held.push(limit.admit(Some(peer(1))).unwrap());
        let revoked: Vec<bool> = held.iter().map(|one| one.revoked.is_cancelled()).collect();
        assert_eq!(revoked, [false, false, false, true, false]);
        // Somebody else has nothing idle that could go.
        assert!(limit.admit(Some(peer(2))).is_none());
        drop(busy);
    }

    #[test]
    fn descriptors_are_left_for_everything_else() {
        for (descriptors, share) in [
            (None, 1024),
            (Some(1 << 20), 1024),
            (Some(1024), 256),
            (Some(256), 16),
            (Some(64), 16),
        ] {
            assert_eq!(share_of(descriptors), share, "{descriptors:?}");
        }
    }

    #[test]
    fn one_host_is_one_peer() {
        let network = |text: &str| peer_network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1:2"), network("2001:db8::7"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
