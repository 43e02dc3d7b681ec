//! What somebody else needs to help: findings, status, history, configuration, versions and logs in one archive, each without
//! its secrets.
//!
//! Every file goes through the redactor and none around it. The archive is 0600, and its manifest counts what was taken out of
//! which file.

mod contents;
mod secrets;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::{Map, Value};

pub use secrets::Names;

use super::subject::Subject;
use crate::domain::check::Check;
use crate::domain::code::Code;
use crate::telemetry::redact::{Redacted, Redactor};

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("the bundle {} cannot be written: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the bundle {} is there already: name another file", .0.display())]
    Exists(PathBuf),
}

impl From<&BundleError> for Code {
    fn from(error: &BundleError) -> Self {
        match error {
            BundleError::Write { .. } => Self::Bundle,
            BundleError::Exists(_) => Self::BadRequest,
        }
    }
}

/// A file of the archive, as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Packed {
    pub name: String,
    /// Bytes, as it is in the archive.
    pub size: usize,
    /// How many secrets of each kind were taken out.
    pub redacted: Map<String, Value>,
}

#[derive(Serialize)]
struct Manifest<'m> {
    files: &'m [Packed],
}

/// Packs what was found, and what is there, into a new file.
///
/// Returns the manifest's list.
///
/// # Errors
/// [`BundleError`] where the file is there already, or cannot be written; none is left behind then.
pub fn write(
    path: &Path,
    subject: &Subject,
    checks: &[Check],
    version: &str,
    names: Names,
) -> Result<Vec<Packed>, BundleError> {
    let redactor = secrets::redactor(subject, names);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => BundleError::Exists(path.to_owned()),
            _ => failed(path, source),
        })?;
    pack(file, subject, checks, version, &redactor, names).map_err(|source| {
        let _ = fs::remove_file(path);
        failed(path, source)
    })
}

fn failed(path: &Path, source: io::Error) -> BundleError {
    BundleError::Write {
        path: path.to_owned(),
        source,
    }
}

fn pack(
    file: File,
    subject: &Subject,
    checks: &[Check],
    version: &str,
    redactor: &Redactor,
    names: Names,
) -> io::Result<Vec<Packed>> {
    let mut files = Vec::new();
    let mut listed = Vec::new();
    for (name, text) in contents::files(subject, checks, version)? {
        let Redacted { text, counts } = redactor.redact(&text);
        // The name of a server's log is its profile's.
        let name = redactor.redact(&name).text;
        let redacted = counts
            .into_iter()
            .map(|(kind, count)| (kind.as_str().to_owned(), count.into()))
            .collect();
        listed.push(Packed {
            name: name.clone(),
            size: text.len(),
            redacted,
        });
        files.push((name, text));
    }
    let manifest = serde_json::to_string_pretty(&Manifest { files: &listed })?;
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    append(&mut archive, "manifest.json", &manifest, names)?;
    for (name, text) in &files {
        append(&mut archive, name, text, names)?;
    }
    let mut file = archive.into_inner()?.finish()?;
    file.flush()?;
    file.sync_all()?;
    Ok(listed)
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    text: &str,
    names: Names,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::try_from(text.len()).unwrap_or_default());
    header.set_mode(0o600);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    header.set_mtime(now.map_or(0, |since| since.as_secs()));
    let (user, group) = match names {
        Names::Kept => (
            rustix::process::getuid().as_raw(),
            rustix::process::getgid().as_raw(),
        ),
        Names::Redacted => (0, 0),
    };
    header.set_uid(u64::from(user));
    header.set_gid(u64::from(group));
    archive.append_data(&mut header, name, text.as_bytes())
}
