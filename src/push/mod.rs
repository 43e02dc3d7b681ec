//! Web Push: tells browsers that asked for it of agents that need their user, also while no page is open.
//!
//! `remote` takes subscriptions in and gives the public key out; `app` tells what is to be told. The message is encrypted for
//! the browser (`seal`, RFC 8291), so that the push service in between learns when, how long and for which of its users, and
//! nothing else. Nothing here waits: a message that cannot be delivered now is dropped, since a late one would be wrong.
//!
//! A subscription's address is what a page says, and is asked from this machine: only a session that may open terminals can
//! give one, it is `https` or this machine itself, no redirect is followed and no answer is read or told.
//!
//! This room must not know what an agent or a terminal is, nor how a page is served.

mod error;
mod seal;
mod subscriptions;
mod vapid;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode};
use tokio::sync::Semaphore;
use tracing::{debug, info, warn};

use crate::runtime::tasks::Tasks;
use subscriptions::Subscriptions;
use vapid::Vapid;

pub use error::PushError;
pub use subscriptions::Subscription;

/// How long one delivery may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a push service keeps a message for a browser that is away, in seconds.
const KEPT_S: &str = "1800";
/// Deliveries at once; further ones are dropped.
const AT_ONCE: usize = 32;
/// The longest message, in bytes; push services take 4096 of what is sealed.
const LONGEST: usize = 2048;

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is about, up to 32 letters and digits: a later message about the same takes the place of one that waits.
    pub topic: String,
    /// What the page's worker reads.
    pub body: Vec<u8>,
    /// Whether a battery may be used for it.
    pub is_urgent: bool,
}

/// Knows the subscribed browsers; cheap to clone.
#[derive(Clone)]
pub struct Push {
    shared: Arc<PushInner>,
}

struct PushInner {
    state: PathBuf,
    tasks: Tasks,
    places: Arc<Semaphore>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    subscriptions: Subscriptions,
    /// Made at first use.
    vapid: Option<Arc<Vapid>>,
    client: Option<Client>,
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push").finish_non_exhaustive()
    }
}

impl Push {
    /// Reads what is kept in the folder `state`: keys and subscriptions. What cannot be read is as if it were not there.
    #[must_use]
    pub fn new(state: PathBuf, tasks: Tasks) -> Self {
        let subscriptions = Subscriptions::read(&state).unwrap_or_else(|error| {
            warn!(%error, "the push subscriptions cannot be read: none is known");
            Subscriptions::default()
        });
        let known = Known {
            subscriptions,
            ..Known::default()
        };
        Self {
            shared: Arc::new(PushInner {
                state,
                tasks,
                places: Arc::new(Semaphore::new(AT_ONCE)),
                known: Mutex::new(known),
            }),
        }
    }

    /// The public key that browsers subscribe with, in base64url; makes the pair at first use.
    ///
    /// # Errors
    /// [`PushError::Storage`] where the key cannot be kept.
    pub fn public_key(&self) -> Result<String, PushError> {
        let mut known = self.shared.known();
        Ok(known.vapid(&self.shared)?.public_key().to_owned())
    }

    /// Takes a browser in; one that is known already gets its new keys.
    ///
    /// # Errors
    /// [`PushError`] where it is not what browsers give, there are too many, or it cannot be kept.
    pub fn subscribe(&self, subscription: Subscription) -> Result<(), PushError> {
        subscription.check()?;
        let mut known = self.shared.known();
        known.vapid(&self.shared)?;
        known.subscriptions.add(subscription)?;
        known.subscriptions.write(&self.shared.state)?;
        info!(
            browsers = known.subscriptions.len(),
            "a browser is subscribed to notices"
        );
        Ok(())
    }

    /// Forgets a browser by its address.
    ///
    /// # Errors
    /// [`PushError::Storage`] where that cannot be kept.
    pub fn unsubscribe(&self, endpoint: &str) -> Result<(), PushError> {
        let mut known = self.shared.known();
        if known.subscriptions.remove(endpoint) {
            known.subscriptions.write(&self.shared.state)?;
        }
        Ok(())
    }

