//! The certificate of every role that speaks TLS: two files, looked at again and again.
//!
//! A new pair is taken when both files are still and fit together, for the connections that begin from then on; until then the
//! old one stays. One that has expired is served on: those who listen hear nothing of it, and the log says what to do.
//!
//! Every role looks for itself; the supervisor alone says what it saw, and keeps a copy of the pair that is served, so that a
//! role which dies while the files are no good comes back with the pair that the others serve.

use crate::data::write_whole;
use crate::role::relay::wall;
use crate::settings::Settings;
use anyhow::Context as _;
use base::UnixMillis;
use base::limit::CERTIFICATE_WARNING_DAYS;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsAcceptor;
use x509_cert::der::Decode as _;

/// How often the files are looked at.
pub(crate) const LOOK: Duration = Duration::from_secs(2);

const HOUR_MILLIS: i64 = 3_600 * 1_000;
const DAY_MILLIS: i64 = 24 * HOUR_MILLIS;

/// A certificate is worth a warning in this part of its life at the earliest: those of a few days are replaced late.
const WARNING_PART: i64 = 6;

/// Certificate chain and private key, as they are now.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: [PathBuf; 2],
    pair: RwLock<Pair>,
    seen: Mutex<Seen>,
}

/// A chain and its key, which fit together.
#[derive(Debug)]
struct Pair {
    certified: Arc<CertifiedKey>,
    /// `None` when the chain's first does not say it in a way that is understood.
    life: Option<Life>,
    /// Both files' text.
    text: [Vec<u8>; 2],
}

/// From when until when a certificate is good.
#[derive(Debug, Clone, Copy)]
struct Life {
    begins: UnixMillis,
    ends: UnixMillis,
}

/// What a file is known by: when it was last changed in any way, how long it is, which one it is.
type Stamp = Option<(i64, i64, u64, u64)>;

#[derive(Debug)]
struct Seen {
    /// The files as they were read last.
    read: [Stamp; 2],
    /// The files as they were found last, when that is something else.
    found: Option<[Stamp; 2]>,
    warned: Option<UnixMillis>,
}

impl Certificate {
    /// The one that the settings name.
    ///
    /// # Errors
    /// It can't be read, or does not fit its key.
    pub(crate) fn open(settings: &Settings) -> anyhow::Result<Option<Arc<Self>>> {
        settings.tls().map(|(chain, key)| Self::read([chain.to_owned(), key.to_owned()]).map(Arc::new)).transpose()
    }

    /// The one that the settings name; when that is no good, the one that the supervisor kept.
    ///
    /// # Errors
    /// Neither can be used.
    pub(crate) fn open_or_kept(settings: &Settings) -> anyhow::Result<Option<Arc<Self>>> {
        let stamps = |(chain, key): (&Path, &Path)| [stamp(chain), stamp(key)];
        let read = settings.tls().map(stamps).unwrap_or_default();
        Self::open(settings).or_else(|error| {
            let files = settings.tls().map(|(chain, key)| [chain.to_owned(), key.to_owned()]).unwrap_or_default();
            let Ok(pair) = pair(&kept(settings)) else { return Err(error) };
            tracing::error!("the certificate can't be used, the one before is served: {error:#}");
            Ok(Some(Arc::new(Self::new(files, read, pair))))
        })
    }

    fn read(files: [PathBuf; 2]) -> anyhow::Result<Self> {
        let read = files.each_ref().map(|file| stamp(file));
        let pair = pair(&files)?;
        Ok(Self::new(files, read, pair))
    }

    fn new(files: [PathBuf; 2], read: [Stamp; 2], pair: Pair) -> Self {
        Self { files, pair: RwLock::new(pair), seen: Mutex::new(Seen { read, found: None, warned: None }) }
    }

    /// What `tokio` accepts connections with: HTTP in these versions.
    pub(crate) fn acceptor(self: &Arc<Self>, versions: &[&[u8]]) -> TlsAcceptor {
        let resolver = Arc::clone(self) as Arc<dyn ResolvesServerCert>;
        let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = versions.iter().map(|version| version.to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }

    /// Looks whether the files were replaced; a pair is read once it is the same at two looks. Gives what came of reading it.
    pub(crate) fn look(&self) -> Option<anyhow::Result<()>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.files.each_ref().map(|file| stamp(file));
        if now == seen.read {
            seen.found = None;
            return None;
        }
        if seen.found.replace(now) != Some(now) {
            return None;
        }
        (seen.read, seen.found) = (now, None);
        Some(pair(&self.files).map(|pair| {
            seen.warned = None;
            *self.pair.write().unwrap_or_else(PoisonError::into_inner) = pair;
        }))
    }

    /// Says what comes of a new pair, and when the one that is served expires.
    fn look_and_say(&self, settings: &Settings) {
        match self.look() {
            Some(Ok(())) => {
                let expires_in = self.life().map(|life| span(life.left(wall())));
                tracing::info!(expires_in, "a new certificate is served from now on");
                self.keep(settings);
            }
            Some(Err(error)) => tracing::error!("the new certificate is not taken, the one before stays: {error:#}"),
            None => {}
        }
        self.warn(wall());
    }

