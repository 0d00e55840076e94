//! The square beside its files: commands without a server, what was missed, journals, sockets.

use super::client::{Needs, ask};
use super::{open, outside::Outside, record};
use crate::link::FromSupervisor;
use crate::serve;
use crate::settings::Settings;
use crate::visitors::Visitors;
use api::Door;
use base::journal::{Entry, What};
use base::{Epoch, EventId, FragmentNumber, UnixMillis};
use hyper::Method;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::watch;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A data directory that goes away with its test.
pub(super) struct Data(pub(super) Settings);

impl Data {
    pub(super) fn new() -> Self {
        let name = format!("townsquare-square-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let data = std::env::temp_dir().join(name);
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self(Settings {
            database: format!("sqlite:{}", data.join("square.db").display()),
            data,
            listen: any,
            relay_listen: any,
            stage_listen: any,
            internal_listen: any,
            public_url: "https://square.example".into(),
            relay_public_url: "https://live.example".into(),
            stage_public_url: "https://stage.example".into(),
            stage_public_url_said: false,
            tls_cert: None,
            tls_key: None,
            relay_workers: 1,
            cadence_millis: None,
            members_open_events: true,
            keep_replays_days: None,
            keys: None,
            copy: None,
        })
    }

    /// Announces an event as a command does while no server runs.
    pub(super) fn announce(&self, title: &str) -> (EventId, Value) {
        let made = ask(&self.0, Needs::Data, Method::POST, "/events", Some(&json!({"title": title}))).expect("announced");
        (made["id"].as_str().expect("an id").parse().expect("an id"), made)
    }

    fn announcement(&self, event: EventId) -> PathBuf {
        self.0.event_dir(event).join("event.json")
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0.data);
    }
}

pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn journal(entries: &[(i64, What)]) -> Vec<u8> {
    entries.iter().flat_map(|(at, what)| programme::journal::record(&Entry { at: UnixMillis(*at), what: what.clone() })).collect()
}

fn opened(epoch: u32) -> What {
    What::EpochOpened { epoch: Epoch(epoch), first: FragmentNumber(0), boot: "boot".into() }
}

#[test]
fn commands_work_without_a_server() {
    let data = Data::new();
    let (event, made) = data.announce("Town meeting");
    assert_eq!(made["page"], format!("https://square.example/events/{event}"));
    let written = std::fs::read(data.announcement(event)).expect("an announcement");
    assert_eq!(programme::Announcement::read(&written).map(|read| read.title), Ok("Town meeting".into()));
    let list = ask(&data.0, Needs::Data, Method::GET, "/events", None).expect("listed");
    assert_eq!(list["events"].as_array().map(Vec::len), Some(1));
    let account = ask(&data.0, Needs::Data, Method::POST, "/accounts", Some(&json!({"name": "Ada"}))).expect("made");
    assert!(account["link"].as_str().is_some_and(|link| link.starts_with("https://square.example/sign-in/")), "{account}");
    let taken = ask(&data.0, Needs::Data, Method::POST, "/accounts", Some(&json!({"name": "ada"}))).expect_err("taken");
    assert_eq!(taken.to_string(), base::FaultKind::NameTaken.text());
}

#[test]
fn going_live_needs_a_server() {
    let data = Data::new();
    let refused = |path: &str| ask(&data.0, Needs::Server, Method::POST, path, None).expect_err("nobody is there").to_string();
    assert!(refused("/events/0123456789ab/go-live").starts_with("no server runs in "));
    assert!(!data.0.data.exists(), "asking made nothing");
    let (event, _) = data.announce("Town meeting");
    assert!(refused(&format!("/events/{event}/go-live")).starts_with("no server runs in "));
}

#[test]
fn what_was_missed_is_made_good() {
    let data = Data::new();
    let ((lost, _), (over, _)) = (data.announce("Lost"), data.announce("Over"));
    std::fs::remove_file(data.announcement(lost)).expect("it was there");
    let entries = [(5, opened(1)), (9, opened(2)), (70, What::Ended { end: FragmentNumber(300), heard: None })];
    std::fs::write(data.0.event_dir(over).join("journal"), journal(&entries)).expect("written");
    runtime().block_on(async {
        let (_, outside): (_, Arc<Outside>) = open(&data.0).await.expect("opens");
        outside.catch_up().await.expect("made good");
        let event = outside.store().event(over).await.expect("answers").expect("is there");
        let wanted = (Some(UnixMillis(5)), Some(UnixMillis(70)), Some(FragmentNumber(300)));
        assert_eq!((event.live_at, event.ended_at, event.end), wanted);
        outside.store().close().await;
    });
    assert!(data.announcement(lost).exists());
}

