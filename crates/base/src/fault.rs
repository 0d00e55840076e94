//! What can be wrong with a request, as a closed list with stable codes.

/// One kind of fault. Its [`code`](FaultKind::code) is part of the API and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The request can't be understood: its form is wrong.
    BadRequest,
    /// The session description can't be understood.
    BadSdp,
    /// The offer has no audio in a codec that the stage speaks.
    NoCommonCodec,
    /// Nobody said who they are.
    NotSignedIn,
    /// The ticket is forged, of another event, or not of this server.
    BadTicket,
    /// The ticket was good once.
    TicketExpired,
    /// The one-time link was used already or is too old.
    LinkSpent,
    /// The invite was taken back.
    InviteRevoked,
    /// The event has as many invites as one may have.
    InvitesFull,
    /// The invite has no name, or one that is too long; or its note is.
    InviteUnusable,
    /// Who asks may not do this.
    Forbidden,
    /// The page's own protection against forged forms did not match.
    BadCsrf,
    /// There is nothing at this address.
    NotFound,
    /// There is no such event.
    EventUnknown,
    /// The event has not begun.
    EventNotLive,
    /// The event is over.
    EventEnded,
    /// The fragment, part or segment is no longer or not yet there.
    MediaGone,
    /// The recording was hidden or deleted by who runs the event.
    ReplayWithheld,
    /// There is no replay that could be changed or shown.
    NoReplay,
    /// From and to are no times of the replay, or too near each other.
    RangeUnusable,
    /// The event has as many clips as it can have.
    ClipsFull,
    /// The address exists, the method does not.
    MethodNotAllowed,
    /// No more people fit on the stage.
    StageFull,
    /// This microphone is being recorded for a check already.
    CheckRunning,
    /// No more events fit on this machine.
    EventsFull,
    /// The stage is locked.
    StageLocked,
    /// No microphone was heard since it was connected.
    MicrophoneSilent,
    /// The debate clock can't be set like that.
    BadClock,
    /// The time that the debate clock gives is spent.
    TimeSpent,
    /// No more tickets can be banned from the event.
    BanFull,
    /// The same name is taken already.
    NameTaken,
    /// The name has characters or a length that can't be.
    NameUnusable,
    /// The title is empty.
    TitleMissing,
    /// The title is too long.
    TitleTooLong,
    /// The description is too long.
    DescriptionTooLong,
    /// The language's tag can't be one.
    LanguageUnusable,
    /// What was uploaded is no picture that can be used.
    PictureUnusable,
    /// A number of minutes can't be.
    MinutesUnusable,
    /// A passphrase is too short or too long.
    PassphraseUnusable,
    /// The list of guests is too long or names nobody.
    GuestsUnusable,
    /// A series can't be repeated like that.
    SeriesUnusable,
    /// The event is private and lets in who knows its passphrase.
    PassphraseNeeded,
    /// That was not the passphrase.
    PassphraseWrong,
    /// The event has begun: its announcement stands.
    EventBegun,
    /// Somebody has announced as many events as they may.
    EventsAheadFull,
    /// A time could not be read.
    BadTime,
    /// The start has passed.
    StartPast,
    /// The start is further ahead than anybody plans.
    StartFar,
    /// As many hands wait as one event holds.
    HandsFull,
    /// The event takes no raised hands.
    HandsClosed,
    /// As many hands wait from one network as may.
    HandsOfNetworkFull,
    /// As many new visitors of one network take part as may.
    VisitorsFull,
    /// Nothing that a browser keeps says who votes.
    VisitorUnknown,
    /// The host has excluded this ticket, account or invite.
    Barred,
    /// What is to be said is empty.
    TextMissing,
    /// What is to be said is too long.
    TextTooLong,
    /// As many questions were asked as one event holds.
    QuestionsFull,
    /// A poll has too few or too many answers.
    PollAnswers,
    /// Another poll is open.
    PollOpen,
    /// The poll takes no votes any more.
    PollClosed,
    /// As many polls were held as one event holds.
    PollsFull,
    /// As many pins are on the page as fit.
    PinsFull,
    /// A pin's link leads nowhere.
    PinAddress,
    /// The crowd asked for is none that a page sends.
    RehearsalTooLarge,
    /// Another rehearsal is on.
    RehearsalRunning,
    /// The event has begun: its audience is there.
    RehearsalLate,
    /// The body is larger than the limit.
    BodyTooLarge,
    /// The request head is larger than the limit.
    HeadTooLarge,
    /// The body's type is not what this address takes.
    WrongMediaType,
    /// The asked range lies outside.
    RangeUnsatisfiable,
    /// Too many requests; try later.
    TooManyRequests,
    /// A role that is needed for this is not running.
    RoleDown,
    /// The disk takes nothing.
    DiskFull,
    /// Our own fault.
    Internal,
}

