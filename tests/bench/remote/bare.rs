//! A WebSocket with nothing behind it: the floor of what a client here can see.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept};

/// Output in one frame, as large as tundra's in the plain mode.
const FRAME: usize = 64 * 1024;

/// What the far side does.
#[derive(Clone)]
pub enum Script {
    /// Gives back what it gets.
    Echo,
    /// Sends this at once, and then echoes.
    Paint(Bytes),
    /// Waits for a message, sends this, and a mark at the end.
    Stream(Bytes, &'static str),
}

/// Serves until the bench ends.
pub fn serve(script: Script) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let script = script.clone();
            thread::spawn(move || attend(stream, script));
        }
    });
    address
}

fn attend(stream: TcpStream, script: Script) {
    stream.set_nodelay(true).unwrap();
    let Ok(mut socket) = accept(stream) else {
        return;
    };
    match script {
        Script::Echo => {}
        Script::Paint(bytes) => {
            let _ = socket.send(Message::Binary(bytes));
        }
        Script::Stream(bytes, mark) => {
            let _ = socket.read();
            let mut start = 0;
            while start < bytes.len() {
                let end = (start + FRAME).min(bytes.len());
                if socket
                    .send(Message::Binary(bytes.slice(start..end)))
                    .is_err()
                {
                    return;
                }
                start = end;
            }
            let _ = socket.send(Message::binary(mark.as_bytes()));
        }
    }
    echo(socket);
}

fn echo(mut socket: WebSocket<TcpStream>) {
    while let Ok(message) = socket.read() {
        if message.is_binary() && socket.send(message).is_err() {
            return;
        }
    }
}
