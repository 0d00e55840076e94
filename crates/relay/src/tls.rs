//! TLS for listeners: certificate and key to a configuration.

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, ServerConfig};
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
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // What is cheap for the one who sends to a hundred thousand is chosen here.
    config.ignore_client_order = true;
    // Tickets hold what there is to remember, so that a worker remembers nothing of who was here.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    // The relay's own record layer goes on behind the handshake.
    config.enable_secret_extraction = true;
    Ok(Arc::new(config))
}

/// What every processor with AES in it does fastest, in both versions.
const AES_128: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

/// What all others do fastest.
const CHACHA20: [CipherSuite; 3] = [
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// What encrypts, the fastest first.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    let fastest = if has_aes() { AES_128 } else { CHACHA20 };
    provider.cipher_suites.sort_by_key(|suite| !fastest.contains(&suite.suite()));
    provider
}

/// Whether the processor does AES by itself.
fn has_aes() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    false
}
