//! `/api/login` and `/api/logout`.

use std::time::Instant;

use http::header::{self, HeaderValue};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use tracing::info;

use super::body;
use crate::domain::code::Code;
use crate::remote::answer::{Answer, Refusal, bare, json};
use crate::remote::auth::Login;
use crate::remote::guard::{self, Credential};
use crate::remote::service::{Peer, Service};

const SESSION_SECONDS: u32 = 12 * 3600;

#[derive(Serialize)]
struct LoginShape<'a> {
    page_key: &'a str,
}

/// Swaps a token for a session: its cookie in a header, its page key in the body.
///
/// # Errors
/// The refusal of a wrong token, of one too many wrong ones, or of a malformed body.
pub(super) async fn login(
    service: &Service,
    peer: Peer,
    credential: Credential,
    request: &mut Request<Incoming>,
) -> Result<Answer, Refusal> {
    #[derive(Deserialize)]
    struct Body {
        token: String,
    }
    let body: Body = body::json(request).await?;
    let Some(network) = &service.network else {
        // Whoever has the local socket needs no session.
        return Ok(json(StatusCode::OK, &LoginShape { page_key: "" }));
    };
    let known = !matches!(credential, Credential::None(_));
    let login = network
        .auth
        .login(&body.token, peer.ip(), known, Instant::now());
    match login.map_err(|error| Refusal::internal(error.to_string()))? {
        Login::Welcome(session) => {
            info!(%peer, "login");
            let allowed = service.registry.options().allowed_origins;
            let host = guard::only(request.headers(), &header::HOST).unwrap_or_default();
            let secure = match network.site.scheme_of(host, &allowed) {
                "https" => "; Secure",
                _ => "",
            };
            let name = network.auth.cookie();
            let cookie = format!(
                "{name}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age={SESSION_SECONDS}{secure}",
                session.cookie
            );
            let body = LoginShape {
                page_key: &session.page_key,
            };
            let mut answer = json(StatusCode::OK, &body);
            if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
                cookie.set_sensitive(true);
                answer.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            Ok(answer)
        }
        Login::Wrong => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            Code::Unauthorized,
            "this token is wrong, used or too old: tundra url prints a new address",
        )
        .with(header::WWW_AUTHENTICATE, "Bearer")
        .because("a wrong token was given to the login")),
        Login::Throttled(wait) => {
            let seconds = wait.as_secs() + 1;
            let message = format!("too many wrong tokens: try again in {seconds}s");
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut refusal = Refusal::new(status, Code::TooManyRequests, message);
            refusal.headers.push((header::RETRY_AFTER, seconds.into()));
            Err(refusal)
        }
    }
}

/// Ends the session that the request's cookies name.
pub(super) fn logout(service: &Service, request: &Request<Incoming>) -> Answer {
    let mut answer = bare(StatusCode::NO_CONTENT);
    if let Some(network) = &service.network {
        let name = network.auth.cookie();
        network.auth.logout(guard::cookies(request.headers(), name));
        let gone = format!("{name}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
        if let Ok(gone) = HeaderValue::from_str(&gone) {
            answer.headers_mut().insert(header::SET_COOKIE, gone);
        }
    }
    answer
}
