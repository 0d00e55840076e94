//! How an event is to go, as it was announced.

/// How far behind the sealed end an event is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delay {
    /// At once.
    #[default]
    None,
    /// Five seconds.
    Seconds5,
    /// Ten seconds.
    Seconds10,
}

impl Delay {
    /// The seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Seconds5 => 5,
            Self::Seconds10 => 10,
        }
    }

    /// Reads what [`Delay::seconds`] gave.
    #[must_use]
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        [Self::None, Self::Seconds5, Self::Seconds10].into_iter().find(|delay| delay.seconds() == seconds)
    }
}

/// Who may speak besides hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Speak {
    /// Who is invited, and listeners who raise a hand and are admitted.
    #[default]
    Hands,
    /// Who is invited, nobody else.
    Invited,
}

impl Speak {
    /// Its name, in rows, flags, files and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hands => "hands",
            Self::Invited => "invited",
        }
    }

    /// Reads what [`Speak::name`] gave.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Hands, Self::Invited].into_iter().find(|speak| speak.name() == name)
    }
}

/// How an event is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Who may speak.
    pub speak: Speak,
    /// How far behind it is heard.
    pub delay: Delay,
    /// Whether every speaker is recorded on a track of their own, too; said to everybody beforehand.
    pub record_tracks: bool,
    /// Minutes with nobody on stage after which it ends by itself.
    pub empty_minutes: u32,
    /// Minutes before its start from which on whoever comes hears the hold sound.
    pub doors_minutes: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self { speak: Speak::default(), delay: Delay::default(), record_tracks: false, empty_minutes: 10, doors_minutes: 15 }
    }
}
