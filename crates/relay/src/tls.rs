//! TLS for listeners: certificate and key to a configuration.

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// Certificate and key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// One of them is no PEM.
    #[error("the certificate or key is no PEM: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The chain is empty.
    #[error("the certificate file holds no certificate")]
    NoCertificate,
    /// They do not go together or are of a kind that is not spoken.
    #[error("certificate and key can't be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// TLS 1.3 and 1.2, HTTP/1.1 on top, with the certificate chain and the private key in PEM.
///
/// # Errors
/// When they can't be read or don't go together.
pub fn config(chain: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, TlsFault> {
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>()?;
    if chain.is_empty() {
        return Err(TlsFault::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key)?;
    // The provider is named, for a process with two of them has no default.
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
