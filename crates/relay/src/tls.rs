//! TLS for listeners: what is spoken, whatever the certificate.

use crate::socket::kernel;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::ResolvesServerCert;
use rustls::{CipherSuite, Error, ServerConfig};
use std::sync::Arc;

/// TLS 1.3 and 1.2 with HTTP/1.1 on top, as a worker speaks it.
#[derive(Clone)]
pub struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    /// Whether the kernel seals what is sent.
    pub(crate) kernel_seals: bool,
}

impl Tls {
    /// Every connection asks for the certificate when it begins. What is sent the kernel seals, where it does.
    ///
    /// # Errors
    /// The system gives no randomness for the keys of tickets.
    pub fn new(certificate: Arc<dyn ResolvesServerCert>) -> Result<Self, Error> {
        let kernel_seals = kernel::is_here();
        if kernel_seals {
            tracing::info!("the kernel seals what is sent over TLS");
        }
        Ok(Self { kernel_seals, ..Self::without_kernel(certificate)? })
    }

    /// The same, whatever the kernel does.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn without_kernel(certificate: Arc<dyn ResolvesServerCert>) -> Result<Self, Error> {
        // The provider is named, for a process with two of them has no default.
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificate);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // What is cheap for the one who sends to a hundred thousand is chosen here.
        config.ignore_client_order = true;
        // Tickets hold what there is to remember, so that a worker remembers nothing of who was here.
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        // Something leaner than rustls goes on behind the handshake.
        config.enable_secret_extraction = true;
        Ok(Self { config: Arc::new(config), kernel_seals: false })
    }
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
