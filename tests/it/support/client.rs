//! Whoever asks something on this machine over HTTP.

/// A client that goes where it is told to: over no proxy, after no redirect, and trusting nobody's certificate.
pub fn client() -> reqwest::Client {
    // One of another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}
