//! Clients with TLS: rustls in the test's own hands, and programs that others wrote.

use crate::world::{Client, Directory, Response, World};
use relay::Tls;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// A certificate for localhost.
pub(crate) struct Certificate {
    chain: String,
    root: CertificateDer<'static>,
    server: Arc<SingleCertAndKey>,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let root = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let pair = CertifiedKey::from_der(vec![root.clone()], key, &rustls::crypto::aws_lc_rs::default_provider()).unwrap();
        Self { chain: made.cert.pem(), root, server: Arc::new(SingleCertAndKey::from(pair)) }
    }

    /// A world that speaks TLS with it, and seals by itself whatever the kernel does.
    pub(crate) fn world(&self) -> World {
        World::with_tls(Some(Tls::without_kernel(Arc::clone(&self.server) as _).unwrap()))
    }

    /// One in which the kernel seals; none where it does not.
    pub(crate) fn world_with_kernel(&self) -> Option<World> {
        let world = World::with_tls(Some(Tls::new(Arc::clone(&self.server) as _).unwrap()));
        world.worker.load().kernel_tls.then_some(world)
    }

    /// A file with it, which goes with the directory.
    pub(crate) fn file(&self, directory: &Directory) -> PathBuf {
        let path = directory.0.join("chain.pem");
        std::fs::write(&path, &self.chain).unwrap();
        path
    }

    pub(crate) fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
        Arc::new(builder.with_protocol_versions(versions).unwrap().with_root_certificates(roots).with_no_client_auth())
    }
}

/// A client that reads and writes only when it is told to.
pub(crate) struct Secure {
    /// The connection; what it has received is in the clear.
    pub(crate) client: Client,
    pub(crate) session: ClientConnection,
    /// Why it went wrong, when it did.
    pub(crate) fault: Option<rustls::Error>,
}

impl Secure {
    pub(crate) fn new(world: &World, config: &Arc<ClientConfig>) -> Self {
        let mut session = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost").unwrap()).unwrap();
        session.set_buffer_limit(None);
        Self { client: world.connect(), session, fault: None }
    }

    pub(crate) fn ask(world: &World, config: &Arc<ClientConfig>, target: &str, headers: &str) -> Self {
        let mut client = Self::new(world, config);
        client.say(&format!("GET {target} HTTP/1.1\r\nHost: relay\r\n{headers}\r\n"));
        client
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.session.writer().write_all(text.as_bytes()).unwrap();
        self.push();
    }

    /// Sends what it has to say.
    pub(crate) fn push(&mut self) {
        while self.session.wants_write() && self.session.write_tls(&mut self.client.stream).is_ok() {}
    }

    /// Takes what has arrived, but not much more than `at_most` bytes of the wire.
    pub(crate) fn pull(&mut self, at_most: usize) {
        self.push();
        let mut taken = 0;
        while taken < at_most && !self.client.closed && self.fault.is_none() {
            match self.session.read_tls(&mut (&self.client.stream).take((at_most - taken) as u64)) {
                Ok(0) => self.client.closed = true,
                Ok(count) => taken += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.client.closed = true,
            }
            self.fault = self.session.process_new_packets().err();
            // Its end without a farewell is no end but a fault.
            match self.session.reader().read_to_end(&mut self.client.received) {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
            }
        }
        self.push();
    }

    /// It says no more, and listens on.
    pub(crate) fn half_close(&mut self) {
        self.session.send_close_notify();
        self.push();
        self.client.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// The whole answer, once it is there.
    pub(crate) fn response(&mut self) -> Option<Response> {
        self.pull(usize::MAX);
        let closed = std::mem::replace(&mut self.client.closed, true);
        let head = self.client.received.windows(4).any(|four| four == b"\r\n\r\n");
        let response = if head { self.client.response(false) } else { None };
        self.client.closed = closed;
        response
    }

    /// The body of an endless answer so far.
    pub(crate) fn body(&self) -> &[u8] {
        body(&self.client.received)
    }
}

/// What follows a response's head.
pub(crate) fn body(received: &[u8]) -> &[u8] {
    let head = received.windows(9).position(|nine| nine == b"HTTP/1.1 ").unwrap_or(received.len());
    let end = received[head..].windows(4).position(|four| four == b"\r\n\r\n").map_or(received.len(), |end| head + end + 4);
    &received[end..]
}

/// A program that listens, gone with the value.
pub(crate) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?} does not run ({error}): bin/test installs it"));
        let mut output = child.stdout.take().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..count]);
            }
        });
        Self { input: child.stdin.take(), child, said }
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Its input is over.
    pub(crate) fn hang_up(&mut self) {
        self.input = None;
    }

    pub(crate) fn said(&self) -> Vec<u8> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
