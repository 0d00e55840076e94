//! What is kept of what was sent once, and what is not.

use super::{Key, once};
use crate::fault::Fault;
use crate::testing::Town;
use axum::response::{IntoResponse as _, Response};
use base::FaultKind;
use std::sync::PoisonError;
use store::testing::on_both;
use tokio::sync::oneshot;

fn kept(town: &Town) -> Vec<Key> {
    town.app.answers().0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
}

async fn refused() -> Result<Response, Fault> {
    Err(FaultKind::TextMissing.into())
}

#[test]
fn what_is_refused_takes_no_room_from_what_was_answered() {
    on_both(|store| async move {
        let town = Town::new(store, "https://square.example");
        let key = |byte| Some(Key([byte; 32]));
        let answered = once(&town.app, key(1), async { Ok("done".into_response()) }).await;
        assert!(answered.is_ok_and(|answer| answer.status() == 200));
        for byte in 2..20 {
            let answer = once(&town.app, key(byte), refused()).await;
            assert!(answer.is_ok_and(|answer| answer.status() == 422));
        }
        assert_eq!(kept(&town), [Key([1; 32])]);
        assert!(once(&town.app, key(1), refused()).await.is_ok_and(|answer| answer.status() == 200), "as before");
    });
}

#[test]
fn who_waits_for_what_fails_does_it_and_that_is_kept() {
    on_both(|store| async move {
        let town = Town::new(store, "https://square.example");
        let key = Some(Key([1; 32]));
        let (fail, failed) = oneshot::channel();
        let first = once(&town.app, key, async {
            let _ = failed.await;
            refused().await
        });
        let second = once(&town.app, key, async { Ok("done".into_response()) });
        // In this order: the second has its place before the first fails.
        let (first, second, _) = tokio::join!(biased; first, second, async { fail.send(()) });
        assert_eq!([first, second].map(|answer| answer.map_or(0, |answer| answer.status().as_u16())), [422, 200]);
        assert!(once(&town.app, key, refused()).await.is_ok_and(|answer| answer.status() == 200), "kept");
    });
}
