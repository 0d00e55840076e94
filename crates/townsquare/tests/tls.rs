//! A server that speaks TLS by itself, told everything by its file: every link is https, and a whole event goes through it.

mod support;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use support::people::{Listener, TONE_HZ, speaks, wait_for_tone};
use support::sound::share_with;
use support::{Server, townsquare, until};

/// A certificate for one address, and its key.
fn certificate(directory: &Path, host: &str) -> [PathBuf; 2] {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).expect("a certificate");
    let files = [directory.join("cert.pem"), directory.join("key.pem")];
    std::fs::write(&files[0], made.cert.pem()).expect("a file");
    std::fs::write(&files[1], made.signing_key.serialize_pem()).expect("a file");
    files
}

/// Every string in some JSON that is an address.
fn addresses(value: &serde_json::Value) -> Vec<String> {
    if let Some(object) = value.as_object() {
        return object.values().flat_map(addresses).collect();
    }
    value.as_str().filter(|text| text.contains("://")).map(str::to_owned).into_iter().collect()
}

#[test]
fn a_whole_event_over_tls_from_a_file_of_every_setting() {
    let mut server = Server::prepared(&[]);
    let scratch = server.data().parent().expect("a scratch directory").to_owned();
    std::fs::create_dir(server.data()).expect("a directory");
    let words = server.words();
    let said = |flag: &str| words[words.iter().position(|word| word == flag).expect("said") + 1].clone();
    let host = said("--listen").split(':').next().expect("a host").to_owned();
    let [cert, key] = certificate(&scratch, &host);
    let mut file = std::fs::File::create(scratch.join("townsquare.toml")).expect("a file");
    for flag in ["data", "listen", "relay-listen", "stage-listen", "internal-listen"] {
        writeln!(file, "{flag} = '{}'", said(&format!("--{flag}"))).expect("written");
    }
    for (flag, listen) in [("public-url", "--listen"), ("relay-public-url", "--relay-listen"), ("stage-public-url", "--stage-listen")] {
        writeln!(file, "{flag} = 'https://{}'", said(listen)).expect("written");
    }
    writeln!(file, "tls-cert = '{}'\ntls-key = '{}'", cert.display(), key.display()).expect("written");
    let database = scratch.join("rows.db");
    writeln!(file, "database = 'sqlite:{}'\nrelay-workers = 1", database.display()).expect("written");
    server.start_as(townsquare().args(["serve", "--config"]).arg(scratch.join("townsquare.toml")));
    server.wait_ready();
    assert!(database.exists(), "the file names the database");
    let printed = until("the address is printed", || Some(server.printed()).filter(|text| text.contains("Stop with")));
    assert!(printed.contains(&format!("https://{}", said("--listen"))) && !printed.contains("http://"), "{printed}");

    let event = server.create_event("Behind a lock");
    let shown = server.succeeds(&["event", "show", &event.id, "--json"]);
    let links = addresses(&serde_json::from_str(&shown).expect("JSON"));
    assert!(links.len() >= 6 && links.iter().all(|link| link.starts_with("https://")), "{links:?}");

    let cert = cert.display().to_string();
    let page = townsquare().args(["listen", &event.page, "--seconds", "1"]).stderr(Stdio::piped()).output().expect("the binary runs");
    let refused = String::from_utf8_lossy(&page.stderr).into_owned();
    assert!(!page.status.success() && refused.trim_end().lines().count() == 1 && refused.contains("ertificate"), "{refused}");

    let ca = ["--ca", cert.as_str()];
    let _speaking = speaks(&server, &event, &ca);
    wait_for_tone(&event, &ca);
    let by_page = Listener::new(&event.page, &["--seconds", "2", "--ca", &cert]).heard();
    assert!(by_page.0 && by_page.1["gaps"] == 0, "{:?}", by_page.1);
    let by_environment = townsquare().args(["listen", &event.stream, "--seconds", "1"]).env("SSL_CERT_FILE", &cert).output();
    assert!(by_environment.expect("the binary runs").status.success(), "SSL_CERT_FILE names who is trusted");
    server.end(&event);
    let (success, _, sound) = Listener::new(&event.page, &ca).heard();
    assert!(success && share_with(&sound, TONE_HZ, 0.1) > 0.5, "the page leads to the replay");
}
