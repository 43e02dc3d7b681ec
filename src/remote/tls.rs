//! The listener's certificate: from files, or self-signed and made at the first start.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use ring::digest::{SHA256, digest};
use rustls::ServerConfig;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsFiles;
use crate::runtime::private;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{}: {details}", .path.display())]
    File { path: PathBuf, details: String },
    #[error("certificate and key do not work together: {0}")]
    Mismatch(rustls::Error),
    #[error("no certificate can be made: {0}")]
    Making(rcgen::Error),
}

/// A certificate ready to serve with.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the certificate, as browsers show it.
    pub fingerprint: String,
    pub self_signed: bool,
}

/// Reads the configured files; without any, the self-signed pair in `state`, made where it is missing.
pub(super) fn certificate(
    files: Option<&TlsFiles>,
    state: &Path,
    address: SocketAddr,
) -> Result<Certificate, TlsError> {
    if let Some(files) = files {
        return read(&files.cert, &files.key, false);
    }
    let (cert, key) = (state.join("remote-cert.pem"), state.join("remote-key.pem"));
    if !(cert.exists() && key.exists()) {
        make(&cert, &key, address)?;
    }
    read(&cert, &key, true)
}

fn read(cert: &Path, key: &Path, self_signed: bool) -> Result<Certificate, TlsError> {
    let fault = |path: &Path, details: String| TlsError::File {
        path: path.to_owned(),
        details,
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(|error| fault(cert, error.to_string()))?;
    let Some(first) = chain.first() else {
        return Err(fault(cert, "it holds no certificate in PEM".to_owned()));
    };
    let fingerprint = fingerprint(first);
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| {
        fault(
            key,
            match error {
                pem::Error::NoItemsFound => {
                    "it holds no private key in PEM that is not encrypted".to_owned()
                }
                error => error.to_string(),
            },
        )
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, private)
        })
        .map_err(TlsError::Mismatch)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Certificate {
        config: Arc::new(config),
        fingerprint,
        self_signed,
    })
}

fn make(cert: &Path, key: &Path, address: SocketAddr) -> Result<(), TlsError> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    let ip = address.ip();
    if !ip.is_loopback() {
        names.push(ip.to_string());
    }
    names.extend(machine_name().filter(|name| name != "localhost"));
    let pair = KeyPair::generate().map_err(TlsError::Making)?;
    let mut params = CertificateParams::new(names).map_err(TlsError::Making)?;
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "tundra");
    let signed = params.self_signed(&pair).map_err(TlsError::Making)?;
    let write = |path: &Path, text: String| {
        private::replace(path, text.as_bytes()).map_err(|error: io::Error| TlsError::File {
            path: path.to_owned(),
            details: error.to_string(),
        })
    };
    write(key, pair.serialize_pem())?;
    write(cert, signed.pem())
}

/// What this machine calls itself, in small letters; None where it has no name that could stand in a certificate.
pub(super) fn machine_name() -> Option<String> {
    let name = rustix::system::uname();
    let name = name.nodename().to_str().ok()?.to_ascii_lowercase();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_name)).then_some(name)
}

/// SHA-256 over the certificate as pairs of digits.
pub(super) fn fingerprint(certificate: &[u8]) -> String {
    let digest = digest(&SHA256, certificate);
    let pairs: Vec<String> = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    format!("SHA256:{}", pairs.join(":"))
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_self_signed_certificate_is_made_once() {
        let scratch = tempfile::tempdir().unwrap();
        let state = scratch.path();
        let address = "192.0.2.1:3000".parse().unwrap();
        let first = certificate(None, state, address).unwrap();
        let second = certificate(None, state, address).unwrap();
        assert_eq!(first.fingerprint, second.fingerprint);
        assert_eq!(first.fingerprint.len(), "SHA256:".len() + 32 * 3 - 1);
        let broken = TlsFiles {
            cert: state.join("remote-key.pem"),
            key: state.join("remote-key.pem"),
        };
        assert!(certificate(Some(&broken), state, address).is_err());
    }
}
