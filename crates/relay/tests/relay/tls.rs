//! TLS.

use crate::world::{World, fragments};
use base::Rung;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io::{ErrorKind, Read as _, Write as _};
use std::sync::Arc;

/// A certificate for localhost, and its key.
fn certificate() -> (String, String, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem(), made.cert.der().clone())
}

#[test]
fn sound_goes_through_tls_too() {
    let (chain, key, root) = certificate();
    let mut world = World::with_tls(Some(relay::tls::config(chain.as_bytes(), key.as_bytes()).unwrap()));
    let mut stage = world.live(400);
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut session = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut client = world.connect();
    session.writer().write_all(format!("GET {} HTTP/1.1\r\n\r\n", stage.path(".mp4?from=0")).as_bytes()).unwrap();
    stage.seal(&[Rung::R64], 1);
    let whole = stage.file(Rung::R64);
    let mut talk = |client: &mut crate::world::Client| {
        while session.wants_write() && session.write_tls(&mut client.stream).is_ok() {}
        while matches!(session.read_tls(&mut client.stream), Ok(count) if count > 0) {
            session.process_new_packets().unwrap();
            let mut bytes = Vec::new();
            match session.reader().read_to_end(&mut bytes) {
                Ok(_) => client.closed = true,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            client.received.extend(bytes);
        }
    };
    let body = |client: &crate::world::Client| {
        let end = client.received.windows(4).position(|four| four == b"\r\n\r\n").map_or(client.received.len(), |end| end + 4);
        client.received[end..].to_vec()
    };
    world.until("all of it", |_| {
        talk(&mut client);
        (body(&client) == whole).then_some(())
    });
    assert_eq!(fragments(&body(&client)).len(), 401);
    stage.end();
    world.until("the end", |_| {
        talk(&mut client);
        client.closed.then_some(())
    });
    // Plain HTTP gets an alert and no answer.
    let mut plain = world.ask("GET", &stage.path(".mp4"), "");
    world.until("the connection closes", |_| {
        plain.read();
        plain.closed.then_some(())
    });
    assert!(!plain.received.starts_with(b"HTTP"));
}

#[test]
fn what_is_no_certificate_is_refused() {
    let (chain, key, _) = certificate();
    let (_, other, _) = certificate();
    for (chain, key) in [("", key.as_str()), (chain.as_str(), ""), (chain.as_str(), other.as_str())] {
        assert!(relay::tls::config(chain.as_bytes(), key.as_bytes()).is_err());
    }
}
