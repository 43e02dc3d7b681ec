//! Listening on a TCP address, and saying who holds it where that fails.

use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;

use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How many ports after the wanted one are tried where any will do.
const OTHERS: u16 = 100;

/// Why an address cannot be listened on.
#[derive(Debug, Error)]
pub enum BindError {
    #[error("address already in use: {address}{}", held_by(.holder.as_ref()))]
    InUse {
        address: SocketAddr,
        holder: Option<Holder>,
    },
    #[error("cannot listen on {address}: {source}")]
    Other {
        address: SocketAddr,
        source: io::Error,
    },
}

/// A process that listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub pid: u32,
    pub name: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} {}", self.pid, self.name)
    }
}

fn held_by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| format!(" (held by {holder})"))
}

/// Listens on `address`. Where it is in use and the user did not name it, the next free port will do.
///
/// Must be called within the runtime.
pub fn bind(address: SocketAddr, named: bool) -> Result<TcpListener, BindError> {
    let mut wanted = address;
    let last = address
        .port()
        .saturating_add(if named { 0 } else { OTHERS });
    loop {
        match listen(wanted) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                if wanted.port() >= last {
                    return Err(BindError::InUse {
                        address,
                        holder: holder(address.port()),
                    });
                }
                wanted.set_port(wanted.port() + 1);
            }
            Err(source) => return Err(BindError::Other { address, source }),
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Who listens on a port, as far as this user may see; proc(5).
fn holder(port: u16) -> Option<Holder> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, port))?;
    let socket = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let mut open = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        open.any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == socket.as_str()))
            .then(|| {
                let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
                Holder {
                    pid,
                    name: name.trim().to_owned(),
                }
            })
    })
}

fn listening_inode(table: &str, port: u16) -> Option<u64> {
    const LISTEN: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
        let same = u16::from_str_radix(local_port, 16).ok()? == port && *fields.get(3)? == LISTEN;
        same.then(|| fields.get(9)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_port_is_told_with_its_holder_or_passed_over() {
        let first = bind("127.0.0.1:0".parse().unwrap(), true).unwrap();
        let address = first.local_addr().unwrap();
        let error = bind(address, true).unwrap_err();
        let told = error.to_string();
        let holder = format!("(held by pid {} ", std::process::id());
        assert!(
            told.starts_with(&format!("address already in use: {address} {holder}")),
            "{told}"
        );
        let second = bind(address, false).unwrap();
        assert!(second.local_addr().unwrap().port() > address.port());
    }
}
