//! The server of a local profile, in a few lines of Python.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::PathBuf;

use super::upstream::Upstream;
use super::{Home, present};

/// It answers whatever it is asked, and ends with 3 when it is told to.
const SERVER: &str = r#"
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
        if self.path == "/end":
            self.wfile.flush()
            print("ending", flush=True)
            os._exit(3)
    def log_message(self, *args): pass
print("listening", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"#;

/// A server that may be started, again and again.
pub struct LocalServer {
    pub script: PathBuf,
    pub port: u16,
}

impl LocalServer {
    /// Writes it down in a home; None, said loudly, where there is no Python.
    pub fn in_home(home: &Home) -> Option<Self> {
        if !present("python3") {
            return None;
        }
        let script = home.file("server.py");
        fs::write(&script, SERVER).unwrap();
        let port = Upstream::refused().port();
        Some(Self { script, port })
    }

    /// The lines of its profile that say where it is and how it is started.
    pub fn profile(&self) -> String {
        let (script, port) = (self.script.display(), self.port);
        format!(
            "provider = \"local\"\nbase_url = \"http://127.0.0.1:{port}\"\n\
             command = [\"python3\", \"{script}\", \"{port}\"]\n"
        )
    }

    /// Tells the one that runs to end.
    pub fn end(&self) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(b"GET /end HTTP/1.0\r\n\r\n").unwrap();
    }
}
