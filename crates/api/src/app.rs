//! What every handler holds: the store, the keys, the addresses, and the way outside.

use crate::address::Addresses;
use crate::once::Answers;
use crate::rehearsal::Rehearsal;
use crate::replay::{Kept, Track, Withhold};
use axum::response::Response;
use base::limit::{PASSPHRASE_TRIES_COUNTED_MAX, PASSPHRASE_TRIES_PER_ADDRESS_MINUTE_MAX, PASSPHRASE_TRIES_PER_MINUTE_MAX};
use base::{EventId, FaultKind, FragmentNumber, ParticipantId, UnixMillis};
use gate::Keys;
use square::Assembly;
use square::event::Policy;
use square::rate::{Rate, household};
use square::rehearsal::Crowd;
use square::secret::Chance;
use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Event, Store};

/// What is done outside, as a future.
pub type Doing<'a, T = ()> = Pin<Box<dyn Future<Output = Result<T, FaultKind>> + Send + 'a>>;

/// What the stage is told to do with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Open the programme.
    GoLive,
    /// End the event.
    End,
    /// Let nobody in who comes with this ticket, and have those leave who are there.
    Bar(u64),
}

/// What is done outside this crate: files and other roles.
pub trait Shell: Send + Sync + 'static {
    /// Makes an event known to stage and relays, new or changed, once its row is committed.
    fn announce<'a>(&'a self, event: &'a Event) -> Doing<'a>;

    /// An uploaded picture drawn anew: a JPEG without metadata, no larger than pages need.
    fn redraw(&self, bytes: Vec<u8>) -> Doing<'_, Vec<u8>>;

    /// Keeps the picture of an event, or removes it.
    fn keep_picture(&self, event: EventId, jpeg: Option<Vec<u8>>) -> Doing<'_>;

    /// The picture of an event.
    fn picture(&self, event: EventId) -> Doing<'_, Vec<u8>>;

    /// The card by which an event's link is previewed, as PNG: its picture, or its title and a line. One is kept, under its key.
    fn card<'a>(&'a self, event: &'a Event, key: String, line: String) -> Doing<'a, Vec<u8>>;

    /// Makes it known that an event was taken back, and removes what lies in its directory.
    fn withdraw(&self, event: EventId) -> Doing<'_>;

    /// A passphrase's hash; slow on purpose, so few are made at once.
    fn lock(&self, passphrase: String) -> Doing<'_, String>;

    /// Whether a passphrase is the one that was hashed; as slow.
    fn unlock(&self, passphrase: String, hash: String) -> Doing<'_, bool>;

    /// Tells the stage what to do; `ticket` is a host's. Done once the stage has acknowledged it and the row says so.
    fn order<'a>(&'a self, event: EventId, ticket: &'a str, order: Order) -> Doing<'a>;

    /// Sends a crowd to a stage that is like this event's, and tells nobody of it. Done once it is on its way.
    fn rehearse(&self, event: EventId, crowd: Crowd) -> Doing<'_>;

    /// Calls this event's crowd back, when there is one.
    fn end_rehearsal(&self, event: EventId) -> Doing<'_>;

    /// What happened when in an ended event (docs/formats.md, "Moments").
    fn moments(&self, event: EventId) -> Doing<'_, Vec<u8>>;

    /// Silences these fragments of an ended event's recording for good. Done once everybody who asks from then on gets it so.
    fn cut(&self, event: EventId, ranges: Vec<Range<FragmentNumber>>) -> Doing<'_>;

    /// Hides a recording, shows it again or deletes it.
    fn withhold(&self, event: EventId, what: Withhold) -> Doing<'_>;

    /// Does this to its end although nobody waits for the answer any more.
    fn see_through(&self, work: Doing<'static, Response>) -> Doing<'static, Response>;

    /// What becomes of a recording by itself.
    fn kept(&self, event: EventId) -> Kept;

    /// Each speaker's own track of an ended event, in the order in which they came.
    fn tracks(&self, event: EventId) -> Doing<'_, Vec<Track>>;

    /// Where a speaker's track is, if it is.
    fn track(&self, event: EventId, participant: ParticipantId) -> PathBuf;

    /// How this event's rehearsals stand.
    fn rehearsal(&self, event: EventId) -> Doing<'_, Rehearsal>;

    /// The page that the last crowd's conductor drew.
    fn rehearsal_report(&self, event: EventId) -> Doing<'_, Vec<u8>>;
}

/// What the binary decides.
pub struct Config {
    /// The rows.
    pub store: Store,
    /// The ticket keys.
    pub keys: Keys,
    /// How people reach what.
    pub addresses: Addresses,
    /// The wall clock.
    pub now: fn() -> UnixMillis,
    /// Chance for secrets and ids.
    pub chance: fn() -> Chance,
    /// What the operator decided for the whole square.
    pub policy: Policy,
    /// The way outside.
    pub shell: Arc<dyn Shell>,
    /// The audiences: what they send is told to the stage by whoever holds the other end.
    pub assembly: Arc<Mutex<Assembly>>,
}

/// What was answered since the start, for `/metrics`.
#[derive(Debug, Default)]
pub struct Counts {
    by_class: [AtomicU64; 5],
    panics: AtomicU64,
}

impl Counts {
    pub(crate) fn answered(&self, status: u16) {
        if let Some(class) = self.by_class.get(usize::from(status / 100).wrapping_sub(1)) {
            class.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Answers by class of status: the first is 1xx, the last 5xx.
    #[must_use]
    pub fn by_class(&self) -> [u64; 5] {
        self.by_class.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Requests in which a handler panicked.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }
}

/// The square's HTTP side. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    config: Config,
    /// Passphrases tried, by event and by who tries.
    tries: Mutex<[Rate; 2]>,
    answers: Answers,
    counts: Counts,
}

impl App {
    /// An app over what the binary decided.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let tries = Mutex::new([(); 2].map(|()| Rate::new(60_000, PASSPHRASE_TRIES_COUNTED_MAX)));
        Self(Arc::new(Inner { config, tries, answers: Answers::default(), counts: Counts::default() }))
    }

    /// What was answered since the start.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.0.counts
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.config.store
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.config.keys
    }

    pub(crate) fn addresses(&self) -> &Addresses {
        &self.0.config.addresses
    }

    pub(crate) fn policy(&self) -> Policy {
        self.0.config.policy
    }

    /// Whether one more passphrase may be tried at this event now from this address: whoever tries too often does not keep others out.
    pub(crate) fn may_try(&self, event: EventId, from: Option<IpAddr>) -> bool {
        let event = u128::from(event.to_i64().unsigned_abs());
        let mut tries = self.0.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let [by_event, by_address] = &mut *tries;
        // A network is 64 bits, the high ones or, of version 4, the low ones; so is an event.
        let from = from.map(household).map(|from| (from << 64 | from & (u128::from(u64::MAX) << 64)) | event);
        from.is_none_or(|from| by_address.allows(from, PASSPHRASE_TRIES_PER_ADDRESS_MINUTE_MAX, self.now()))
            && by_event.allows(event, PASSPHRASE_TRIES_PER_MINUTE_MAX, self.now())
    }

    pub(crate) fn answers(&self) -> &Answers {
        &self.0.answers
    }

    pub(crate) fn shell(&self) -> &dyn Shell {
        &*self.0.config.shell
    }

    pub(crate) fn assembly(&self) -> MutexGuard<'_, Assembly> {
        self.0.config.assembly.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> UnixMillis {
        (self.0.config.now)()
    }

    pub(crate) fn chance(&self) -> Chance {
        (self.0.config.chance)()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}
