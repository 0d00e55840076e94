//! Who takes part in an event: a visitor with a number there, whether or not they are signed in.

use crate::app::{App, Order};
use crate::caller::{Caller, cookie};
use crate::fault::Fault;
use crate::json::event::read_id;
use crate::ticket;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use base::limit::BEARERS_PER_TICKET_MAX;
use base::{FaultKind, Visibility};
use gate::ticket::{Claims, Class, admit};
use square::assembly::Who;
use square::visitor::{self, Known};
use square::{Secret, event, hand};
use std::convert::Infallible;
use std::net::IpAddr;
use store::{Bearer, Event, Phase};

/// The network address that a connection comes from, which who serves the router adds to each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// What a visitor's browser keeps so that they are the same when they come again. It is set by the page of an event in which one can take
/// part, and by the answer to who came without it.
const COOKIE_DAYS: i64 = 365;

/// What a request brings along besides a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Came {
    /// `Authorization: Bearer`.
    bearer: Option<String>,
    cookie: Option<Secret>,
    /// The network address that they come from.
    pub(crate) address: Option<IpAddr>,
}

impl FromRequestParts<App> for Came {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let text = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")).map(|ticket| ticket.trim().to_owned());
        let address = parts.extensions.get().map(|Peer(peer)| peer.to_canonical()).map(|peer| {
            // Behind a proxy on this machine everybody would be one: it says who asks, last of all.
            // What stands before that, in the same line or in one before it, is what the client says of itself.
            let said = parts.headers.get_all("x-forwarded-for").iter().next_back().filter(|_| peer.is_loopback());
            said.and_then(|list| list.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()).unwrap_or(peer)
        });
        Ok(Self { bearer, cookie: marked(app, &parts.headers), address })
    }
}

impl Came {
    /// The ticket that they showed: as a bearer, else in the address or the form.
    fn shown<'a>(&'a self, elsewhere: &'a str) -> Option<&'a str> {
        self.bearer.as_deref().or(Some(elsewhere)).filter(|ticket| !ticket.is_empty())
    }
}

/// Somebody who takes part in an event.
pub(crate) struct Guest {
    pub(crate) event: Event,
    /// Their number there. An account has one; so has an invite, for all who come with it; who comes by a link that everybody has is known
    /// by their browser.
    pub(crate) ticket: u64,
    /// Whether they run it.
    pub(crate) runs: bool,
    /// Whether a host has barred them.
    pub(crate) barred: bool,
    /// A good ticket that they showed, as they showed it.
    pub(crate) shown: Option<String>,
    /// The number of their account.
    account: Option<u64>,
    /// That of their browser.
    browser: u64,
    /// Their browser keeps nothing yet: this is to be.
    fresh: Option<Secret>,
    address: Option<IpAddr>,
}

