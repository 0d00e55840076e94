//! What the console says about connections that are good, lossy, and kept from UDP.

use super::ADA_HZ;
use super::speaker::Speaker;
use super::world::World;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[track_caller]
fn check(tcp: bool, loss_permille: u32, verdict: &str, words: &str) {
    let world = World::new();
    let role = world.start();
    let mut console = role.console("host", "");
    let mut ada = Speaker::call(&role, "speaker", ADA_HZ, tcp, ingest::Wish::Both).losing(loss_permille);
    let is_over = AtomicBool::new(false);
    let said = std::thread::scope(|scope| {
        let is_over = &is_over;
        scope.spawn(move || {
            while !is_over.load(Relaxed) {
                ada = ada.speak_on(10);
            }
        });
        // A machine that stalls makes a line uneven for a while.
        let says = |said: &serde_json::Value| said["verdict"] == verdict && said["words"].as_str().is_some_and(|said| said.contains(words));
        let state = console.until(|state| says(&state["stage"][0]["connection"]));
        is_over.store(true, Relaxed);
        state["stage"][0]["connection"].clone()
    });
    role.stop();
    assert_eq!(said["by"], if tcp { "tcp" } else { "udp" });
}

#[test]
fn a_clean_line_is_good() {
    check(false, 0, "good", "is good");
}

#[test]
fn a_line_that_loses_eight_percent_is_bad() {
    check(false, 80, "bad", " % of what ");
}

#[test]
fn a_line_without_udp_says_which_port() {
    check(true, 0, "fair", "UDP port ");
}
