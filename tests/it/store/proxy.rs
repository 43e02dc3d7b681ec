//! A network between tundra and its database that fails where a test says.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What is done with the commits that pass.
#[derive(Default)]
struct Faults {
    /// So many are carried out by the server, and the connection is cut before the client hears of it.
    cuts: AtomicU32,
    /// So many are answered with these errors, and not carried out.
    errors: Mutex<Vec<u16>>,
    /// Everything is cut, and nobody is let in.
    is_down: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
    commits: AtomicU32,
}

pub struct Proxy {
    address: SocketAddr,
    faults: Arc<Faults>,
}

impl Proxy {
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let faults = Arc::new(Faults::default());
        let shared = Arc::downgrade(&faults);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Some(faults) = shared.upgrade() else {
                    return;
                };
                if faults.is_down.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(server) else {
                    continue;
                };
                thread::spawn(move || pass(client, server, &faults));
            }
        });
        Self { address, faults }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn cut_after_commits(&self, count: u32) {
        self.faults.cuts.store(count, Ordering::SeqCst);
    }

    pub fn answer_commits_with(&self, errors: &[u16]) {
        *self.faults.errors.lock().unwrap() = errors.iter().rev().copied().collect();
    }

    pub fn errors_left(&self) -> usize {
        self.faults.errors.lock().unwrap().len()
    }

    pub fn cuts_left(&self) -> u32 {
        self.faults.cuts.load(Ordering::SeqCst)
    }

    /// Cuts what is there and lets nobody in.
    pub fn go_down(&self) {
        self.faults.is_down.store(true, Ordering::SeqCst);
        for connection in self.faults.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    pub fn come_back(&self) {
        self.faults.is_down.store(false, Ordering::SeqCst);
    }
}

/// Passes packets; the client's are looked at one by one.
fn pass(mut client: TcpStream, mut server: TcpStream, faults: &Faults) {
    {
        let mut connections = faults.connections.lock().unwrap();
        connections.push(client.try_clone().unwrap());
        connections.push(server.try_clone().unwrap());
    }
    let cut = Arc::new(AtomicBool::new(false));
    let (mut answers, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let is_cut = Arc::clone(&cut);
    let back = thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        while let Ok(read) = answers.read(&mut buffer) {
            // The server has answered the commit: it is done, and nobody will know.
            if read == 0
                || is_cut.load(Ordering::SeqCst)
                || to_client.write_all(&buffer[..read]).is_err()
            {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
        let _ = answers.shutdown(Shutdown::Both);
    });
    while let Some(packet) = read_packet(&mut client) {
        if packet.get(4..) == Some(b"\x03COMMIT".as_slice()) {
            faults.commits.fetch_add(1, Ordering::SeqCst);
            if let Some(code) = faults.errors.lock().unwrap().pop() {
                if client.write_all(&error_packet(code)).is_err() {
                    break;
                }
                continue;
            }
            let take = |left: u32| left.checked_sub(1);
            if faults
                .cuts
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
                .is_ok()
            {
                cut.store(true, Ordering::SeqCst);
            }
        }
        if server.write_all(&packet).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = back.join();
}

fn read_packet(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut packet = vec![0; 4];
    stream.read_exact(&mut packet).ok()?;
    let length =
        usize::from(packet[0]) | usize::from(packet[1]) << 8 | usize::from(packet[2]) << 16;
    packet.resize(4 + length, 0);
    stream.read_exact(&mut packet[4..]).ok()?;
    Some(packet)
}

fn error_packet(code: u16) -> Vec<u8> {
    let text = b"#40001try restarting transaction";
    let mut body = vec![0xff];
    body.extend(code.to_le_bytes());
    body.extend(text);
    let length = u8::try_from(body.len()).unwrap();
    let mut packet = vec![length, 0, 0, 1];
    packet.extend(body);
    packet
}
