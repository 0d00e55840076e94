use super::*;
use base::EventId;
use ingest::{Call, Caller, Candidate, Purpose, Wish};

const DESK: DeskId = DeskId { slot: 0, serial: 1 };

/// Lets a new session in; gives its caller, who speaks from `from`.
fn open(network: &mut Loop, id: SessionId, from: SocketAddr) -> Call {
    let now = Instant::now();
    let (caller, offer) = Caller::offer(now, Wish::Send);
    let here = Candidate { transport: Transport::Udp, address: network.local };
    let (session, answer) = Session::accept(now, Purpose::Whip, &offer, &[here]).unwrap();
    let seat = Seat { event: EventId::from_random(1), desk: DESK, input: None, muted: false };
    network.take(ToNetwork::Open(id, seat, Box::new(session)));
    let mut call = caller.answered(now, &answer).unwrap();
    call.add_candidate(Candidate { transport: Transport::Udp, address: from });
    call
}

/// Everything that a caller says at first.
fn say(network: &mut Loop, call: &mut Call, from: SocketAddr) {
    for output in call.handle(Instant::now(), Input::Tick) {
        if let Output::Transmit(transmit) = output {
            network.datagram(Transport::Udp, from, network.local, &transmit.bytes);
        }
    }
}

#[test]
fn a_port_that_is_used_again_reaches_the_new_session() {
    let (mixer, _orders) = super::super::mixing::orders();
    let (reports, _reported) = sync_channel(8);
    let (way, _told) = Network::new(Arc::default()).unwrap();
    let mut network = Loop::new(UdpSocket::bind("127.0.0.1:0").unwrap(), way, mixer, reports).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    let from = client.local_addr().unwrap();
    let [old, new] = [SessionId(1), SessionId(2)];
    let owner = |network: &Loop| network.by_address.get(&(Transport::Udp, from)).copied();

    let mut first = open(&mut network, old, from);
    say(&mut network, &mut first, from);
    assert_eq!(owner(&network), Some(old));
    let mut second = open(&mut network, new, from);
    say(&mut network, &mut second, from);
    assert_eq!(owner(&network), Some(new));
    // The old one's end takes nothing from the new one.
    network.close(old);
    assert_eq!(owner(&network), Some(new));
    network.close(new);
    assert!(network.by_address.is_empty());
}
