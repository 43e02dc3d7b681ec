//! Whoever looks at a pane looks on.

use serde_json::json;

use super::upgrade;
use crate::support::Serve;
use crate::support::viewer::Remote;
use tundra::remote::protocol::ToClient;

const CLIENT: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn a_viewer_resumes_with_exactly_what_it_missed_and_types_once() {
    let serve = Serve::start();
    let remote = Remote::of(&serve);
    let id = serve.open(&["sh"]);
    let mut socket = remote.v1(&id);
    let (hello, _) = socket.attach(CLIENT, None);
    let epoch = hello["epoch"].as_str().unwrap().to_owned();
    let mut next = 0;
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("one-1") {
        match socket.frame() {
            ToClient::Output { seq, bytes } => {
                assert_eq!(seq, next);
                next = seq + bytes.len() as u64;
                seen.extend_from_slice(&bytes);
            }
            ToClient::Snapshot { seq, .. } => {
                next = seq;
                socket.input(1, b"echo one-$((2-1))\r");
            }
        }
    }
    upgrade(&serve);
    serve.enter(&id, "echo two-$((1+1))");
    serve.wait_text(&id, "two-2");
    let mut socket = remote.v1(&id);
    let (hello, attached) = socket.attach(CLIENT, Some((&epoch, next)));
    assert_eq!(hello["epoch"], epoch.as_str());
    assert_eq!(attached["resumed"], true, "{attached}");
    assert_eq!(attached["input_id"], 1);
    let mut missed = Vec::new();
    while !String::from_utf8_lossy(&missed).contains("two-2") {
        match socket.frame() {
            ToClient::Output { seq, bytes } => {
                assert_eq!(seq, next);
                next = seq + bytes.len() as u64;
                missed.extend_from_slice(&bytes);
            }
            ToClient::Snapshot { .. } => panic!("a snapshot in the place of what was missed"),
        }
    }
}

#[test]
fn a_session_of_the_page_and_a_token_for_one_login_are_still_good() {
    let serve = Serve::start();
    let remote = Remote::of(&serve);
    let url = serve.cli(&["url"]).ok();
    let token = url.trim().split_once("#token=").unwrap().1.to_owned();
    let bearer = std::fs::read_to_string(serve.home.path().join("state/remote.token")).unwrap();
    let login = remote.login(bearer.trim());
    let page_key = login.json()["page_key"].as_str().unwrap().to_owned();
    let cookie = login
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    upgrade(&serve);
    let headers = [
        ("cookie", cookie),
        ("x-tundra-page", page_key),
        ("origin", remote.origin()),
    ];
    let list = remote.raw("GET", "/api/terminals", &headers, "");
    assert_eq!(list.status, 200);
    assert_eq!(list.json(), json!([]));
    assert_eq!(remote.login(&token).status, 200);
    assert_eq!(remote.login(&token).status, 401, "good for one login");
}
