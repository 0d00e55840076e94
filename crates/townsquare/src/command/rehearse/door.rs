//! Whose server it is: a crowd is sent to one's own only.

use super::http::{Refused, agent, good, json, link};
use anyhow::{Context as _, bail};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use url::Url;

/// What the relay answers to who may rehearse (docs/formats.md, "HTTP of the relay").
const ALLOWED: &str = "townsquare-rehearsal";

const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What an event's page answers to `Accept: application/json`.
#[derive(serde::Deserialize)]
struct Page {
    listen: Addresses,
}

#[derive(serde::Deserialize)]
struct Addresses {
    stream: String,
}

/// The stream behind a link, which may be the event's page.
pub(super) fn stream(url: Url, ca: Option<&Path>) -> anyhow::Result<Url> {
    if url.path().starts_with("/live/") {
        return Ok(url);
    }
    let agent = agent(ca)?.timeout_global(Some(ANSWER_MAX)).build().new_agent();
    let answer = agent.get(url.as_str()).header("Accept", "application/json").call().with_context(|| format!("{url} can't be reached"))?;
    let page: Option<Page> = json(&mut good(answer)?);
    let page = page.with_context(|| format!("there is no event behind {url}"))?;
    let stream = url.join(&page.listen.stream).with_context(|| format!("{} is no address", page.listen.stream))?;
    link(stream.as_str(), "stream")
}

/// Refuses what is not one's own: loopback and private networks are; anything else says so itself to who has a host's ticket.
pub(super) fn may_rehearse(server: IpAddr, stream: &Url, token: Option<&str>, ca: Option<&Path>) -> anyhow::Result<()> {
    if is_own(server) {
        return Ok(());
    }
    let Some(token) = token else {
        bail!("{server} is outside this network: show that the server is yours with --token, the end of the event's host link");
    };
    let agent = agent(ca)?.timeout_global(Some(ANSWER_MAX)).build().new_agent();
    let asked = agent.head(stream.as_str()).header("Authorization", &format!("Bearer {token}")).call();
    let answer = good(asked.with_context(|| format!("{server} can't be reached"))?)?;
    match answer.headers().get(ALLOWED) {
        Some(word) if word == "allowed" => Ok(()),
        Some(_) | None => bail!("the server does not take this ticket for a rehearsal: take the end of this event's host link"),
    }
}

/// Refuses what can't be heard, with the server's own reason: no crowd is needed to find that out.
pub(super) fn sounds(stream: &Url, ca: Option<&Path>) -> anyhow::Result<()> {
    let agent = agent(ca)?.timeout_connect(Some(ANSWER_MAX)).timeout_recv_response(Some(ANSWER_MAX)).build().new_agent();
    good(agent.get(stream.as_str()).call().map_err(|error| Refused::unreachable(stream, error))?)?;
    Ok(())
}

/// Loopback, private networks, and those set aside for tests (RFC 1918, 4193, 2544, 5180).
fn is_own(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || matches!(v4.octets(), [198, 18 | 19, ..]),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || matches!(v6.segments(), [0x2001, 2, 0, ..]),
    }
}

#[cfg(test)]
mod tests;