#[test]
fn an_end_that_nobody_told_is_found() {
    let data = Data::new();
    let ((over, _), (on_air, _)) = (data.announce("Over"), data.announce("On air"));
    runtime().block_on(async {
        let (_, outside): (_, Arc<Outside>) = open(&data.0).await.expect("opens");
        for (event, entries) in
            [(over, vec![(5, opened(1)), (70, What::Ended { end: FragmentNumber(300), heard: None })]), (on_air, vec![(5, opened(1))])]
        {
            std::fs::write(data.0.event_dir(event).join("journal"), journal(&entries)).expect("written");
            outside.store().mark_live(event, UnixMillis(5)).await.expect("live");
        }
        outside.find_ends().await.expect("looked");
        for (event, ended) in [(over, Some(UnixMillis(70))), (on_air, None)] {
            let event = outside.store().event(event).await.expect("answers").expect("is there");
            assert_eq!(event.ended_at, ended);
        }
        outside.store().close().await;
    });
}

#[test]
fn a_journal_tells_when_it_began_and_ended() {
    let end = What::Ended { end: FragmentNumber(7), heard: None };
    let whole = journal(&[(5, opened(1)), (6, end.clone())]);
    let torn = whole[..whole.len() - 1].to_vec();
    let rows = [
        (None, None, None),
        (Some(Vec::new()), None, None),
        (Some(journal(&[(5, opened(1)), (9, opened(2))])), Some(5), None),
        (Some(whole), Some(5), Some((6, 7))),
        (Some(torn), Some(5), None),
        (Some(journal(&[(6, end)])), None, Some((6, 7))),
    ];
    let data = Data::new();
    std::fs::create_dir_all(&data.0.data).expect("a directory");
    for (bytes, live_at, ended) in rows {
        if let Some(bytes) = &bytes {
            std::fs::write(data.0.data.join("journal"), bytes).expect("written");
        }
        let record = record::read(&data.0.data).expect("readable");
        assert_eq!(record.live_at, live_at.map(UnixMillis), "{bytes:?}");
        assert_eq!(record.ended, ended.map(|(at, end)| (UnixMillis(at), FragmentNumber(end))), "{bytes:?}");
    }
}

#[test]
fn nothing_is_waited_for_behind_stop() {
    let runtime = runtime();
    let (link, words) = std::sync::mpsc::sync_channel(2);
    link.send(FromSupervisor::Stop).expect("room");
    runtime.block_on(async {
        let mut words = super::forward(words);
        assert!(matches!(words.recv().await, Some(FromSupervisor::Stop)));
        let after = tokio::time::timeout(std::time::Duration::from_secs(60), words.recv()).await;
        assert!(after.is_ok_and(|word| word.is_none()), "the thread waits for another word");
    });
    drop(link);
}

#[test]
fn both_doors_answer_until_they_are_stopped() {
    let data = Data::new();
    data.announce("Town meeting");
    let runtime = runtime();
    let (stop, stopped) = watch::channel(false);
    let socket = data.0.run_dir().join("square.sock");
    let (address, serving) = runtime.block_on(async {
        let (app, _) = open(&data.0).await.expect("opens");
        let listener = tokio::net::TcpListener::bind(data.0.listen).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        std::fs::write(&socket, "of a dead one").expect("written");
        let own = serve::bind_own(&socket).expect("its place is taken");
        let visitors = || Visitors::new("test", 8);
        let public = serve::public(listener, None, api::router(app.clone(), Door::Public), visitors(), stopped.clone());
        let own = serve::own(own, api::router(app, Door::Operator), visitors(), stopped);
        (address, tokio::spawn(async move { tokio::join!(public, own) }))
    });
    let mode = std::fs::metadata(&socket).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "its owner alone may open it");
    let asking = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).expect("connects");
        stream.write_all(b"GET / HTTP/1.1\r\nHost: square\r\nConnection: close\r\n\r\n").expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    });
    let settings = data.0.clone();
    let operating = std::thread::spawn(move || ask(&settings, Needs::Server, Method::GET, "/events", None).expect("answered"));
    runtime.block_on(async move {
        let (page, list) = tokio::task::spawn_blocking(move || (asking.join(), operating.join())).await.expect("both end");
        assert!(page.expect("a page").starts_with("HTTP/1.1 200 OK\r\n"));
        assert_eq!(list.expect("a list")["events"].as_array().map(Vec::len), Some(1));
        stop.send(true).expect("it listens");
        serving.await.expect("it ends");
    });
}