impl FaultKind {
    /// The stable code, as `code` in problem+json.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status (RFC 9110).
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// One plain sentence for people: what is wrong and what to do.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::BadRequest => ("bad-request", 400, "The request can't be understood. Check its form."),
            Self::BadSdp => ("bad-sdp", 400, "The session description can't be read. Send an SDP offer with one audio line."),
            Self::NoCommonCodec => ("no-common-codec", 422, "The offer has no Opus audio. Turn Opus on in what you send with."),
            Self::NotSignedIn => ("not-signed-in", 401, "Sign in first."),
            Self::BadTicket => ("bad-ticket", 401, "This link is not valid here. Ask the host for a new one."),
            Self::TicketExpired => ("ticket-expired", 401, "This link has expired. Ask the host for a new one."),
            Self::LinkSpent => ("link-spent", 410, "This one-time link was used already or is too old. Ask for a new one."),
            Self::InviteRevoked => ("invite-revoked", 401, "This invite was taken back. Ask the host for a new one."),
            Self::InvitesFull => {
                ("invites-full", 409, "This event has 200 invites, as many as it may have. Use the link for all speakers.")
            }
            Self::InviteUnusable => ("invite-unusable", 422, "An invite needs a name of 1 to 40 characters, and its note has 200 at most."),
            Self::Forbidden => ("forbidden", 403, "You may not do this here."),
            Self::BadCsrf => ("bad-csrf", 403, "The form is too old. Load the page again and repeat."),
            Self::NotFound => ("not-found", 404, "There is nothing here. Check the address."),
            Self::EventUnknown => ("event-unknown", 404, "There is no such event. Check the link."),
            Self::EventNotLive => ("event-not-live", 404, "This event has not begun. Its page says when it does."),
            Self::EventEnded => ("event-ended", 410, "This event is over. If it was live, its page has the replay."),
            Self::MediaGone => ("media-gone", 404, "This part of the programme is not here. Load the playlist again."),
            Self::ReplayWithheld => ("replay-withheld", 410, "The recording of this event is not public."),
            Self::NoReplay => ("no-replay", 409, "There is no replay: the event is not over, nothing was recorded, or it was deleted."),
            Self::RangeUnusable => {
                ("range-unusable", 422, "Give two times within the replay, like 1:05 and 12:30, at least five seconds apart.")
            }
            Self::ClipsFull => ("clips-full", 409, "This event has as many clips as it can have. Delete one first."),
            Self::MethodNotAllowed => ("method-not-allowed", 405, "This address does not take this method."),
            Self::StageFull => ("stage-full", 409, "The stage is full. Ask the host to make room."),
            Self::CheckRunning => {
                ("check-running", 409, "A sound check of this microphone is running. Wait until its five seconds are over.")
            }
            Self::EventsFull => ("events-full", 503, "This machine holds no more live events. End one first."),
            Self::StageLocked => ("stage-locked", 409, "The stage is locked. Ask the host to open it."),
            Self::MicrophoneSilent => {
                ("microphone-silent", 409, "No microphone on stage has been heard yet. Say something, or go live all the same.")
            }
            Self::BadClock => {
                ("bad-clock", 422, "A debate clock has 1 to 16 budgets of 1 second to 4 hours, each for people who are here.")
            }
            Self::TimeSpent => ("time-spent", 409, "Your time is spent. The host can give you more."),
            Self::BanFull => ("ban-full", 409, "No more tickets can be banned from this event. Remove them, and lock the stage."),
            Self::NameTaken => ("name-taken", 409, "This name is taken. Choose another."),
            Self::NameUnusable => ("name-unusable", 422, "A name has 1 to 30 letters, digits or underscores."),
            Self::TitleMissing => ("title-missing", 422, "The event needs a title."),
            Self::TitleTooLong => ("title-too-long", 422, "The title is too long: 120 characters at most."),
            Self::DescriptionTooLong => ("description-too-long", 422, "The description is too long: 4,000 characters at most."),
            Self::LanguageUnusable => {
                ("language-unusable", 422, "This is no language. Choose one of the list, or write its tag, like pt-BR.")
            }
            Self::PictureUnusable => ("picture-unusable", 422, "This is no PNG, JPEG or WebP picture of up to 12 MB."),
            Self::MinutesUnusable => ("minutes-unusable", 422, "Name 1 to 120 minutes."),
            Self::PassphraseUnusable => ("passphrase-unusable", 422, "A passphrase has 8 to 128 characters."),
            Self::GuestsUnusable => ("guests-unusable", 422, "Somebody on this list has no account here, or they are more than 200."),
            Self::SeriesUnusable => ("series-unusable", 422, "A series has a first date and 2 to 52 events. Say how often, or until when."),
            Self::PassphraseNeeded => ("passphrase-needed", 403, "This event is private. It opens with its passphrase."),
            Self::PassphraseWrong => ("passphrase-wrong", 403, "That is not the passphrase. Mind capital letters and spaces."),
            Self::EventBegun => ("event-begun", 409, "This event has begun. What was announced stands."),
            Self::EventsAheadFull => {
                ("events-ahead-full", 409, "You have announced 100 events that are not over. End or delete one first.")
            }
            Self::BadTime => ("bad-time", 422, "The time can't be read. Write it like 2026-11-21T18:00:00Z."),
            Self::StartPast => ("start-past", 422, "This time has passed. Name one that is to come, or none."),
            Self::StartFar => ("start-far", 422, "An event is announced ten years ahead at most."),
            Self::HandsFull => ("hands-full", 409, "So many hands are raised that no more are taken. Try again when some have spoken."),
            Self::HandsClosed => ("hands-closed", 409, "This event takes no raised hands. Ask a question instead."),
            Self::HandsOfNetworkFull => {
                ("hands-of-network-full", 429, "As many hands are raised from your network as may be. Try again when one was taken.")
            }
            Self::VisitorsFull => (
                "visitors-full",
                429,
                "So many new visitors come from your network that no more are counted now. Sign in, or try again later.",
            ),
            Self::VisitorUnknown => (
                "visitor-unknown",
                403,
                "The square did not know your browser yet, so this was not counted. Send it again; votes need the cookie.",
            ),
            Self::Barred => ("barred", 403, "A host has excluded you from this event."),
            Self::TextMissing => ("text-missing", 422, "Nothing is written. Write a few words."),
            Self::TextTooLong => ("text-too-long", 422, "This is too long. Say it in fewer words."),
            Self::QuestionsFull => ("questions-full", 409, "So many questions were asked that no more are taken. Vote for one of them."),
            Self::PollAnswers => ("poll-answers", 422, "A poll has 2 to 6 answers, each of them another."),
            Self::PollOpen => ("poll-open", 409, "A poll is open. Close it first."),
            Self::PollClosed => ("poll-closed", 409, "This poll is closed. It takes no votes any more."),
            Self::PollsFull => ("polls-full", 409, "This event has had as many polls as it can hold."),
            Self::PinsFull => ("pins-full", 409, "As many pins are on the page as fit. Take one down first."),
            Self::PinAddress => ("pin-address", 422, "A link begins with https:// or http:// and has 300 characters at most."),
            Self::RehearsalTooLarge => ("rehearsal-too-large", 422, "A rehearsal has 1 to 20,000 listeners for 1 to 300 seconds."),
            Self::RehearsalRunning => ("rehearsal-running", 409, "A rehearsal is running on this server. Wait until it is over."),
            Self::RehearsalLate => ("rehearsal-late", 409, "This event has begun. A crowd rehearses before the audience comes."),
            Self::BodyTooLarge => ("body-too-large", 413, "The body is too large."),
            Self::HeadTooLarge => ("head-too-large", 431, "The request's headers are too large."),
            Self::WrongMediaType => ("wrong-media-type", 415, "This address takes another type of body."),
            Self::RangeUnsatisfiable => ("range-unsatisfiable", 416, "The file is shorter than the range asked for."),
            Self::TooManyRequests => ("too-many-requests", 429, "Too many requests. Wait a moment."),
            Self::RoleDown => ("role-down", 503, "A part of the server is starting. Try again in a moment."),
            Self::DiskFull => ("disk-full", 507, "The server's disk is full or can't be written. Free space on it, then try again."),
            Self::Internal => ("internal", 500, "Something went wrong on our side. It has been noted."),
        }
    }
}
