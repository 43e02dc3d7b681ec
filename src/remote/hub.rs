//! Everybody who is attached, over all terminals: how many there may be, who comes back, and what ends when all have
//! left.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::config::{Remote, Settings};
use crate::domain::id::TerminalId;
use crate::domain::input::Input;
use crate::domain::terminal::{Owner, Status};
use crate::pane::{PaneError, PaneHandle, Seat, Taken, ViewerId};
use crate::runtime::tasks::Tasks;

/// Clients remembered for each terminal, so that what they send again is typed once.
const MAX_CLIENTS: usize = 64;

/// Shared by every session.
pub(super) struct Hub {
    settings: watch::Receiver<Arc<Settings>>,
    tasks: Tasks,
    /// Names this run's numbering of bytes.
    epoch: String,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    viewers: usize,
    clients: HashMap<TerminalId, VecDeque<Arc<Client>>>,
}

/// One of the instance's places for viewers; given back when dropped.
pub(super) struct Place {
    hub: Arc<Hub>,
}

/// A client of one terminal over all of its connections.
pub(super) struct Client {
    name: String,
    books: Mutex<ClientBooks>,
}

#[derive(Default)]
struct ClientBooks {
    /// The last input that was dealt with.
    input_id: u64,
    /// The newest connection that it has told of.
    attempt: u64,
    /// The connection that it has now.
    session: Option<(CancellationToken, ViewerId)>,
}

impl Hub {
    pub fn new(settings: watch::Receiver<Arc<Settings>>, tasks: Tasks, epoch: String) -> Self {
        Self {
            settings,
            tasks,
            epoch,
            books: Mutex::default(),
        }
    }

    pub fn options(&self) -> Remote {
        self.settings.borrow().remote.clone()
    }

    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    pub fn viewers(&self) -> usize {
        self.books().viewers
    }

    /// Takes a place, if there is one.
    ///
    /// # Errors
    /// How many there are, when all are taken.
    pub fn admit(self: &Arc<Self>) -> Result<Place, usize> {
        let max = self.settings.borrow().remote.max_viewers;
        let mut books = self.books();
        if books.viewers >= max {
            return Err(max);
        }
        books.viewers += 1;
        Ok(Place {
            hub: Arc::clone(self),
        })
    }

    /// The client of that name, known or new.
    pub fn client(&self, terminal: TerminalId, name: &str) -> Arc<Client> {
        let mut books = self.books();
        let clients = books.clients.entry(terminal).or_default();
        if let Some(known) = clients.iter().position(|client| client.name == name)
            && let Some(client) = clients.remove(known)
        {
            // The one seen last stands last, so that the first one is the one to forget.
            clients.push_back(Arc::clone(&client));
            return client;
        }
        if clients.len() >= MAX_CLIENTS {
            clients.pop_front();
        }
        let client = Arc::new(Client {
            name: name.to_owned(),
            books: Mutex::default(),
        });
        clients.push_back(Arc::clone(&client));
        client
    }

    /// Forgets the clients of a terminal that has ended.
    pub fn forget(&self, terminal: TerminalId) {
        self.books().clients.remove(&terminal);
    }

    /// Ends a terminal opened over the network after the grace, unless somebody attaches meanwhile.
    pub fn abandon(&self, pane: &PaneHandle) {
        let grace = self.settings.borrow().remote.reconnect_grace;
        let pane = pane.clone();
        let visits = pane.visits();
        let ending = self.tasks.ending();
        self.tasks.spawn("grace", async move {
            tokio::select! {
                () = tokio::time::sleep(grace) => {}
                () = ending => return,
            }
            let facts = pane.info();
            let alone = pane.visits() == visits && facts.viewers == 0;
            if alone
                && facts.owner == Owner::Remote
                && !facts.persistent
                && facts.status != Status::Dead
            {
                info!(id = %pane.id(), "nobody came back to a terminal within the grace; it ends");
                pane.kill();
            }
        });
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut books = self.hub.books();
        books.viewers = books.viewers.saturating_sub(1);
    }
}

impl Client {
    /// Makes this connection the client's own: its former one is told to go, and its role goes over. False where a newer
    /// one is there already, since this one's beginnings were long on their way.
    pub fn enter(&self, seat: &Seat, session: &CancellationToken, attempt: u64) -> bool {
        let former = {
            let mut books = self.books();
            if attempt < books.attempt {
                return false;
            }
            books.attempt = attempt;
            books.session.replace((session.clone(), seat.id()))
        };
        if let Some((former_session, former_seat)) = former {
            seat.succeed(former_seat);
            former_session.cancel();
        }
        true
    }

    /// The last input that was dealt with.
    pub fn input_id(&self) -> u64 {
        self.books().input_id
    }

    /// Types an input unless it has been dealt with already. None where this connection is no longer the client's own:
    /// the new one brings the input again.
    ///
    /// # Errors
    /// As [`Seat::try_input`]; it has not been dealt with then.
    pub fn type_once(
        &self,
        id: u64,
        seat: &Seat,
        input: impl FnOnce() -> Input,
    ) -> Result<Option<Taken>, PaneError> {
        // Held over the queueing, so that two connections of one client cannot both type.
        let mut books = self.books();
        let own = books
            .session
            .as_ref()
            .is_some_and(|(_, own)| *own == seat.id());
        if !own {
            return Ok(None);
        }
        if id <= books.input_id {
            return Ok(Some(Taken::Accepted));
        }
        let taken = seat.try_input(input())?;
        books.input_id = id;
        Ok(Some(taken))
    }

    fn books(&self) -> MutexGuard<'_, ClientBooks> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn hub() -> Arc<Hub> {
        let mut settings = config::parse("", "").unwrap();
        settings.remote.max_viewers = 2;
        let (_, receiver) = watch::channel(Arc::new(settings));
        Arc::new(Hub::new(receiver, Tasks::default(), "e".to_owned()))
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let hub = hub();
        let first = hub.admit().unwrap();
        let _second = hub.admit().unwrap();
        assert_eq!(hub.admit().err(), Some(2));
        drop(first);
        assert_eq!(hub.viewers(), 1);
        assert!(hub.admit().is_ok());
    }

    #[test]
    fn the_client_seen_longest_ago_is_forgotten() {
        let hub = hub();
        let id = TerminalId::random();
        let first = hub.client(id, "first");
        first.books().input_id = 7;
        for n in 1..MAX_CLIENTS {
            hub.client(id, &n.to_string());
        }
        assert_eq!(hub.client(id, "first").input_id(), 7);
        hub.client(id, "one more");
        assert_eq!(hub.client(id, "first").input_id(), 7);
        assert!(!Arc::ptr_eq(&hub.client(id, "1"), &first));
    }
}
