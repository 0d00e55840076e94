//! A certificate expires and is replaced while people listen: nobody inside hears it, and nobody restarts anything.

mod support;

use rustix::process::Signal;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use support::people::{Listener, speaks, wait_for_tone};
use support::{Server, output, scratch, until};

/// For how long the certificate is good that expires.
const SHORT_SECONDS: u64 = 8;

/// Seconds until the certificate expires that each of these roles says it serves.
fn expiries(server: &Server) -> Option<Vec<i64>> {
    let said = ["/relay/0/metrics", "/square/metrics", "/stage/metrics"].map(|path| {
        let (_, text) = server.internal(path)?;
        text.lines().find_map(|line| line.strip_prefix("townsquare_tls_certificate_expires_seconds ")?.parse().ok())
    });
    said.into_iter().collect()
}

/// A certificate that is good for so long from now on, and its key.
fn made(host: &str, life: Duration) -> [String; 2] {
    let mut params = rcgen::CertificateParams::new([host.to_owned()]).expect("a name");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + now + life;
    let key = rcgen::KeyPair::generate().expect("a key");
    [params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem()]
}

/// The files that a server reads, and what its clients trust, in a directory of their own.
struct Files {
    directory: PathBuf,
    pair: [PathBuf; 2],
}

impl Files {
    fn new() -> Self {
        let directory = scratch();
        Self { pair: ["cert.pem", "key.pem"].map(|name| directory.join(name)), directory }
    }

    /// A server that speaks TLS with them, and its host.
    fn server(&self) -> (Server, String) {
        let [cert, key] = self.pair.each_ref().map(|file| file.display().to_string());
        let server = Server::prepared(&["--tls-cert", &cert, "--tls-key", &key]);
        let host = server.relay_url().trim_start_matches("http://").split(':').next().expect("a host").to_owned();
        (server, host)
    }

    /// Puts a pair in place as a certificate's client does: each file takes its name whole.
    fn put(&self, [cert, key]: [&String; 2]) {
        for (file, text) in self.pair.iter().zip([cert, key]) {
            let fresh = file.with_extension("new");
            std::fs::write(&fresh, text).expect("a file");
            std::fs::rename(fresh, file).expect("renamed");
        }
    }

    /// A file for clients that trust these certificates.
    fn trusted(&self, name: &str, pairs: &[&[String; 2]]) -> String {
        let file = self.directory.join(name);
        std::fs::write(&file, pairs.iter().map(|[cert, _]| cert.as_str()).collect::<String>()).expect("a file");
        file.display().to_string()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// The ports of those who are connected to the relay.
fn inside(server: &Server) -> BTreeSet<String> {
    const ESTABLISHED: &str = "01";
    let port = server.relay_url().rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).expect("a port");
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
    let rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    let ours = rows.filter(|row| row[1].ends_with(&format!(":{port:04X}")) && row[3] == ESTABLISHED);
    ours.map(|row| row[2].to_owned()).collect()
}

/// Listeners on an endless stream.
fn streams(server: &Server) -> Option<u64> {
    let (_, text) = server.internal("/relay/0/metrics")?;
    text.lines().find_map(|line| line.strip_prefix("townsquare_relay_streams ")?.parse().ok())
}

fn wait_for_streams(server: &Server, count: u64) {
    until(&format!("{count} listen"), || (streams(server)? == count).then_some(()));
}

fn hears(url: &str, ca: &str) -> bool {
    output(&["listen", url, "--seconds", "0.5", "--ca", ca]).status.success()
}

/// Waits until the server has said something so often.
fn wait_for_line(server: &Server, what: &str, times: usize) {
    until(what, || (server.log().matches(what).count() >= times).then_some(()));
}

#[test]
fn a_certificate_expires_and_is_replaced_while_people_listen() {
    let files = Files::new();
    let (mut server, host) = files.server();
    let long = Duration::from_secs(100 * 24 * 3_600);
    let [first, last] = [(); 2].map(|()| made(&host, long));
    files.put(first.each_ref());
    let trusted = files.trusted("first.pem", &[&first, &last]);
    server.start_supervisor();
    server.wait_ready();
    let event = server.create_event("For years to come");
    let _speaking = speaks(&server, &event, &["--ca", &trusted]);
    wait_for_tone(&event, &["--ca", &trusted]);
    wait_for_streams(&server, 0);
    let earlier = Listener::new(&event.stream, &["--ca", &trusted]);
    wait_for_streams(&server, 1);

    // One of a few seconds takes its place; somebody comes while it is good, on a busy machine at the second try.
    let (later, trusted) = until("somebody comes while it is good", || {
        let short = made(&host, Duration::from_secs(SHORT_SECONDS));
        files.put(short.each_ref());
        until("every role serves it", || expiries(&server).filter(|all| all.iter().all(|left| *left <= SHORT_SECONDS as i64)));
        let trusted = files.trusted("short.pem", &[&short, &last]);
        let listener = Listener::new(&event.stream, &["--ca", &trusted]);
        let is_over = || expiries(&server).is_some_and(|all| all.iter().any(|left| *left < 0));
        let came = until("somebody came, or it is over", || match streams(&server)? {
            2 => Some(true),
            _ => is_over().then_some(false),
        });
        if came {
            return Some((listener, trusted));
        }
        drop(listener);
        wait_for_streams(&server, 1);
        None
    });
    let came = inside(&server);
    assert_eq!(came.len(), 2, "{came:?}");
    // Its last second is a part of its life (RFC 5280, section 4.1.2.5).
    until("it expires", || expiries(&server).filter(|all| all.iter().all(|left| *left < -1)));
    wait_for_line(&server, "the certificate has expired", 1);
    assert!(!hears(&event.page, &trusted), "who comes now refuses it");

    // What is no pair changes nothing, and who dies meanwhile comes back.
    files.put([&last[0], &first[1]]);
    wait_for_line(&server, "the new certificate is not taken", 1);
    let square = server.signal("square", Signal::KILL);
    server.wait_replaced("square", square);
    assert!(expiries(&server).is_some_and(|all| all.iter().all(|left| *left < 0)));

    files.put(last.each_ref());
    until("every role serves the last", || expiries(&server).filter(|all| all.iter().all(|left| *left > 3_600)));
    wait_for_line(&server, "a new certificate is served from now on", 2);
    assert!(hears(&event.stream, &trusted) && hears(&event.page, &trusted), "relay and square serve it");
    assert!(inside(&server).is_superset(&came), "those who were inside have stayed");
    server.end(&event);
    for listener in [earlier, later] {
        let (success, report, _) = listener.heard();
        assert!(success && report["gaps"] == 0, "{report}");
    }
}

#[test]
fn a_server_does_not_begin_with_what_is_no_pair() {
    let files = Files::new();
    let (server, host) = files.server();
    let [one, other] = [(); 2].map(|()| made(&host, Duration::from_secs(3_600)));
    files.put([&one[0], &other[1]]);
    let words = server.words();
    let output = output(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("cert.pem") && said.contains("do not fit together"), "{said}");
}
