//! Pairs that can't be used, pairs that are replaced, pairs that expire.

use super::*;

/// A directory that goes with the value.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("townsquare-certificate-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn files(&self) -> [PathBuf; 2] {
        [self.0.join("chain.pem"), self.0.join("key.pem")]
    }

    fn certificate(&self) -> anyhow::Result<Certificate> {
        Certificate::read(self.files())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A chain and its key that expire at the end of a year.
fn made(year: i32) -> [String; 2] {
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 12, 31);
    let key = rcgen::KeyPair::generate().unwrap();
    [params.self_signed(&key).unwrap().pem(), key.serialize_pem()]
}

fn serial(certificate: &Certificate) -> Vec<u8> {
    certificate.pair.read().unwrap().certified.cert[0].to_vec()
}

#[test]
fn a_pair_that_cannot_be_used_is_refused_and_named() {
    let directory = Directory::new("refused");
    let [chain, key] = directory.files();
    let ([good, its], [_, other]) = (made(2040), made(2040));
    let rows = [
        ("", its.as_str(), "chain.pem holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", its.as_str(), "chain.pem is no certificate"),
        (good.as_str(), "", "key.pem is no private key"),
        (good.as_str(), good.as_str(), "key.pem is no private key"),
        (good.as_str(), other.as_str(), "do not fit together"),
    ];
    for (first, second, expected) in rows {
        std::fs::write(&chain, first).unwrap();
        std::fs::write(&key, second).unwrap();
        let error = format!("{:#}", directory.certificate().unwrap_err());
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_new_pair_is_taken_once_it_is_still_and_fits() {
    let directory = Directory::new("replaced");
    let [chain, key] = directory.files();
    let write = |path: &Path, text: &str| {
        // As a certificate's client does: another file takes the name.
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, text).unwrap();
        std::fs::rename(fresh, path).unwrap();
    };
    let ([old, its], [new, new_key]) = (made(2040), made(2041));
    write(&chain, &old);
    write(&key, &its);
    let certificate = directory.certificate().unwrap();
    let first = serial(&certificate);
    let _ = certificate.look();
    assert_eq!(serial(&certificate), first);
    // The key comes later than the chain; between them nothing fits.
    write(&chain, &new);
    for _ in 0..3 {
        assert!(certificate.look().is_none_or(|taken| taken.is_err()));
        assert_eq!(serial(&certificate), first);
    }
    write(&key, &new_key);
    let _ = certificate.look();
    assert_eq!(serial(&certificate), first, "it may still be on its way");
    let _ = certificate.look();
    let second = serial(&certificate);
    assert_ne!(second, first);
    // Gone, or no certificate any more: what is served stays.
    std::fs::remove_file(&chain).unwrap();
    assert!(certificate.look().is_none() && certificate.look().is_some_and(|taken| taken.is_err()));
    write(&chain, "no certificate");
    assert!(certificate.look().is_none() && certificate.look().is_some_and(|taken| taken.is_err()));
    assert_eq!(serial(&certificate), second);
    write(&chain, &old);
    write(&key, &its);
    let _ = certificate.look();
    let _ = certificate.look();
    assert_eq!(serial(&certificate), first);
}

#[test]
fn its_end_is_known_and_said_once_a_day() {
    let directory = Directory::new("expires");
    let [chain, key] = directory.files();
    let [text, its] = made(2040);
    std::fs::write(&chain, text).unwrap();
    std::fs::write(&key, its).unwrap();
    let certificate = directory.certificate().unwrap();
    // 2040-12-31T00:00:00Z
    let end = 2_240_524_800_000;
    let metric = |at: i64| certificate.metrics(UnixMillis(at)).lines().last().unwrap().to_owned();
    assert_eq!(metric(end - 90_000), "townsquare_tls_certificate_expires_seconds 90");
    assert_eq!(metric(end + 500), "townsquare_tls_certificate_expires_seconds -1");
    let warned = |at: i64| {
        certificate.warn(UnixMillis(at));
        certificate.seen.lock().unwrap().warned.map(|warned| warned.0)
    };
    assert_eq!(warned(end - 15 * DAY_MILLIS), None);
    let first = end - 13 * DAY_MILLIS;
    assert_eq!(warned(first), Some(first));
    assert_eq!(warned(first + DAY_MILLIS - 1), Some(first));
    assert_eq!(warned(first + DAY_MILLIS), Some(first + DAY_MILLIS));
    assert_eq!(warned(end - 1), Some(end - 1));
    assert_eq!(warned(end), Some(end), "its end is said at once");
    assert_eq!(warned(end + DAY_MILLIS - 1), Some(end));
    assert_eq!(warned(end + DAY_MILLIS), Some(end + DAY_MILLIS), "and every day from then on");
}

#[test]
fn a_certificate_of_a_few_days_is_warned_of_late() {
    let six_days = Life { begins: UnixMillis(0), ends: UnixMillis(6 * DAY_MILLIS) };
    let is_nearly_over = |hours: i64| six_days.is_nearly_over(UnixMillis(hours * HOUR_MILLIS));
    assert!(!is_nearly_over(5 * 24) && is_nearly_over(5 * 24 + 1));
    let ninety_days = Life { begins: UnixMillis(0), ends: UnixMillis(90 * DAY_MILLIS) };
    assert!(!ninety_days.is_nearly_over(UnixMillis(76 * DAY_MILLIS)) && ninety_days.is_nearly_over(UnixMillis(76 * DAY_MILLIS + 1)));
    assert_eq!([1, 47 * HOUR_MILLIS, 48 * HOUR_MILLIS].map(span), ["less than an hour", "47 hours", "2 days"]);
}
