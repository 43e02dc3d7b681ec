//! The instance without a front end.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Serve, procs};

#[test]
fn serve_ends_by_sigterm_and_takes_everything_along() {
    for (signal, code) in [(Signal::TERM, [0, 143]), (Signal::INT, [0, 130])] {
        let mut serve = Serve::start();
        let id = serve.sh("trap '' HUP TERM; echo READY; while :; do sleep 1000; done");
        serve.wait_text(&id, "READY");
        let (ended, told) = serve.end(signal);
        assert!(code.contains(&ended), "{signal:?}: {ended} {told}");
        assert!(
            serve.home.processes().is_empty(),
            "{:?}",
            serve.home.processes()
        );
        assert_eq!(serve.cli(&["ls"]).code, 3);
    }
}

#[test]
fn rubbish_on_the_socket_harms_nobody() {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    let serve = Serve::start();
    let socket = serve.ready()["control_socket"].as_str().unwrap().to_owned();
    let mut silent = Vec::new();
    for rubbish in [
        &b""[..],
        b"\n",
        b"{}\n",
        b"\xff\xfe\x00\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"{\"a\":",
    ] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(rubbish).unwrap();
        silent.push(stream);
    }
    let mut endless = UnixStream::connect(&socket).unwrap();
    endless
        .set_write_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let megabyte = vec![b'a'; 1 << 20];
    for _ in 0..64 {
        if endless.write_all(&megabyte).is_err() {
            break;
        }
    }
    assert!(
        procs::resident_kib(serve.pid()) < 128 * 1024,
        "an endless line is not kept"
    );
    serve.cli(&["ls"]).ok();
    drop(silent);
    endless
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let _ = endless.read(&mut [0; 64]);
    serve.cli(&["ls"]).ok();
}
