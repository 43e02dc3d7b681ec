//! TCP ports: how a listener gets one, and who holds it when it cannot.

use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

use super::proc;
use crate::domain::code::Code;

/// How many ports after a busy default one are tried.
const NEXT_PORTS: u16 = 100;

/// Whether the user chose the address, or any port near the default will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Named,
    Default {
        /// A port that the user has named for another listener, which takes it later.
        reserved: Option<u16>,
    },
}

/// Why a listener got no port.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error("address already in use: {address}{holder}")]
    Busy { address: SocketAddr, holder: Holder },
    #[error("cannot listen on {address}: {source}")]
    Other {
        address: SocketAddr,
        source: io::Error,
    },
}

impl From<&BindError> for Code {
    fn from(error: &BindError) -> Self {
        match error {
            BindError::Busy { .. } => Self::AddressInUse,
            BindError::Other { .. } => Self::Internal,
        }
    }
}

/// The process that listens on a port, as far as it can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder(Option<(u32, String)>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some((pid, name)) => write!(f, " (held by pid {pid} {name})"),
            None => Ok(()),
        }
    }
}

/// Listens on an address; where the port is a default one and busy, on the next free one.
///
/// # Errors
/// [`BindError`] with whoever holds the port, where that can be told.
pub fn listen(address: SocketAddr, choice: Choice) -> Result<TcpListener, BindError> {
    let (last, reserved) = match choice {
        Choice::Named => (address.port(), None),
        Choice::Default { reserved } => (address.port().saturating_add(NEXT_PORTS), reserved),
    };
    for port in (address.port()..=last).filter(|port| Some(*port) != reserved) {
        let wanted = SocketAddr::new(address.ip(), port);
        match TcpListener::bind(wanted) {
            Ok(listener) => {
                listener
                    .set_nonblocking(true)
                    .map_err(|source| BindError::Other {
                        address: wanted,
                        source,
                    })?;
                return Ok(listener);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(source) => {
                return Err(BindError::Other {
                    address: wanted,
                    source,
                });
            }
        }
    }
    Err(BindError::Busy {
        address,
        holder: Holder(holder(address)),
    })
}

/// Finds the process that listens on a port: proc(5), `net/tcp` for the socket and `PID/fd` for its owner.
fn holder(address: SocketAddr) -> Option<(u32, String)> {
    holder_of(&listeners(address))
}

/// The inodes of the sockets that listen on an address.
fn listeners(address: SocketAddr) -> Vec<String> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, address))
        .collect()
}

fn holder_of(inodes: &[String]) -> Option<(u32, String)> {
    let wanted: Vec<String> = inodes
        .iter()
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let holds = |pid: &u32| {
        let fds = fs::read_dir(format!("/proc/{pid}/fd")).ok();
        fds.into_iter().flatten().flatten().any(|fd| {
            fs::read_link(fd.path()).is_ok_and(|target| {
                wanted
                    .iter()
                    .any(|name| target.as_os_str() == name.as_str())
            })
        })
    };
    // A child that was just forked holds what its parent does; the oldest of them is the one that listens.
    proc::pids()
        .filter(holds)
        .filter_map(proc::process)
        .min_by_key(|process| process.start_ticks)
        .map(|process| (process.pid, process.name))
}

/// The inodes of sockets in state LISTEN (0A) whose address collides with the one wanted.
fn listening_inodes(table: &str, wanted: SocketAddr) -> Vec<String> {
    let port = format!("{:04X}", wanted.port());
    let hex_ip = match wanted.ip() {
        IpAddr::V4(ip) => format!("{:08X}", u32::from_le_bytes(ip.octets())),
        IpAddr::V6(ip) => ip.octets().chunks(4).fold(String::new(), |hex, part| {
            let mut word = [0; 4];
            word.copy_from_slice(part);
            format!("{hex}{:08X}", u32::from_le_bytes(word))
        }),
    };
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let (ip, its_port) = fields.next()?.split_once(':')?;
            let state = fields.nth(1)?;
            let inode = fields.nth(5)?;
            let collides =
                ip == hex_ip || ip.bytes().all(|b| b == b'0') || wanted.ip().is_unspecified();
            (state == "0A" && its_port == port && collides).then(|| inode.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_default_moves_on_and_a_busy_choice_names_its_holder() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let next = listen(address, Choice::Default { reserved: None }).unwrap();
        let next = next.local_addr().unwrap().port();
        assert!(next > address.port());
        let reserved = Some(next);
        let other = listen(address, Choice::Default { reserved }).unwrap();
        assert!(other.local_addr().unwrap().port() > next);
        let error = listen(address, Choice::Named).unwrap_err().to_string();
        let me = std::process::id();
        let name = fs::read_to_string("/proc/self/comm").unwrap();
        let expected = format!(
            "address already in use: {address} (held by pid {me} {})",
            name.trim()
        );
        assert_eq!(error, expected);
    }
}
