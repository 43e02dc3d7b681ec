//! Another server of a test's own: the one that stands on port 3306 most often.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use super::dolt::free;
use crate::support::{Home, eventually, present, procs};

pub const PASSWORD: &str = "of-mariadb";

pub struct MariaDb {
    /// Holds its files.
    home: Home,
    port: u16,
    child: Child,
}

impl MariaDb {
    /// None, and that loudly, where it is not installed.
    pub fn start() -> Option<Self> {
        // Debian keeps it where a user's PATH may not lead.
        let binary = ["/usr/sbin/mariadbd", "/usr/bin/mariadbd"]
            .into_iter()
            .map(PathBuf::from)
            .find(|path| path.is_file());
        let Some(binary) = binary else {
            present("mariadbd");
            return None;
        };
        if !present("mariadb-install-db") {
            return None;
        }
        let home = Home::new();
        let data = home.file("data");
        fs::create_dir_all(&data).unwrap();
        let made = Command::new("mariadb-install-db")
            .args([
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .arg(format!("--datadir={}", data.display()))
            .args(as_root())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let init = home.file("init.sql");
        fs::write(
            &init,
            format!("ALTER USER root@localhost IDENTIFIED BY '{PASSWORD}';\n"),
        )
        .unwrap();
        let address = free();
        let log = fs::File::create(home.file("log")).unwrap();
        let child = Command::new(binary)
            .arg("--no-defaults")
            .args(as_root())
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--init-file={}", init.display()))
            .arg(format!("--socket={}", home.file("socket").display()))
            .arg(format!("--pid-file={}", home.file("pid").display()))
            .arg(format!("--port={}", address.port()))
            .args(["--bind-address=127.0.0.1", "--innodb-buffer-pool-size=16M"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        eventually("MariaDB takes connections", || {
            TcpStream::connect(address).is_ok()
        });
        Some(Self {
            home,
            port: address.port(),
            child,
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The names of its databases.
    pub fn databases(&self) -> String {
        let data = fs::read_dir(self.home.file("data")).unwrap();
        let names = data
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.collect::<Vec<_>>().join(" ")
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        procs::signal(self.child.id(), Signal::TERM);
        let _ = self.child.wait();
    }
}

/// Who is root must say so.
fn as_root() -> Option<&'static str> {
    rustix::process::geteuid()
        .is_root()
        .then_some("--user=root")
}