impl Guest {
    /// Who they are in an event that reaches them. `shown`: the ticket that an address or a form carried; one that is no good counts for
    /// nothing.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn meet(app: &App, caller: &Caller, came: &Came, event: Event, shown: &str) -> Result<Self, Fault> {
        let shown = came.shown(shown);
        let claims = shown.and_then(|text| admit(app.keys(), text, app.now(), event.id, Class::Listener).ok());
        let shown = shown.filter(|_| claims.is_some()).map(str::to_owned);
        Ok(Self { shown, ..Self::with(app, caller, came, event, claims.as_ref()).await? })
    }

    /// The same for who shows the ticket with these claims.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn with(app: &App, caller: &Caller, came: &Came, event: Event, claims: Option<&Claims>) -> Result<Self, Fault> {
        let number = |known| visitor::ticket(event.id, known);
        let account = caller.actor.id().map(|account| number(Known::Account(account)));
        let fresh = came.cookie.is_none().then(|| Secret::new(&gate::visitor::sign(app.keys(), &app.chance())));
        let browser = came.cookie.as_ref().or(fresh.as_ref()).map_or(0, |secret| number(Known::Cookie(secret)));
        let own = claims.filter(|claims| !ticket::is_shared(event.id, claims.id));
        let listener = own.filter(|claims| claims.class == Class::Listener).map(|claims| claims.id);
        let is_host = event::may_run(&caller.actor, &event).is_ok() || claims.is_some_and(|claims| claims.class == Class::Host);
        let numbers = [account, Some(browser), own.map(|claims| claims.id)];
        let barred = !is_host && app.store().is_banned(event.id, numbers).await.map_err(square::Fault::from)?;
        if barred && let Some(account) = account {
            bar_with_browser(app, &event, account, browser).await?;
        }
        Ok(Self {
            ticket: account.or(listener).unwrap_or(browser),
            runs: is_host || (!barred && claims.is_some_and(|claims| claims.class == Class::CoHost)),
            barred,
            shown: None,
            account,
            browser,
            fresh,
            address: came.address,
            event,
        })
    }

    /// The same for a private event that they want to hear.
    ///
    /// # Errors
    /// As there; [`FaultKind::Barred`]. Public sound can't be withheld.
    pub(crate) async fn hear(app: &App, caller: &Caller, came: &Came, event: Event, shown: &str) -> Result<Self, Fault> {
        let guest = Self::meet(app, caller, came, event, shown).await?;
        if guest.barred && guest.is_private() { Err(FaultKind::Barred.into()) } else { Ok(guest) }
    }

    /// Who they are in the event of this id.
    ///
    /// # Errors
    /// The event is none for them, their ticket is no good, or a host has barred them.
    pub(crate) async fn find(app: &App, caller: &Caller, came: &Came, id: &str, shown: &str) -> Result<Self, Fault> {
        let id = read_id(id)?;
        let ticket = came.shown(shown).map(|text| admit(app.keys(), text, app.now(), id, Class::Listener).map_err(FaultKind::from));
        let ticket = ticket.transpose()?;
        let event = event::find(app.store(), &caller.actor, id, ticket.is_some()).await?;
        let guest = Self::meet(app, caller, came, event, shown).await?;
        if guest.barred { Err(FaultKind::Barred.into()) } else { Ok(guest) }
    }

    /// [`Guest::find`], for somebody who raises a hand, asks or votes.
    ///
    /// # Errors
    /// As there; the event is over, or they do it too often.
    pub(crate) async fn act(app: &App, caller: &Caller, came: &Came, id: &str, shown: &str) -> Result<Self, Fault> {
        let guest = Self::find(app, caller, came, id, shown).await?;
        hand::is_time(&guest.event)?;
        app.assembly().may_take_part(guest.event.id, guest.who(), app.now())?;
        Ok(guest)
    }

    /// [`Guest::act`], for somebody who votes: only who was there before has a vote.
    ///
    /// # Errors
    /// As there; [`FaultKind::VisitorUnknown`], with which their browser is given what makes them known.
    pub(crate) async fn vote(app: &App, caller: &Caller, came: &Came, id: &str, shown: &str) -> Result<Self, Fault> {
        let guest = Self::act(app, caller, came, id, shown).await?;
        if guest.who().ticket.is_none() { Err(Fault::keeping(FaultKind::VisitorUnknown, guest.mark(app))) } else { Ok(guest) }
    }

    /// [`Guest::act`], for somebody who runs the event.
    ///
    /// # Errors
    /// As there; [`FaultKind::NotSignedIn`] or [`FaultKind::Forbidden`] when they do not.
    pub(crate) async fn rule(app: &App, caller: &Caller, came: &Came, id: &str, shown: &str) -> Result<Self, Fault> {
        let guest = Self::find(app, caller, came, id, shown).await?;
        if !guest.runs {
            event::may_run(&caller.actor, &guest.event)?;
        }
        hand::is_time(&guest.event)?;
        Ok(guest)
    }

    /// By what they are counted.
    pub(crate) fn who(&self) -> Who {
        // A number that nothing keeps is another one each time: it counts nobody.
        let is_kept = self.fresh.is_none() || self.ticket != self.browser;
        Who { ticket: Some(self.ticket).filter(|_| is_kept), is_member: self.account.is_some(), address: self.address }
    }

    /// Whether this is the number of their account or of their browser. A ticket may be anybody's who has it.
    pub(crate) fn has_number(&self, ticket: u64) -> bool {
        self.account == Some(ticket) || self.browser == ticket
    }

    /// Notes who they are besides the one with this ticket, which may be banned: a ban is one of all of them. What can't be noted keeps
    /// nobody off the stage.
    pub(crate) async fn came_with(&self, app: &App, ticket: u64) {
        let account = self.account.filter(|account| *account != ticket);
        let browser = Some(self.browser).filter(|browser| *browser != ticket);
        let with = [account.map(|account| (ticket, Bearer::Account(account))), browser.map(|browser| (ticket, Bearer::Browser(browser)))];
        let account_with = account.map(|account| (account, Bearer::Browser(self.browser)));
        for (ticket, bearer) in with.into_iter().chain([account_with]).flatten() {
            if let Err(error) = app.store().note_bearer(self.event.id, ticket, bearer, app.now(), BEARERS_PER_TICKET_MAX).await {
                tracing::error!(event = %self.event.id, %error, "who came with a ticket could not be noted");
            }
        }
    }

    /// The number of the network that a hand of theirs is counted to.
    pub(crate) fn network(&self, app: &App) -> Option<u64> {
        self.who().household().map(|address| gate::visitor::network(app.keys(), self.event.id, address))
    }

    /// Whether the event is for those alone who have its link.
    pub(crate) fn is_private(&self) -> bool {
        self.event.visibility == Visibility::Private
    }

    /// Their own ticket, with which a host may let them on stage.
    pub(crate) fn own_ticket(&self, app: &App) -> String {
        ticket::own(app, &self.event, self.ticket)
    }

    /// The ticket with which they hear a private event: each has one of their own, so that one can be barred without the others.
    pub(crate) fn listens_with(&self, app: &App) -> Option<String> {
        self.is_private().then(|| self.own_ticket(app))
    }

    /// The answer of a page on which they hear the event, or take part in it.
    pub(crate) fn listened(&self, app: &App, answer: Response) -> Response {
        if self.is_private() || self.event.phase() != Phase::Ended { self.keep(app, answer) } else { answer }
    }

    /// The answer, with what keeps their number.
    pub(crate) fn keep(&self, app: &App, mut answer: Response) -> Response {
        if let Some(value) = self.mark(app) {
            answer.headers_mut().append(header::SET_COOKIE, value);
        }
        answer
    }

    fn mark(&self, app: &App) -> Option<HeaderValue> {
        self.fresh.as_ref().and_then(|secret| HeaderValue::from_str(&set_cookie(app, secret)).ok())
    }

    /// Where their page of the event is, behind what they did there.
    pub(crate) fn page(&self, app: &App) -> String {
        let ticket = self.is_private().then(|| self.shown.clone().or_else(|| ticket::for_listeners(app, &self.event))).flatten();
        format!("{}#part", crate::address::page_path(self.event.id, ticket.as_deref()))
    }
}

