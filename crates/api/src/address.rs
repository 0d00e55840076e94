//! How people reach what. Every link that anybody is given is made here.

use base::{ClipId, EventId, FragmentNumber};
use square::Secret;
use std::ops::Range;
use url::{Host, Url};

/// The public addresses of square, relay and stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    square: String,
    relay: String,
    stage: String,
}

impl Addresses {
    /// The addresses as the settings say them; a slash at the end is dropped.
    #[must_use]
    pub fn new(square: &str, relay: &str, stage: &str) -> Self {
        let plain = |url: &str| url.trim_end_matches('/').to_owned();
        Self { square: plain(square), relay: plain(relay), stage: plain(stage) }
    }

    /// Whether people reach the square over https.
    pub(crate) fn https(&self) -> bool {
        self.square.starts_with("https://")
    }

    /// Whether a browser gives a page of the square its microphone: over https, and on the machine itself
    /// (W3C Secure Contexts, section 3.1).
    pub(crate) fn microphone(&self) -> bool {
        let Ok(url) = Url::parse(&self.square) else { return false };
        match url.host() {
            _ if self.https() => true,
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// The square's origin, as browsers name it.
    pub(crate) fn origin(&self) -> String {
        origin(&self.square)
    }

    /// Where sound and signalling come from, for the Content-Security-Policy.
    pub(crate) fn media_origins(&self) -> (String, String) {
        (origin(&self.relay), origin(&self.stage))
    }

    pub(crate) fn sign_in(&self, secret: &Secret) -> String {
        format!("{}/sign-in/{}", self.square, secret.text())
    }

    /// The public page of an event.
    pub(crate) fn page(&self, event: EventId, ticket: Option<&str>) -> String {
        format!("{}{}", self.square, page_path(event, ticket))
    }

    /// The square itself, without a slash at the end.
    pub(crate) fn square(&self) -> &str {
        &self.square
    }

    /// The page of a clip.
    pub(crate) fn clip_page(&self, clip: ClipId, ticket: Option<&str>) -> String {
        format!("{}{}", self.square, clip_path(clip, ticket))
    }

    /// The link that brings somebody on stage.
    pub(crate) fn console_page(&self, ticket: &str) -> String {
        format!("{}{}", self.square, console_path(ticket))
    }

    /// Where speakers post their offers.
    #[must_use]
    pub fn whip(&self, event: EventId) -> String {
        format!("{}/whip/{event}", self.stage)
    }

    /// The control stream of an event's stage.
    #[must_use]
    pub fn console(&self, event: EventId) -> String {
        format!("{}/console/{event}", self.stage)
    }

    /// Where a speaker's microphone is recorded and sent back.
    pub(crate) fn check(&self, event: EventId) -> String {
        format!("{}/check/{event}", self.stage)
    }

    /// The endless stream.
    #[must_use]
    pub fn stream(&self, event: EventId, ticket: Option<&str>) -> String {
        format!("{}/live/{event}{}.mp4", self.relay, ticket_part(ticket))
    }

    pub(crate) fn hls(&self, event: EventId, ticket: Option<&str>) -> String {
        format!("{}/live/{event}{}/main.m3u8", self.relay, ticket_part(ticket))
    }

    pub(crate) fn replay(&self, event: EventId, ticket: Option<&str>) -> String {
        format!("{}/replay/{event}{}.m4a", self.relay, ticket_part(ticket))
    }

    /// The replay for players that don't know Opus.
    pub(crate) fn mp3(&self, event: EventId, ticket: Option<&str>) -> String {
        format!("{}/replay/{event}{}.mp3", self.relay, ticket_part(ticket))
    }

    /// Some fragments of the replay.
    pub(crate) fn clip(&self, event: EventId, ticket: Option<&str>, range: &Range<FragmentNumber>) -> String {
        format!("{}/replay/{event}{}/clip/{}-{}.m4a", self.relay, ticket_part(ticket), range.start, range.end)
    }
}

/// The path of an event's public page; a private event's carries a ticket.
pub(crate) fn page_path(event: EventId, ticket: Option<&str>) -> String {
    format!("/events/{event}{}", ticket_part(ticket))
}

/// The path of what stands beside an event's public page, like `calendar.ics`.
pub(crate) fn beside(event: EventId, ticket: Option<&str>, name: &str) -> String {
    format!("{}/{name}", page_path(event, ticket))
}

/// The path of a clip's page; a private event's carries a ticket.
pub(crate) fn clip_path(clip: ClipId, ticket: Option<&str>) -> String {
    format!("/clips/{clip}{}", ticket_part(ticket))
}

/// The path of the stage's page.
pub(crate) fn console_path(ticket: &str) -> String {
    format!("/stage/{ticket}")
}

fn ticket_part(ticket: Option<&str>) -> String {
    ticket.map(|ticket| format!("/t/{ticket}")).unwrap_or_default()
}

fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests;
