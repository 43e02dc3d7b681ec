//! Whom a client believes: the system's authorities, and certificates that the user has looked at.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::error::TransportError;
use super::tls::fingerprint;
use crate::runtime::private;

/// The certificates that the user said yes to, one line each: `host:port fingerprint`.
#[derive(Clone, Debug)]
pub struct KnownRemotes {
    path: PathBuf,
}

impl KnownRemotes {
    /// Those kept in a state folder.
    #[must_use]
    pub fn in_folder(state: &Path) -> Self {
        Self {
            path: state.join("known_remotes"),
        }
    }

    /// Why a certificate that was shown is not trusted.
    pub(super) fn doubt(&self, authority: &str, fingerprint: String) -> TransportError {
        let authority = authority.to_owned();
        match self.fingerprint_of(&authority) {
            Some(known) => TransportError::Changed {
                authority,
                fingerprint,
                known,
                file: self.path.clone(),
            },
            None => TransportError::Untrusted {
                authority,
                fingerprint,
            },
        }
    }

    fn fingerprint_of(&self, authority: &str) -> Option<String> {
        let text = fs::read_to_string(&self.path).ok()?;
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .find(|(known, _)| *known == authority)
            .map(|(_, fingerprint)| fingerprint.trim().to_owned())
    }

    /// Keeps a certificate's fingerprint in place of an older one.
    ///
    /// # Errors
    /// Where the file cannot be written; it is as before then.
    pub fn remember(&self, authority: &str, fingerprint: &str) -> io::Result<()> {
        let before = fs::read_to_string(&self.path).unwrap_or_default();
        let mut text: String = before
            .lines()
            .filter(|line| {
                line.split_once(' ')
                    .is_none_or(|(known, _)| known != authority)
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        text.push_str(authority);
        text.push(' ');
        text.push_str(fingerprint);
        text.push('\n');
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        private::replace(&self.path, text.as_bytes())
    }
}

/// The settings of a connection to `authority`, and where the certificate is noted that was not trusted.
pub(super) fn client_config(
    authority: &str,
    known: &KnownRemotes,
) -> Result<(Arc<ClientConfig>, Refused), Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    for root in rustls_native_certs::load_native_certs().certs {
        // One that rustls does not understand is one that it does not trust.
        let _ = roots.add(root);
    }
    let refused = Refused::default();
    let verifier = Pinned {
        roots,
        provider: Arc::clone(&provider),
        expected: known.fingerprint_of(authority),
        refused: refused.clone(),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), refused))
}

/// The fingerprint of a certificate that was not trusted.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused(Arc<Mutex<Option<String>>>);

impl Refused {
    pub fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, fingerprint: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint);
    }
}

/// Trusts the one certificate that the user has looked at, else what the system trusts.
#[derive(Debug)]
struct Pinned {
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
    expected: Option<String>,
    refused: Refused,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = fingerprint(end_entity);
        if self.expected.as_deref() == Some(found.as_str()) {
            return Ok(ServerCertVerified::assertion());
        }
        let checked = rustls::server::ParsedCertificate::try_from(end_entity).and_then(|parsed| {
            verify_server_cert_signed_by_trust_anchor(
                &parsed,
                &self.roots,
                intermediates,
                now,
                self.provider.signature_verification_algorithms.all,
            )?;
            rustls::client::verify_server_name(&parsed, server_name)
        });
        match checked {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(error) => {
                self.refused.note(found);
                Err(error)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_fingerprint_takes_the_place_of_the_older_one() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path();
        let known = KnownRemotes::in_folder(folder);
        assert_eq!(known.fingerprint_of("a:1"), None);
        known.remember("a:1", "SHA256:AA").unwrap();
        known.remember("b:2", "SHA256:BB").unwrap();
        known.remember("a:1", "SHA256:CC").unwrap();
        assert_eq!(known.fingerprint_of("a:1").as_deref(), Some("SHA256:CC"));
        assert_eq!(known.fingerprint_of("b:2").as_deref(), Some("SHA256:BB"));
    }
}