    /// Keeps a copy of the pair that is served, for [`Certificate::open_or_kept`].
    fn keep(&self, settings: &Settings) {
        let pair = self.pair.read().unwrap_or_else(PoisonError::into_inner);
        let kept = kept(settings).iter().zip(&pair.text).try_for_each(|(file, text)| write_whole(file, text, 0o600));
        if let Err(error) = kept {
            tracing::warn!("the certificate can't be kept for roles that begin while its files are no good: {error:#}");
        }
    }

    /// Says once a day that it expires soon, or has.
    fn warn(&self, now: UnixMillis) {
        let Some(life) = self.life().filter(|life| life.is_nearly_over(now)) else { return };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.warned.is_some_and(|warned| now.0 - warned.0 < DAY_MILLIS && (warned.0 < life.ends.0) == (now.0 < life.ends.0)) {
            return;
        }
        seen.warned = Some(now);
        let [chain, key] = self.files.each_ref().map(|file| file.display());
        let what = format!("replace {chain} and {key}; nothing needs to be restarted");
        let left = life.left(now);
        if left > 0 {
            tracing::warn!("the certificate expires in {}: {what}", span(left));
        } else {
            tracing::error!("the certificate has expired: clients refuse new connections, those that stand go on; {what}");
        }
    }

    fn metrics(&self, now: UnixMillis) -> String {
        const NAME: &str = "townsquare_tls_certificate_expires_seconds";
        let Some(life) = self.life() else { return String::new() };
        let left = life.left(now).div_euclid(1_000);
        format!("# HELP {NAME} Seconds until the certificate expires that this role serves.\n# TYPE {NAME} gauge\n{NAME} {left}\n")
    }

    fn life(&self) -> Option<Life> {
        self.pair.read().unwrap_or_else(PoisonError::into_inner).life
    }
}

impl Life {
    fn left(&self, now: UnixMillis) -> i64 {
        self.ends.0 - now.0
    }

    fn is_nearly_over(&self, now: UnixMillis) -> bool {
        self.left(now) < (CERTIFICATE_WARNING_DAYS * DAY_MILLIS).min((self.ends.0 - self.begins.0) / WARNING_PART)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.pair.read().unwrap_or_else(PoisonError::into_inner).certified))
    }
}

/// Prometheus text of the certificate that a role serves, when it serves one.
pub(crate) fn metrics(certificate: Option<&Arc<Certificate>>) -> String {
    certificate.map(|certificate| certificate.metrics(wall())).unwrap_or_default()
}

/// The supervisor's looks, for as long as the runtime runs.
pub(crate) async fn oversee(certificate: Arc<Certificate>, settings: Settings) {
    let settings = Arc::new(settings);
    certificate.keep(&settings);
    every_look(move || {
        let (certificate, settings) = (Arc::clone(&certificate), Arc::clone(&settings));
        move || certificate.look_and_say(&settings)
    })
    .await;
}

/// A role's looks, for as long as the runtime runs.
pub(crate) async fn keep_looking(certificate: Arc<Certificate>) {
    every_look(move || {
        let certificate = Arc::clone(&certificate);
        // The supervisor sees the same, and says it.
        move || drop(certificate.look())
    })
    .await;
}

/// Files may be slow: nothing else waits for them.
async fn every_look<F: FnOnce() + Send + 'static>(look: impl Fn() -> F) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let _ = tokio::task::spawn_blocking(look()).await;
    }
}

/// Where the pair that is served is kept.
fn kept(settings: &Settings) -> [PathBuf; 2] {
    ["tls-chain.pem", "tls-key.pem"].map(|name| settings.run_dir().join(name))
}

fn stamp(path: &Path) -> Stamp {
    let file = std::fs::metadata(path).ok()?;
    Some((file.ctime(), file.ctime_nsec(), file.len(), file.ino()))
}

fn pair(files: &[PathBuf; 2]) -> anyhow::Result<Pair> {
    let [chain, key] = files.each_ref().map(|file| file.display());
    let read = |file: &PathBuf| std::fs::read(file).with_context(|| format!("{} can't be read", file.display()));
    let text = [read(&files[0])?, read(&files[1])?];
    let certificates = CertificateDer::pem_slice_iter(&text[0]).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.with_context(|| format!("{chain} is no certificate in PEM"))?;
    let first = certificates.first().with_context(|| format!("{chain} holds no certificate"))?;
    let life = life(first);
    let private = PrivateKeyDer::from_pem_slice(&text[1]).with_context(|| format!("{key} is no private key in PEM"))?;
    let certified = CertifiedKey::from_der(certificates, private, &aws_lc_rs::default_provider())
        .with_context(|| format!("{chain} and {key} do not fit together"))?;
    Ok(Pair { certified: Arc::new(certified), life, text })
}

fn life(certificate: &CertificateDer<'_>) -> Option<Life> {
    let validity = x509_cert::Certificate::from_der(certificate).ok()?.tbs_certificate.validity;
    let millis = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_millis()).ok().map(UnixMillis);
    Some(Life { begins: millis(validity.not_before)?, ends: millis(validity.not_after)? })
}

/// A time as people say it.
fn span(millis: i64) -> String {
    match millis.div_euclid(HOUR_MILLIS) {
        ..=0 => "less than an hour".to_owned(),
        hours @ 1..=47 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests;
