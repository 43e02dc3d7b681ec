//! Attaching to a pane from outside: the HTTP listener, its page and its sockets, and the client of `tundra attach`.
//!
//! `app` starts the listener; `cli` uses the client. A request is refused before it is looked at when its Host or Origin
//! is foreign or it shows no valid token; a socket reads a pane's output at its own pace and can hold up neither the pane
//! nor another socket; every queue here is bounded. The same service answers on a local socket that only its owner can
//! open, and asks for no token there. This room must not know how a pane works inside or how a front end draws.
//!
//! # Who may want what, and what holds
//! - **A page of another site** in the user's browser can send requests here, and its name can resolve to this address. A
//!   foreign Origin or Host is refused on every route (`guard`); nothing is answered that another origin may read, and what
//!   changes something needs an Origin. It can learn that something listens here, no more.
//! - **A page of another port of this host** is sent the session's cookie, since cookies know no ports, and can set one of
//!   the same name. The cookie opens nothing without the page key, which never leaves the storage of the page's own
//!   origin; a planted cookie locks nobody out (`auth`). A program of the same user that reads the browser's files, or the
//!   token's, is that user.
//! - **Whoever reaches the port** can guess tokens of 256 bits, five a minute; that keeps nobody out who has a right one.
//!   Connections are limited, per peer and in all, below what this process may open, so that the local socket and new
//!   terminals have descriptors left; a head has 32 KiB and 5 s, a body 1 MiB and 5 s, an answer that is not taken 10 s.
//!   Whoever has every place of one address, the users of one machine for instance, can keep that address's others out.
//! - **Somebody on the way** reads and writes everything over plain HTTP, which is served to this machine alone; a proxy's
//!   way to it is the proxy's. Over TLS a self-signed certificate is as good as the first look at its fingerprint.
//! - **A viewer that was let in** may type, open and end terminals, and steer providers: a token is the whole key to the
//!   instance. `read_only` is a viewer's own wish, not a border.
//! - **A program in a pane** writes what it likes to the page's terminal. The page answers none of its queries, lets it set
//!   the clipboard only while it is looked at, opens links only on a click, and shows no text of it but as text.
//! - **A server of `attach --url`** decides what stands in the viewer's screen, which is drawn cell by cell. Its words reach
//!   the terminal without control characters, its answers and frames are limited before memory is set aside for them, and
//!   what is typed into its terminal it gets. It cannot reach other terminals, files or the clipboard.
//!
//! # What a client can rely on
//! - `POST /api/terminals` takes `command` as a string or as an array, and `agent`; `args` without `command` is a 400. A failover
//!   takes `{"for":"10m"}`; what a provider cannot do is a 409 with the command's text. `/api/logout` ends the session of its
//!   cookie.
//! - `GET /api/providers/{name}/requests` answers the last twenty requests of a provider, the newest first, each with its tries:
//!   why it was sent there, or why not, and what became of it.
//! - `GET /api/usage?since=24h&by=profile` and `GET /api/history?since=24h&kind=provider&terminal=…&profile=…&last=1000` answer what the
//!   commands answer with `--json`; `last` is 1000 where it is not given, and at most 10,000.
//! - Sockets close with 1000 when their terminal ended, 1001 when tundra ends, 4000 when idle, 4001 when another socket of
//!   the same client took the place, and 4002 without a pong.
//! - What a viewer of the plain mode types that does not write is dropped without a word. In both modes input for a program
//!   that reads nothing waits for 5 s and is then dropped.
//! - One peer has at most 256 connections: the oldest idle one makes room. `Host` may be this machine's name where the
//!   listener is not on loopback.

mod answer;
mod assets;
mod auth;
pub mod client;
mod error;
mod frame_head;
mod guard;
mod kept;
mod listener;
pub mod protocol;
mod resumed_viewer;
mod routes;
mod server;
mod service;
mod session;
mod tls;
mod trust;
mod viewer_socket;
mod write_timeout;

pub use auth::ONE_TIME_LIFE;
pub use error::{RemoteError, TransportError};
pub use kept::KeptRemote;
pub use resumed_viewer::ResumedViewer;
pub use server::{RemoteHandle, Setup, start};
pub use trust::KnownRemotes;
