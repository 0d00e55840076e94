//! TLS as a listener speaks it.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// No certificate to trust.
#[derive(Debug, thiserror::Error)]
pub enum NoTrust {
    /// The text is no PEM, or holds no certificate.
    #[error("the file of certificates holds none in PEM")]
    NoCertificate,
    /// The provider of cryptography lacks what TLS needs.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// A client that trusts the certificates in these PEM texts.
///
/// # Errors
/// None of them holds a certificate.
pub fn trusting(pem: &str) -> Result<Arc<ClientConfig>, NoTrust> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok);
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        return Err(NoTrust::NoCertificate);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    // Thousands of listeners are thousands of machines: none resumes another's session.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}
