//! A crowd in bad luck: who waits at the door while a worker dies, more people than descriptors, readers of a byte a second.

mod support;

use rustix::process::Signal;
use socket2::{Domain, Socket, Type};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;
use support::event::Event;
use support::people::{Listener, speaks, wait_for_tone};
use support::{Server, output, townsquare, until};

/// The bytes a listener has at once: the answer's head and more than the init segment.
const OPENING_BYTES: usize = 1_024;

fn relay(event: &Event) -> SocketAddr {
    event.stream.split('/').nth(2).and_then(|host| host.parse().ok()).expect("the relay's address")
}

/// Somebody asks for the stream and does not read yet.
fn asks(event: &Event) -> TcpStream {
    let mut stream = TcpStream::connect(relay(event)).expect("the kernel takes it");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    write!(stream, "GET /live/{}.mp4?from=-1 HTTP/1.1\r\nHost: relay\r\n\r\n", event.id).expect("it is sent");
    stream
}

/// Whether this listener gets sound.
fn hears(stream: &mut TcpStream) -> bool {
    let mut bytes = [0; OPENING_BYTES];
    stream.read_exact(&mut bytes).is_ok() && bytes.starts_with(b"HTTP/1.1 200 ")
}

#[test]
fn who_waits_at_the_door_outlives_the_worker() {
    let mut server = Server::start();
    let event = server.create_event("The door");
    server.go_live(&event);
    let old = server.signal("relay-0", Signal::STOP);
    let mut waiting: Vec<TcpStream> = (0..300).map(|_| asks(&event)).collect();
    server.signal("relay-0", Signal::KILL);
    server.wait_replaced("relay-0", old);
    let without = waiting.iter_mut().filter_map(|stream| (!hears(stream)).then_some(())).count();
    assert_eq!(without, 0, "of 300 who waited");
}

#[test]
fn more_people_than_descriptors_are_served_by_more_workers() {
    let mut server = Server::prepared(&[]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 256 && exec \"$0\" \"$@\""]).arg(townsquare().get_program()).args(server.words());
    server.start_as(&mut limited);
    server.wait_ready();
    let event = server.create_event("Few descriptors");
    let _speaker = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let found = output(&["rehearse", &event.stream, "--json", "--listeners", "600", "--joins-per-second", "150", "--seconds", "3"]);
    let text = String::from_utf8_lossy(&found.stdout);
    let result: serde_json::Value = serde_json::from_str(text.lines().last().unwrap_or_default()).expect("a result");
    assert_eq!((&result["listeners"]["hearing_at_end"], &result["gaps"]), (&600.into(), &0.into()), "{result}");
    assert!(server.pid("relay-2").is_some(), "six hundred people need three times 256 descriptors");
}

#[test]
fn readers_of_a_byte_a_second_hold_nobody_up() {
    let server = Server::start();
    let event = server.create_event("Slow readers");
    let _speaker = speaks(&server, &event, &[]);
    wait_for_tone(&event, &[]);
    let slow: Vec<Socket> = (0..100)
        .map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            // The kernel takes next to nothing ahead of its reader.
            socket.set_recv_buffer_size(1).expect("a small buffer");
            socket.connect(&relay(&event).into()).expect("a connection");
            write!(&socket, "GET /live/{}.mp4 HTTP/1.1\r\nHost: relay\r\n\r\n", event.id).expect("it is sent");
            socket
        })
        .collect();
    let listener = Listener::new(&format!("{}?from=-1", event.stream), &["--seconds", "6"]);
    let readers = std::thread::spawn(move || {
        for _ in 0..6 {
            for mut socket in &slow {
                let _ = socket.read(&mut [0]);
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        slow
    });
    listener.heard_only_the_tone();
    let slow = readers.join().expect("they read");
    until("the slow are inside all the while", || {
        let metrics = server.internal("/metrics")?.1;
        let streams =
            metrics.lines().find(|line| line.starts_with("townsquare_relay_streams"))?.rsplit(' ').next()?.parse::<usize>().ok()?;
        (streams == slow.len()).then_some(())
    });
}