    /// Tells every subscribed browser; returns at once.
    pub fn tell(&self, message: &Message) {
        let mut known = self.shared.known();
        if known.subscriptions.len() == 0 || message.body.len() > LONGEST {
            return;
        }
        let (vapid, client) = match (known.vapid(&self.shared), known.client()) {
            (Ok(vapid), Ok(client)) => (vapid, client),
            (Err(error), _) => return warn!(%error, "nobody is told"),
            (_, Err(error)) => return warn!(%error, "nobody is told"),
        };
        for subscription in known.subscriptions.iter() {
            let Ok(place) = Arc::clone(&self.shared.places).try_acquire_owned() else {
                warn!("a notice was not pushed: too many are under way");
                return;
            };
            let delivery = Delivery {
                push: self.clone(),
                client: client.clone(),
                vapid: Arc::clone(&vapid),
                subscription: subscription.clone(),
                message: message.clone(),
            };
            let ending = self.shared.tasks.ending();
            self.shared.tasks.spawn("push", async move {
                tokio::select! {
                    () = delivery.run() => {}
                    () = ending => {}
                }
                drop(place);
            });
        }
    }
}

impl PushInner {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn vapid(&mut self, shared: &PushInner) -> io::Result<Arc<Vapid>> {
        if let Some(vapid) = &self.vapid {
            return Ok(Arc::clone(vapid));
        }
        let vapid = Arc::new(Vapid::read_or_make(&shared.state)?);
        self.vapid = Some(Arc::clone(&vapid));
        Ok(vapid)
    }

    fn client(&mut self) -> reqwest::Result<Client> {
        static CRYPTO: Once = Once::new();
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        CRYPTO.call_once(|| {
            // It fails where somebody has done it.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let client = Client::builder()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()?;
        self.client = Some(client.clone());
        Ok(client)
    }
}

/// One message on its way to one browser.
struct Delivery {
    push: Push,
    client: Client,
    vapid: Arc<Vapid>,
    subscription: Subscription,
    message: Message,
}

impl Delivery {
    async fn run(self) {
        let service = self.subscription.service();
        match self.send().await {
            Ok(status) if status.is_success() => debug!(service, "pushed"),
            Ok(status @ (StatusCode::NOT_FOUND | StatusCode::GONE)) => {
                info!(service, %status, "a browser is no longer subscribed");
                if let Err(error) = self.push.unsubscribe(self.subscription.endpoint()) {
                    warn!(%error, "it is not forgotten");
                }
            }
            Ok(status) => warn!(service, %status, "a push service did not take a notice"),
            Err(error) => warn!(service, error, "a push service was not reached"),
        }
    }

    async fn send(&self) -> Result<StatusCode, String> {
        let sealed = self.subscription.seal(&self.message.body);
        let sealed = sealed.ok_or("the subscription's keys are none")?;
        let token = self.vapid.token(self.subscription.audience());
        let token = token.ok_or("the token cannot be signed")?;
        let authorization = format!("vapid t={token}, k={}", self.vapid.public_key());
        let mut headers = HeaderMap::new();
        let mut authorization =
            HeaderValue::from_str(&authorization).map_err(|error| error.to_string())?;
        authorization.set_sensitive(true);
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("aes128gcm"));
        let kind = HeaderValue::from_static("application/octet-stream");
        headers.insert(CONTENT_TYPE, kind);
        headers.insert("ttl", HeaderValue::from_static(KEPT_S));
        let urgency = if self.message.is_urgent {
            "high"
        } else {
            "normal"
        };
        headers.insert("urgency", HeaderValue::from_static(urgency));
        if let Ok(topic) = HeaderValue::from_str(&self.message.topic) {
            headers.insert("topic", topic);
        }
        let request = self
            .client
            .post(self.subscription.endpoint())
            .headers(headers);
        let answer = request.body(sealed).send().await;
        // The address is a secret of the browser's, and stands in the error.
        let answer = answer.map_err(|error| error.without_url().to_string())?;
        Ok(answer.status())
    }
}
