use super::*;
use base::EventId;
use base::limit::TCP_QUEUE_FRAMES_MAX;
use ingest::{Call, Caller, Candidate, Purpose, Wish};

const DESK: DeskId = DeskId { slot: 0, serial: 1 };

/// A network thread's state; what it tells others goes nowhere.
fn network() -> Loop {
    let (mixer, _orders) = super::super::mixing::orders();
    let (reports, _reported) = sync_channel(8);
    let (way, _told) = Network::new(Arc::default()).unwrap();
    Loop::new(UdpSocket::bind("127.0.0.1:0").unwrap(), way, mixer, reports).unwrap()
}

/// Lets a new session in; gives its caller, who speaks from `from`.
fn open(network: &mut Loop, id: SessionId, transport: Transport, from: SocketAddr) -> Call {
    let now = Instant::now();
    let (caller, offer) = Caller::offer(now, Wish::Send);
    let here = Candidate { transport, address: network.local };
    let (session, answer) =
        Session::accept(now, Purpose::Whip, &offer, &[here], [id.0.to_be_bytes(); 4].concat().try_into().unwrap()).unwrap();
    let seat = Seat { event: EventId::from_random(1), desk: DESK, input: None, muted: false, on_air: true };
    network.take(ToNetwork::Open(id, seat, Box::new(session)));
    let mut call = caller.answered(now, &answer).unwrap();
    call.add_candidate(Candidate { transport, address: from });
    call
}

/// Everything that a caller says at first.
fn say(network: &mut Loop, call: &mut Call, from: SocketAddr) {
    for output in call.handle(Instant::now(), Input::Tick) {
        if let Output::Transmit(transmit) = output {
            network.datagram(transmit.transport, from, network.local, &transmit.bytes);
        }
    }
}

#[test]
fn a_port_that_is_used_again_reaches_the_new_session() {
    let mut network = network();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    let from = client.local_addr().unwrap();
    let [old, new] = [SessionId(1), SessionId(2)];
    let owner = |network: &Loop| network.by_address.get(&(Transport::Udp, from)).copied();

    let mut first = open(&mut network, old, Transport::Udp, from);
    say(&mut network, &mut first, from);
    assert_eq!(owner(&network), Some(old));
    let mut second = open(&mut network, new, Transport::Udp, from);
    say(&mut network, &mut second, from);
    assert_eq!(owner(&network), Some(new));
    // The old one's end takes nothing from the new one.
    network.close(old);
    assert_eq!(owner(&network), Some(new));
    network.close(new);
    assert!(network.by_address.is_empty());
}

#[test]
fn who_names_no_session_over_tcp_is_hung_up_on() {
    let mut network = network();
    let [ada, nobody, gone] = [1, 2, 3].map(|last| SocketAddr::from(([192, 0, 2, last], 40_000)));
    let mut lines = [ada, nobody, gone].map(|peer| {
        let (frames, line) = mpsc::channel(TCP_QUEUE_FRAMES_MAX);
        network.take(ToNetwork::TcpOpened { peer, frames });
        line
    });
    let begun = network.tcp[&ada].since;
    let mut call = open(&mut network, SessionId(1), Transport::Tcp, ada);
    say(&mut network, &mut call, ada);
    // The beginning of a frame's STUN, or anything else, is no introduction.
    network.take(ToNetwork::TcpFrame { peer: nobody, local: network.local, bytes: vec![0; 20] });
    lines[2].close();

    let patience = Duration::from_millis(MEDIA_INTRODUCTION_MILLIS_MAX);
    let open = |network: &Loop| network.tcp.keys().copied().collect::<Vec<_>>();
    network.clear(begun);
    assert_eq!(open(&network), [ada, nobody], "who is gone is gone at once");
    network.clear(begun + patience - Duration::from_millis(1));
    assert_eq!(open(&network), [ada, nobody], "there is time to say who one is");
    let late = network.tcp[&nobody].since + patience;
    network.clear(late);
    assert_eq!(open(&network), [ada]);
    assert!(lines[1].is_closed() && !lines[0].is_closed());
    network.close(SessionId(1));
    network.clear(late);
    assert!(open(&network).is_empty(), "a connection ends with its session");
}
