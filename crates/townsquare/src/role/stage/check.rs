//! The sound check: the next seconds of one microphone, through the programme's own encoder and in its container, played back to
//! who speaks into it (docs/formats.md, "HTTP of the stage").

use super::http::{Here, Problem, WhoAsks};
use super::words::{Reply, Request};
use audio::Frame;
use audio::opus::{Encoder, Error};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use base::limit::CHECK_MILLIS;
use base::{FaultKind, FragmentNumber, Rung};
use programme::{fragment, init};

/// Listeners without a data saver hear this.
const RUNG: Rung = Rung::R64;

/// What a check records.
const BYTES: usize = (CHECK_MILLIS / 20) as usize * RUNG.frame_bytes();
const _: () = assert!(BYTES.is_multiple_of(fragment::payload_bytes(RUNG)));

/// A check that is going on.
pub(super) struct Check {
    encoder: Encoder,
    /// Frame after frame.
    recorded: Vec<u8>,
    reply: Reply<Vec<u8>>,
}

impl Check {
    /// Begins with the next frame.
    ///
    /// # Errors
    /// When there is no encoder to be had.
    pub(super) fn new(reply: Reply<Vec<u8>>) -> Result<Self, Error> {
        Ok(Self { encoder: Encoder::programme(RUNG)?, recorded: Vec::with_capacity(BYTES), reply })
    }

    /// Takes the microphone's next frame, or that it is gone; gives the check back while there is more to record.
    pub(super) fn hear(mut self, voice: Option<&Frame>) -> Option<Self> {
        // Who asked may have gone.
        if self.reply.is_closed() {
            return None;
        }
        let mut packet = [0; RUNG.frame_bytes()];
        let encoded = voice.map(|voice| self.encoder.encode(voice, &mut packet));
        match encoded {
            Some(Ok(_)) => self.recorded.extend_from_slice(&packet),
            Some(Err(_)) => return self.answer(Err(FaultKind::Internal)),
            None => return self.answer(Err(FaultKind::NotFound)),
        }
        if self.recorded.len() < BYTES {
            return Some(self);
        }
        let recorded = std::mem::take(&mut self.recorded);
        self.answer(Ok(recorded))
    }

    fn answer(self, answer: Result<Vec<u8>, FaultKind>) -> Option<Self> {
        let _ = self.reply.send(answer);
        None
    }
}

/// `POST /check/EVENT?key=`.
pub(super) async fn check(
    State(desk): Here,
    Path(event): Path<String>,
    Query(asks): Query<WhoAsks>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (event, bearer) = desk.admit(&event, &headers)?;
    let who = asks.with(bearer)?;
    let recorded = desk.ask(|reply| Request::Check { event, who, reply }).await?;
    Ok(([(header::CONTENT_TYPE, "audio/mp4")], file(&recorded)).into_response())
}

/// A file that a browser plays: the programme's init segment and fragments.
fn file(recorded: &[u8]) -> Vec<u8> {
    let fragments = recorded.chunks_exact(fragment::payload_bytes(RUNG)).zip(0..);
    let fragments = fragments.flat_map(|(payload, number)| fragment::seal(RUNG, FragmentNumber(number), None, payload));
    init::segment().iter().copied().chain(fragments).collect()
}
