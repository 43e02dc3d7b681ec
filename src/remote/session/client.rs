//! A client over all of its connections, so that what it sends again after a cut is typed once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::domain::input::Input;
use crate::domain::writer::{Admission, ViewerId};
use crate::pane::{Attachment, PaneError};
use crate::remote::kept::KeptClient;

/// Clients remembered for each terminal.
const MAX_CLIENTS: usize = 64;
/// A client counts up from 1, and comes back with what it has got to where it was forgotten.
const MAX_FIRST_ID: u64 = 1 << 53;

/// The clients of one terminal, the one seen last at the end.
#[derive(Default)]
pub(super) struct Clients(VecDeque<Arc<Client>>);

/// A client of one terminal over all of its connections.
pub(super) struct Client {
    name: String,
    state: Mutex<ClientState>,
}

#[derive(Default)]
struct ClientState {
    /// The last input that was dealt with.
    input_id: u64,
    /// The newest connection that it has told of.
    attempt: u64,
    /// The connection that it has now.
    session: Option<(CancellationToken, ViewerId)>,
}

/// What became of an input that is to be typed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InputOutcome {
    Taken(Admission),
    /// The connection is no longer the client's own: the new one brings the input again.
    Replaced,
    /// Inputs before it are missing.
    Gap,
}

impl Clients {
    /// What goes over to another program.
    pub fn keep(&self) -> Vec<KeptClient> {
        self.0.iter().map(|client| client.keep()).collect()
    }

    /// The clients that another program kept; each has a connection that is gone.
    pub fn resume(kept: &[KeptClient]) -> Self {
        Self(kept.iter().map(Client::resume).map(Arc::new).collect())
    }

    /// The client of that name; the one seen longest ago makes room for a new one.
    pub fn known_or_new(&mut self, name: &str) -> Arc<Client> {
        let known = self.0.iter().position(|client| client.name == name);
        let client = known
            .and_then(|known| self.0.remove(known))
            .unwrap_or_else(|| {
                Arc::new(Client {
                    name: name.to_owned(),
                    state: Mutex::default(),
                })
            });
        if self.0.len() >= MAX_CLIENTS {
            self.0.pop_front();
        }
        self.0.push_back(Arc::clone(&client));
        client
    }
}

impl Client {
    fn keep(&self) -> KeptClient {
        let state = self.state();
        KeptClient {
            name: self.name.clone(),
            input_id: state.input_id,
            attempt: state.attempt,
            viewer: state.session.as_ref().map(|(_, viewer)| viewer.number()),
        }
    }

    fn resume(kept: &KeptClient) -> Self {
        let viewer = kept.viewer.map(ViewerId::from_number);
        Self {
            name: kept.name.clone(),
            state: Mutex::new(ClientState {
                input_id: kept.input_id,
                attempt: kept.attempt,
                session: viewer.map(|viewer| (CancellationToken::new(), viewer)),
            }),
        }
    }

    /// Makes this connection the client's own: its former one is told to go, and its role goes over. False where a newer
    /// one is there already, since this one's beginnings were long on their way.
    pub fn claim(
        &self,
        attachment: &Attachment,
        session: &CancellationToken,
        attempt: u64,
    ) -> bool {
        let former = {
            let mut state = self.state();
            if attempt < state.attempt {
                return false;
            }
            state.attempt = attempt;
            state.session.replace((session.clone(), attachment.id()))
        };
        if let Some((former_session, former_id)) = former {
            attachment.succeed(former_id);
            former_session.cancel();
        }
        true
    }

    /// Goes on over a connection that it had in another program.
    pub fn rejoin(&self, attachment: &Attachment, session: &CancellationToken) {
        self.state().session = Some((session.clone(), attachment.id()));
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The last input that was dealt with.
    pub fn input_id(&self) -> u64 {
        self.state().input_id
    }

    /// Types an input unless it has been dealt with already.
    ///
    /// # Errors
    /// As [`Attachment::try_input`]; it has not been dealt with then.
    pub fn type_once(
        &self,
        id: u64,
        attachment: &Attachment,
        input: impl FnOnce() -> Input,
    ) -> Result<InputOutcome, PaneError> {
        // Held over the queueing, so that two connections of one client cannot both type.
        let mut state = self.state();
        let own = state
            .session
            .as_ref()
            .is_some_and(|(_, own)| *own == attachment.id());
        if !own {
            return Ok(InputOutcome::Replaced);
        }
        if (1..=state.input_id).contains(&id) {
            return Ok(InputOutcome::Taken(Admission::Accepted));
        }
        // One that is not remembered (any more) goes on with its own numbers.
        let is_next = id == state.input_id + 1;
        let is_first = state.input_id == 0 && id <= MAX_FIRST_ID;
        if !is_next && !is_first {
            return Ok(InputOutcome::Gap);
        }
        let taken = attachment.try_input(input())?;
        state.input_id = id;
        Ok(InputOutcome::Taken(taken))
    }

    /// Counts an input as dealt with that the program had no room for.
    pub fn pass_over(&self, id: u64) {
        let mut state = self.state();
        state.input_id = state.input_id.max(id);
    }

    fn state(&self) -> MutexGuard<'_, ClientState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_seen_longest_ago_is_forgotten() {
        let mut clients = Clients::default();
        let first = clients.known_or_new("first");
        first.state().input_id = 7;
        for n in 1..MAX_CLIENTS {
            clients.known_or_new(&n.to_string());
        }
        assert_eq!(clients.known_or_new("first").input_id(), 7);
        clients.known_or_new("one more");
        assert_eq!(clients.known_or_new("first").input_id(), 7);
        assert!(!clients.0.iter().any(|client| client.name == "1"));
    }
}
