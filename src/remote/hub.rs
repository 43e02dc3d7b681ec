//! Everybody who is attached, over all terminals: how many there may be, who comes back, and what ends when all have
//! left.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::budget::Budget;
use crate::config::{Remote, Settings};
use crate::domain::id::TerminalId;
use crate::domain::input::Input;
use crate::domain::terminal::{Owner, Status};
use crate::pane::{Admission, Attachment, PaneError, PaneHandle, ViewerId};
use crate::runtime::tasks::Tasks;

/// Clients remembered for each terminal, so that what they send again is typed once.
const MAX_CLIENTS: usize = 64;

/// A client counts up from 1, and comes back with what it has got to where it was forgotten.
const MAX_FIRST_ID: u64 = 1 << 53;

/// Shared by every session.
pub(super) struct Hub {
    settings: watch::Receiver<Arc<Settings>>,
    tasks: Tasks,
    /// Names this run's numbering of bytes.
    epoch: String,
    books: Mutex<Books>,
    emptied: Notify,
    budget: Budget,
}

#[derive(Default)]
struct Books {
    viewers: usize,
    clients: HashMap<TerminalId, Guests>,
}

/// The clients of one terminal, the one seen last at the end.
struct Guests {
    pane: PaneHandle,
    clients: VecDeque<Arc<Client>>,
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

/// What became of an input that is to be typed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Once {
    Taken(Admission),
    /// The connection is no longer the client's own: the new one brings the input again.
    Replaced,
    /// Inputs before it are missing.
    Gap,
}

impl Hub {
    pub fn new(settings: watch::Receiver<Arc<Settings>>, tasks: Tasks, epoch: String) -> Self {
        Self {
            settings,
            tasks,
            epoch,
            books: Mutex::default(),
            emptied: Notify::new(),
            budget: Budget::new(Instant::now()),
        }
    }

    pub fn options(&self) -> Remote {
        self.settings.borrow().remote.clone()
    }

    /// What all sessions together may send.
    pub fn budget(&self) -> &Budget {
        &self.budget
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

    /// Waits until nobody is attached.
    pub async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.viewers() == 0 {
                return;
            }
            emptied.await;
        }
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
    pub fn client(&self, pane: &PaneHandle, name: &str) -> Arc<Client> {
        let mut books = self.books();
        if !books.clients.contains_key(&pane.id()) {
            books
                .clients
                .retain(|_, guests| guests.pane.info().status != Status::Dead);
        }
        let guests = books.clients.entry(pane.id()).or_insert_with(|| Guests {
            pane: pane.clone(),
            clients: VecDeque::new(),
        });
        known_or_new(&mut guests.clients, name)
    }

    /// Ends a terminal opened over the network after the grace, unless somebody attaches meanwhile.
    pub fn abandon(&self, pane: &PaneHandle) {
        let grace = self.settings.borrow().remote.reconnect_grace;
        let pane = pane.clone();
        let visits = pane.attach_count();
        let ending = self.tasks.ending();
        self.tasks.spawn("grace", async move {
            tokio::select! {
                () = tokio::time::sleep(grace) => {}
                () = ending => return,
            }
            let facts = pane.info();
            let alone = pane.attach_count() == visits && facts.viewers == 0;
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
        if books.viewers == 0 {
            self.hub.emptied.notify_waiters();
        }
    }
}

impl Client {
    /// Makes this connection the client's own: its former one is told to go, and its role goes over. False where a newer
    /// one is there already, since this one's beginnings were long on their way.
    pub fn enter(&self, seat: &Attachment, session: &CancellationToken, attempt: u64) -> bool {
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

    /// Types an input unless it has been dealt with already.
    ///
    /// # Errors
    /// As [`Attachment::try_input`]; it has not been dealt with then.
    pub fn type_once(
        &self,
        id: u64,
        seat: &Attachment,
        input: impl FnOnce() -> Input,
    ) -> Result<Once, PaneError> {
        // Held over the queueing, so that two connections of one client cannot both type.
        let mut books = self.books();
        let own = books
            .session
            .as_ref()
            .is_some_and(|(_, own)| *own == seat.id());
        if !own {
            return Ok(Once::Replaced);
        }
        if (1..=books.input_id).contains(&id) {
            return Ok(Once::Taken(Admission::Accepted));
        }
        // One that is not remembered (any more) goes on with its own numbers.
        let is_next = id == books.input_id + 1;
        let is_first = books.input_id == 0 && id <= MAX_FIRST_ID;
        if !is_next && !is_first {
            return Ok(Once::Gap);
        }
        let taken = seat.try_input(input())?;
        books.input_id = id;
        Ok(Once::Taken(taken))
    }

    /// Counts an input as dealt with that the program had no room for.
    pub fn pass_over(&self, id: u64) {
        let mut books = self.books();
        books.input_id = books.input_id.max(id);
    }

    fn books(&self) -> MutexGuard<'_, ClientBooks> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client of that name; the one seen longest ago makes room for a new one.
fn known_or_new(clients: &mut VecDeque<Arc<Client>>, name: &str) -> Arc<Client> {
    let known = clients.iter().position(|client| client.name == name);
    let client = known
        .and_then(|known| clients.remove(known))
        .unwrap_or_else(|| {
            Arc::new(Client {
                name: name.to_owned(),
                books: Mutex::default(),
            })
        });
    if clients.len() >= MAX_CLIENTS {
        clients.pop_front();
    }
    clients.push_back(Arc::clone(&client));
    client
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
        let mut clients = VecDeque::new();
        let first = known_or_new(&mut clients, "first");
        first.books().input_id = 7;
        for n in 1..MAX_CLIENTS {
            known_or_new(&mut clients, &n.to_string());
        }
        assert_eq!(known_or_new(&mut clients, "first").input_id(), 7);
        known_or_new(&mut clients, "one more");
        assert_eq!(known_or_new(&mut clients, "first").input_id(), 7);
        assert!(!clients.iter().any(|client| client.name == "1"));
    }
}
