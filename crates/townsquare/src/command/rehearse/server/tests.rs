//! The kernel's tables as they look.

use super::*;

#[test]
fn listening_sockets_are_found_in_the_kernels_table() {
    let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
        0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0\n\
        1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0 100 0\n\
        2: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0 100 0\n\
        3: 0200007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 14 1 0 100 0\n";
    let found = |address: &str| listening(table, address.parse().unwrap()).collect::<Vec<_>>();
    assert_eq!(found("127.0.0.1:8080"), [11, 12]);
    assert_eq!(found("127.0.0.2:8080"), [12, 14]);
    assert_eq!(found("127.0.0.1:8081"), [0u64; 0]);
    assert!(names("00000000000000000000000001000000", "::1".parse().unwrap()));
}

#[test]
fn numbers_are_found_by_their_name() {
    let sockstat = "sockets: used 300\nTCP: inuse 8 orphan 0 tw 0 alloc 9 mem 17\nUDP: inuse 1 mem 2\n";
    assert_eq!(tcp_pages(sockstat), Some(17));
    assert_eq!(number("Slab:   12 kB\n", "Slab:"), Some(12));
    assert_eq!((tcp_pages(""), number("", "Slab:")), (None, None));
}

#[test]
fn this_process_takes_something() {
    let pid = std::process::id();
    assert!(cpu_micros(pid).is_some_and(|micros| micros > 0) && user_bytes(pid).is_some_and(|bytes| bytes > 0));
    assert!(machine().is_some_and(|machine| machine.cores > 0 && machine.memory_bytes > 0));
}

#[test]
fn who_listens_is_found() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(Watch::new(None, socket.local_addr().unwrap()).pids(), [std::process::id()]);
}
