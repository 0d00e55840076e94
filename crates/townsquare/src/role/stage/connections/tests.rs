use super::*;
use std::io::{Read as _, Write as _};
use std::net::TcpStream as Socket;
use std::sync::mpsc::Receiver;

/// Longer than anything takes on a busy machine; reached only by a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// An address with little room, the network thread's queue, and what keeps it open.
fn serve(requests: usize, media: usize) -> (SocketAddr, Receiver<ToNetwork>, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (network, told) = Network::new(Arc::default()).unwrap();
    let room = Room { requests: Visitors::new("requests", requests), media: Visitors::new("media", media) };
    let router = Router::new().fallback(|| async { "here" });
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(serve_tcp(listener, Service { router, tls: None, network, room }));
    (address, told, runtime)
}

/// Connects and says the beginning of a frame that never comes.
fn media(address: SocketAddr) -> Socket {
    let mut socket = Socket::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(&[0, 100]).unwrap();
    socket
}

/// Waits until the other side closes; fails when it says something or never does.
fn is_closed(mut socket: Socket) -> bool {
    match socket.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn media_that_fills_its_room_leaves_the_requests_theirs() {
    let (address, told, _runtime) = serve(2, 2);
    let _held = media(address);
    let opened = told.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(opened, ToNetwork::TcpOpened { .. }));
    assert!(is_closed(media(address)), "one address does not take all of it");
    let mut asking = Socket::connect(address).unwrap();
    asking.set_read_timeout(Some(PATIENCE)).unwrap();
    asking.write_all(b"GET / HTTP/1.1\r\nHost: stage\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    asking.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn whoever_is_hung_up_on_is_gone_and_leaves_room() {
    let (address, told, _runtime) = serve(2, 2);
    for _ in 0..3 {
        let socket = media(address);
        let opened = told.recv_timeout(PATIENCE).unwrap();
        // The network thread's end of the connection goes with this.
        drop(opened);
        assert!(is_closed(socket));
        assert!(matches!(told.recv_timeout(PATIENCE).unwrap(), ToNetwork::TcpClosed(_)));
    }
}
