//! Attaching: the local socket, the network, the page.

use super::entry::{Explanation, Group, Severity};

pub(super) const TABLE: &[Explanation] = &[
    Explanation {
        name: "TransportError",
        aliases: &["Transport", "WebSocket"],
        codes: &["transport"],
        texts: &[
            "transport error: <details>",
            "the frame is cut short",
            "0x<byte> is no kind of frame",
            "pasted text must be UTF-8",
            "that is no name of a key",
        ],
        group: Group::Attach,
        severity: Severity::Warning,
        meaning: "The connection of a viewer over the network failed, or what came over it was none of the protocol. The terminal \
                  lives on; the page and tundra attach connect again and go on where they were.",
        symptoms: &[
            "connection reset by peer, broken pipe",
            "the page says that it is offline",
        ],
        causes: &[
            "the network changed (a sleeping laptop, another Wi-Fi, a VPN)",
            "a proxy in between closes idle sockets, or does not pass upgrades",
            "no pong within 10 s of a ping, which a dead connection gives",
        ],
        cures: &[
            "wait: it reconnects by itself within remote.reconnect_grace without loss",
            "behind a proxy: pass Upgrade and Connection, and a read timeout above remote.idle_timeout (300s)",
            "tundra doctor: ports.remote says whether the listener is there",
        ],
        prevention: &[
            "a longer remote.reconnect_grace for bad networks",
            "--persistent for what shall never end by a cut",
        ],
        log_target: "tundra::remote",
    },
    Explanation {
        name: "PushRefused",
        aliases: &["Push", "Malformed", "Storage"],
        codes: &["push_refused"],
        texts: &[
            "subscription: <what is wrong with it>",
            "<n> browsers are subscribed already: take one back in its page first",
            "the push subscriptions cannot be kept: <details>",
        ],
        group: Group::Attach,
        severity: Severity::Warning,
        meaning: "A browser asked to be told of agents while no page of it is open, and that cannot be: its subscription is none, there \
                  are too many, or it cannot be written to state/push.json.",
        symptoms: &["the page says that it tells while it is open, and not when it is closed"],
        causes: &[
            "a program that is no browser wrote to /api/push",
            "browsers that are used no more never took their subscriptions back",
            "the disk is full, or the state folder cannot be written",
        ],
        cures: &[
            "take the tick at Tell me of agents away in the pages that are used no more",
            "or end tundra, delete state/push.json, and set the tick again where it is wanted",
        ],
        prevention: &["log out in browsers that you give away: that takes their subscription back"],
        log_target: "tundra::push",
    },
    Explanation {
        name: "CertificateUntrusted",
        aliases: &["Untrusted"],
        codes: &["certificate_untrusted"],
        texts: &[
            "transport error: the certificate of <host> is not trusted; its fingerprint is <fingerprint>, and `tundra status` \
             there tells the right one",
        ],
        group: Group::Attach,
        severity: Severity::Warning,
        meaning: "The other tundra shows a certificate that nobody vouches for, as a self-signed one is.",
        symptoms: &["tundra attach --url stops at the first connection"],
        causes: &["the first visit to a tundra with a certificate of its own making"],
        cures: &["compare the fingerprint with tundra status over there, then say yes"],
        prevention: &["remote.tls_cert and remote.tls_key with a certificate that is trusted"],
        log_target: "tundra::remote",
    },
    Explanation {
        name: "CertificateChanged",
        aliases: &["Changed"],
        codes: &["certificate_changed"],
        texts: &[
            "transport error: the certificate of <host> has CHANGED, so somebody may be in between: <new> instead of <known>",
        ],
        group: Group::Attach,
        severity: Severity::Error,
        meaning: "Another certificate is shown than the one that was trusted before: it was made anew, or somebody stands between.",
        symptoms: &["tundra attach --url refuses"],
        causes: &[
            "the other side's state was removed and a new certificate made",
            "somebody in between",
        ],
        cures: &[
            "compare with tundra status over there; only then take the line out of the file that the message names",
        ],
        prevention: &["a certificate that is trusted"],
        log_target: "tundra::remote",
    },
    Explanation {
        name: "IpcError",
        aliases: &["Ipc", "DaemonNotResponding"],
        codes: &["ipc"],
        texts: &[
            "IPC error: <details>",
            "the control socket <path> cannot be bound: <details>",
        ],
        group: Group::Attach,
        severity: Severity::Error,
        meaning: "The local socket of the running instance failed: it does not answer, closed the connection, belongs to somebody \
                  else, or speaks another version.",
        symptoms: &["commands hang for some seconds and exit 1"],
        causes: &[
            "the instance is stopped, or hangs",
            "the socket was removed (a cleaner of /tmp), or its folder belongs to somebody else",
            "another version of tundra runs than the one that asks",
        ],
        cures: &[
            "tundra doctor: paths.lock and paths.socket say who holds this home and whether it answers; --fix removes a socket \
             that nobody holds",
            "tundra upgrade brings a running instance to this version",
            "kill the pid that tundra doctor names, as the last resort; tundra brings the layout back",
        ],
        prevention: &["XDG_RUNTIME_DIR, which nobody cleans while you are logged in"],
        log_target: "tundra::control",
    },
    Explanation {
        name: "Unauthorized",
        aliases: &[],
        codes: &["unauthorized"],
        texts: &["a token is needed: tundra url prints an address with one"],
        group: Group::Attach,
        severity: Severity::Error,
        meaning: "The listener gives nothing away without a token: that of tundra url (one login, ten minutes), or the bearer of \
                  state/remote.token.",
        symptoms: &["401 from a route or a socket", "the page asks to log in"],
        causes: &[
            "the address was used before, or is older than ten minutes",
            "tundra was started anew: sessions of pages end with it",
        ],
        cures: &[
            "tundra url prints a fresh address",
            "scripts: Authorization: Bearer with what is in state/remote.token",
        ],
        prevention: &["a bookmark without the fragment, and a fresh tundra url"],
        log_target: "tundra::remote",
    },
    Explanation {
        name: "Forbidden",
        aliases: &["OriginNotAllowed", "NotYours"],
        codes: &["forbidden"],
        texts: &[
            "forbidden: <details>",
            "origin not allowed: <origin>",
            "requests from this origin are not allowed<; see remote.allowed_origins>",
            "this host is not served here<: open its own address>",
        ],
        group: Group::Attach,
        severity: Severity::Warning,
        meaning: "Somebody who may not asked: another Host or Origin than the listener's own, or another user at the local socket.",
        symptoms: &["403 from a route or a socket"],
        causes: &[
            "the page is reached under a name that tundra does not know (a proxy, a tunnel)",
            "another web page asks",
        ],
        cures: &[
            "add the page's origin to remote.allowed_origins, for example \"https://tundra.example.org\"",
        ],
        prevention: &["reach it under the address of tundra url"],
        log_target: "tundra::remote",
    },
    Explanation {
        name: "TooManyRequests",
        aliases: &["Throttled"],
        codes: &["too_many_requests"],
        texts: &[
            "too many wrong tokens: try again in <n>s",
            "too many connections: <details>",
        ],
        group: Group::Attach,
        severity: Severity::Warning,
        meaning: "Too many wrong tokens came from one peer within a minute, or it holds too many connections. A right token is never \
                  throttled.",
        symptoms: &["429 from the login"],
        causes: &["a script with an old token", "somebody guesses"],
        cures: &[
            "wait a minute, then use a fresh tundra url",
            "tundra history --kind viewer shows who was refused",
        ],
        prevention: &["read the token from state/remote.token each time"],
        log_target: "tundra::remote",
    },
    Explanation {
        name: "TooManyViewers",
        aliases: &[],
        codes: &["too_many_viewers"],
        texts: &["all <max> places for viewers are taken"],
        group: Group::Attach,
        severity: Severity::Warning,
        meaning: "remote.max_viewers counts the viewers of all terminals together, and all places are taken.",
        symptoms: &["503 with Retry-After at a socket"],
        causes: &[
            "pages left open in many tabs",
            "a script that attaches and does not leave",
        ],
        cures: &[
            "close some, or raise remote.max_viewers",
            "tundra status tells how many there are",
        ],
        prevention: &["tundra capture and tundra wait in place of attaching, for scripts"],
        log_target: "tundra::remote",
    },
    Explanation {
        name: "TlsFailed",
        aliases: &["Tls", "ListenerFailed"],
        codes: &["tls"],
        texts: &[
            "TLS cannot be served: <details>",
            "certificate and key do not work together: <details>",
            "no certificate can be made: <details>",
            "the token file <path> cannot be used: <details>",
            "the listener cannot be used: <details>",
        ],
        group: Group::Attach,
        severity: Severity::Error,
        meaning: "The listener for the network could not be set up with its certificate, its token or its port.",
        symptoms: &["tundra serve exits 1 and names a file"],
        causes: &[
            "remote.tls_cert and remote.tls_key do not belong together, are missing, or are not PEM",
            "state cannot be written",
        ],
        cures: &[
            "correct both, or leave both out: a self-signed one is made",
            "tundra doctor: paths.rights and paths.disk",
        ],
        prevention: &["renew a certificate before it expires"],
        log_target: "tundra::remote",
    },
    Explanation {
        name: "Unavailable",
        aliases: &["ServiceUnavailable"],
        codes: &["unavailable"],
        texts: &[
            "<what was asked for is not there now>",
            "remote attach is disabled: set remote.enabled = true and start tundra again",
            "this instance has no listener for browsers",
            "this instance keeps no log",
            "this instance cannot be stopped yet",
        ],
        group: Group::Attach,
        severity: Severity::Error,
        meaning: "What was asked for is not there now: the listener is disabled, no journal is kept, the copy cannot be reached.",
        symptoms: &["exit 1, or 503 from a route"],
        causes: &[
            "remote.enabled or gateway.enabled is false",
            "the journal is degraded or off",
            "Dolt is down or disabled",
        ],
        cures: &["tundra status and tundra store status say which; the message says what to set"],
        prevention: &["tundra doctor after a change of the configuration"],
        log_target: "tundra::app",
    },
];