/// Who was barred before they signed in is barred as their account, too, so that another browser is no way round. While the stage can't be
/// told, they are refused here all the same.
async fn bar_with_browser(app: &App, event: &Event, account: u64, browser: u64) -> Result<(), Fault> {
    let is_banned = async |number| app.store().is_banned(event.id, [Some(number), None, None]).await.map_err(square::Fault::from);
    if is_banned(browser).await?
        && !is_banned(account).await?
        && let Err(fault) = bar(app, event, account).await
    {
        tracing::warn!(event = %event.id, code = fault.code(), "whoever signed in where they were barred could not be barred elsewhere");
    }
    Ok(())
}

/// The stage lets nobody in with the ticket of this number any more, nor whoever came with it.
///
/// # Errors
/// The stage can't be asked.
pub(crate) async fn bar(app: &App, event: &Event, ticket: u64) -> Result<(), FaultKind> {
    let host = ticket::for_event(app, event, Class::Host);
    match app.shell().order(event.id, &host, Order::Bar(ticket)).await {
        // A stage that is over lets nobody in.
        Ok(()) | Err(FaultKind::EventEnded) => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// What the cookie is called that holds a browser's mark.
pub(crate) fn cookie_name(app: &App) -> &'static str {
    if app.addresses().https() { "__Host-townsquare-visitor" } else { "townsquare-visitor" }
}

/// The browser's mark, if it is one of ours.
fn marked(app: &App, headers: &HeaderMap) -> Option<Secret> {
    cookie(headers, cookie_name(app)).filter(|mark| mark.bytes().is_some_and(|bytes| gate::visitor::is_signed(app.keys(), &bytes)))
}

fn set_cookie(app: &App, secret: &Secret) -> String {
    let secure = if app.addresses().https() { "; Secure" } else { "" };
    let age = COOKIE_DAYS * 24 * 3_600;
    format!("{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}", cookie_name(app), secret.text())
}

/// A hand's number in an address; one that can't be is a hand that is not there.
pub(crate) fn read_hand(text: &str) -> Result<u64, FaultKind> {
    if text.len() == 16 { u64::from_str_radix(text, 16).map_err(|_| FaultKind::NotFound) } else { Err(FaultKind::NotFound) }
}

/// A hand's number as it is written.
pub(crate) fn hand_id(ticket: u64) -> String {
    format!("{ticket:016x}")
}
