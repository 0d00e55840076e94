//! What a speaker says to the square and the stage over HTTP.

use crate::command::http::{self, ANSWER_BYTES_MAX, ANSWER_MAX, Refused};
use anyhow::Context as _;
use base::FaultKind;
use ingest::{Call, Caller, Wish};
use std::path::Path;
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::http::StatusCode;
use ureq::http::header::LOCATION;
use url::Url;

/// What the stage link answers to `Accept: application/json`.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ticket {
    pub(crate) title: String,
    pub(crate) role: String,
    pub(crate) token: String,
    pub(crate) whip: String,
    pub(crate) console: String,
}

/// Where the stage keeps a session.
#[derive(Debug)]
pub(super) struct Session(Url);

/// A stage to speak on, and who speaks.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    agent: Agent,
    pub(super) title: String,
    host: bool,
    authorization: String,
    whip: Url,
    console: Url,
}

impl Stage {
    /// Follows a stage link.
    pub(super) fn find(link: &str, name: &str, ca: Option<&Path>) -> anyhow::Result<Self> {
        let url = http::link(link, "stage link")?;
        let agent = http::agent(ca)?.timeout_global(Some(ANSWER_MAX)).build().new_agent();
        let answer = agent.get(url.as_str()).header("Accept", "application/json").call();
        let mut answer = http::good(answer.map_err(|error| Refused::unreachable(&url, error))?).map_err(|refused| {
            // The stage's own address takes offers and is none that one can look at.
            let whip = refused.is(FaultKind::MethodNotAllowed);
            if whip { Refused::by_us(format!("{link} is no stage link: give the whole one that has /stage/ in it")) } else { refused }
        })?;
        let ticket: Ticket = http::json(&mut answer).with_context(|| format!("there is no stage behind {link}"))?;
        Self::behind(&url, ticket, name, agent)
    }

    /// The stage of a ticket whose addresses are whole.
    pub(super) fn of(ticket: Ticket, name: &str, ca: Option<&Path>) -> anyhow::Result<Self> {
        let url = http::link(&ticket.whip, "stage's address")?;
        let agent = http::agent(ca)?.timeout_global(Some(ANSWER_MAX)).build().new_agent();
        Self::behind(&url, ticket, name, agent)
    }

    fn behind(url: &Url, ticket: Ticket, name: &str, agent: Agent) -> anyhow::Result<Self> {
        let mut key = [0; 24];
        getrandom::fill(&mut key).context("this machine gives no random numbers")?;
        let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let with_key = |text: &str| -> anyhow::Result<Url> {
            let mut url = url.join(text).with_context(|| format!("{text} is no address"))?;
            url.query_pairs_mut().append_pair("key", &key).append_pair("name", name);
            Ok(url)
        };
        Ok(Self {
            agent,
            host: ticket.role == "host",
            authorization: format!("Bearer {}", ticket.token),
            whip: with_key(&ticket.whip)?,
            console: with_key(&ticket.console)?,
            title: ticket.title,
        })
    }

    /// Whether the ticket is a host's.
    pub(super) const fn is_host(&self) -> bool {
        self.host
    }

    /// Posts an offer.
    pub(super) fn call(&self) -> Result<(Session, Call), Refused> {
        let (caller, offer) = Caller::offer(Instant::now(), Wish::Send);
        let request = self.agent.post(self.whip.as_str()).header("Content-Type", "application/sdp");
        let answer = request.header("Authorization", &self.authorization).send(offer);
        let mut answer = answer.map_err(|error| Refused::unreachable(&self.whip, error))?;
        if answer.status() != StatusCode::CREATED {
            return Err(Refused::of_answer(answer));
        }
        let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let location = location.and_then(|location| self.whip.join(location).ok());
        let sdp = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
        let sdp = sdp.map_err(|error| Refused::unreachable(&self.whip, error))?;
        let call = caller.answered(Instant::now(), &sdp);
        let call = call.map_err(|refusal| Refused::by_us(refusal.to_string()))?;
        Ok((Session(location.unwrap_or_else(|| self.whip.clone())), call))
    }

    /// Ends a session.
    pub(super) fn delete(&self, session: &Session) -> Result<(), Refused> {
        let request = self.agent.delete(session.0.as_str()).header("Authorization", &self.authorization);
        // A stage that stalls must not keep the command from ending.
        let request = request.config().timeout_global(Some(Duration::from_secs(2))).build();
        http::good(request.call().map_err(|error| Refused::unreachable(&session.0, error))?).map(drop)
    }

    /// Opens the programme.
    pub(super) fn go_live(&self) -> Result<(), Refused> {
        let request = self.agent.post(self.console.as_str()).header("Content-Type", "application/json");
        let answer = request.header("Authorization", &self.authorization).send(r#"{"do":"go-live","yes":true}"#);
        http::good(answer.map_err(|error| Refused::unreachable(&self.console, error))?).map(drop)
    }

    /// Opens the control stream: endless, and broken when it is silent for `silence`.
    pub(super) fn console(&self, silence: Duration) -> Result<impl std::io::Read + use<>, Refused> {
        let request = self.agent.get(self.console.as_str()).header("Authorization", &self.authorization);
        let request = request.config().timeout_global(None).timeout_recv_response(Some(silence)).timeout_per_read(Some(silence)).build();
        let answer = http::good(request.call().map_err(|error| Refused::unreachable(&self.console, error))?)?;
        Ok(answer.into_body().into_reader())
    }
}
