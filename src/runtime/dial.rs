//! The local socket: a file that one process binds and many connect to, reachable however deep its folder lies.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, inotify};
use tokio::io::unix::AsyncFd;
use tracing::warn;

/// The bytes of a path that fit into `sun_path` with its NUL (unix(7); 104 on the BSDs).
const SUN_PATH: usize = if cfg!(target_os = "linux") { 108 } else { 104 };

/// The bound socket; its file goes away when this is dropped.
#[derive(Debug)]
pub struct LocalListener {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl LocalListener {
    /// Binds the socket, 0600, in place of one that a dead instance left. Only the holder of the instance's lock may.
    ///
    /// # Errors
    /// Where the file that stands there cannot be removed or the folder not be written to.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = at_short_path(path, |path| UnixListener::bind(path))?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            inode: fs::metadata(path)?.ino(),
        })
    }

    /// Whether its file stands where it was bound.
    fn is_there(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|metadata| metadata.ino() == self.inode)
    }

    /// The socket that another program has bound in this process, if its file still is that socket's.
    ///
    /// # Errors
    /// Where the descriptor does not take its mode.
    pub fn resume(listener: OwnedFd, path: &Path, inode: u64) -> io::Result<Self> {
        let listener = UnixListener::from(listener);
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            inode,
        })
    }

    /// Leaves the file where it is, for another program in this process; tells the socket and its file's inode.
    ///
    /// # Errors
    /// Where there is no descriptor left.
    pub fn leave(mut self) -> io::Result<(OwnedFd, u64)> {
        let inode = std::mem::take(&mut self.inode);
        Ok((self.listener.try_clone()?.into(), inode))
    }

    /// The socket's file, which goes when this is dropped.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn accept_on_runtime(&self) -> io::Result<tokio::net::UnixListener> {
        tokio::net::UnixListener::from_std(self.listener.try_clone()?)
    }
}

/// A local socket that is served. Its file is made anew where somebody takes it away (a cleaner of `/tmp`).
#[derive(Debug)]
pub struct ServedSocket {
    listener: LocalListener,
    socket: tokio::net::UnixListener,
    /// Without a watch a file that is taken away stays away.
    watch: Option<SocketWatch>,
}

impl ServedSocket {
    /// Must be called within the runtime.
    ///
    /// # Errors
    /// Where the descriptor cannot be doubled or registered.
    pub fn new(listener: LocalListener) -> io::Result<Self> {
        Ok(Self {
            socket: listener.accept_on_runtime()?,
            watch: SocketWatch::new(listener.path()).ok(),
            listener,
        })
    }

    /// Waits for the next connection. Cancel-safe.
    ///
    /// # Errors
    /// As accept(2) gives them, which concerns one connection and not the socket; where the file cannot be made anew it is
    /// told once.
    pub async fn accept(&mut self) -> io::Result<tokio::net::UnixStream> {
        loop {
            tokio::select! {
                () = gone(&mut self.watch, &self.listener) => self.bind_again()?,
                accepted = self.socket.accept() => return accepted.map(|(stream, _)| stream),
            }
        }
    }

    fn bind_again(&mut self) -> io::Result<()> {
        let Some(watch) = &self.watch else {
            return Ok(());
        };
        let bound = watch.bind_again(self.listener.path()).and_then(|again| {
            self.socket = again.accept_on_runtime()?;
            self.listener = again;
            Ok(())
        });
        let path = self.listener.path().display();
        match &bound {
            Ok(()) => warn!(%path, "a socket's file was taken away and is made anew"),
            Err(_) => self.watch = None,
        }
        bound
    }

    /// Serves it no more.
    #[must_use]
    pub fn into_listener(self) -> LocalListener {
        self.listener
    }
}

/// Waits until the socket's file is gone; for ever, where nobody watches it. Cancel-safe.
async fn gone(watch: &mut Option<SocketWatch>, listener: &LocalListener) {
    match watch {
        Some(watch) => watch.gone(listener).await,
        None => std::future::pending().await,
    }
}

/// Waits for a socket's file to be taken away under its listener, so that it can be bound anew.
#[derive(Debug)]
struct SocketWatch {
    events: AsyncFd<OwnedFd>,
    folder: PathBuf,
}

impl SocketWatch {
    /// Watches the folder of a socket; must be called within the runtime.
    fn new(socket: &Path) -> io::Result<Self> {
        let folder = socket.parent().unwrap_or_else(|| Path::new("/")).to_owned();
        let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
        // SAFETY: an owned descriptor stays open, and the same, until the registration that holds it is dropped.
        #[allow(unsafe_code)]
        let events = unsafe { AsyncFd::register(inotify::init(flags)?)? };
        let watch = Self { events, folder };
        watch.begin()?;
        Ok(watch)
    }

    fn begin(&self) -> io::Result<()> {
        use inotify::WatchFlags as Flags;
        let flags = Flags::DELETE | Flags::MOVED_FROM | Flags::DELETE_SELF | Flags::MOVE_SELF;
        inotify::add_watch(&self.events, &self.folder, flags)?;
        Ok(())
    }

    /// Waits until the file of the listener is gone. Cancel-safe.
    async fn gone(&mut self, listener: &LocalListener) {
        while listener.is_there() {
            let Ok(mut ready) = self.events.readable().await else {
                return std::future::pending().await;
            };
            let mut buffer = [0; 4096];
            if rustix::io::read(ready.get_inner(), &mut buffer).is_err() {
                ready.clear_ready();
            }
        }
    }

    /// Binds the socket where it was, in a folder that is made again where that is gone as well.
    fn bind_again(&self, socket: &Path) -> io::Result<LocalListener> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)?;
        self.begin()?;
        LocalListener::bind(socket)
    }
}

impl Drop for LocalListener {
    fn drop(&mut self) {
        if self.is_there() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Connects to the socket at a path.
///
/// # Errors
/// As connect(2) gives them: where nobody listens, or no file is there.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    at_short_path(path, |path| UnixStream::connect(path))
}

/// Calls with the path, or with a short way to the same file where the path is too long for a socket address.
fn at_short_path<T>(path: &Path, call: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    if path.as_os_str().len() < SUN_PATH {
        return call(path);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = File::from(rustix::fs::open(folder, flags, Mode::empty())?);
    let short = Path::new("/proc/self/fd")
        .join(folder.as_raw_fd().to_string())
        .join(name);
    call(&short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_folder_is_no_obstacle_and_the_file_is_private_and_goes_away() {
        let scratch = tempfile::tempdir().unwrap();
        let base = scratch.path();
        let path = base.join("d".repeat(200)).join("control.sock");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        for _ in 0..2 {
            // The second time over the file that the first left behind.
            let listener = LocalListener::bind(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
            connect(&path).unwrap();
            std::mem::forget(listener);
        }
        drop(LocalListener::bind(&path).unwrap());
        assert!(!path.exists());
    }
}
