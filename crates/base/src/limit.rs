//! Every limit of the house, with its unit last in its name and the answer when it is reached beside it.

/// People with a microphone on one stage; the last place is a host's while no host is there. Answer: 409 `stage-full`.
pub const SPEAKERS_PER_EVENT_MAX: usize = 16;

/// Sessions of every kind (console, WHIP, WHEP) on one stage. Answer: the oldest that belongs to no place and to no host gives way to a
/// console, a microphone or a host; 409 `stage-full` when there is none, and for one more who only hears.
pub const SESSIONS_PER_EVENT_MAX: usize = 48;

/// Events live in one stage process. Answer: 503 `events-full`.
pub const LIVE_EVENTS_MAX: usize = 64;

/// Characters of an event's title. Answer: 422 `title-too-long`.
pub const TITLE_CHARS_MAX: usize = 120;

/// Characters of an event's description. Answer: 422 `description-too-long`.
pub const DESCRIPTION_CHARS_MAX: usize = 4_000;

/// Bytes of a picture that is uploaded. Answer: 422 `picture-unusable`, beside its field, with all that was typed.
pub const PICTURE_BYTES_MAX: usize = 12 * 1024 * 1024;

/// Bytes of a form with a picture: what is over the picture's limit is read and thrown away, so that the answer is heard. Answer: 413 `body-too-large`.
pub const PICTURE_UPLOAD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Pixels of a side of a picture that is uploaded. Answer: 422 `picture-unusable`.
pub const PICTURE_UPLOAD_SIDE_PIXELS_MAX: u32 = 8_192;

/// Bytes of memory that reading a picture may take. Answer: 422 `picture-unusable`.
pub const PICTURE_MEMORY_BYTES_MAX: u64 = 192 * 1024 * 1024;

/// Pixels of a side of a picture as it is kept. Answer: it is scaled down.
pub const PICTURE_SIDE_PIXELS_MAX: u32 = 1_600;

/// Pixels of the card by which a link is previewed, across and down.
pub const CARD_PIXELS: (u32, u32) = (1_200, 630);

/// Pictures that are read or drawn at once. Answer: the others wait.
pub const PICTURES_AT_ONCE_MAX: usize = 1;

/// Minutes before an event's start from which on the square's front reminds who asked for it.
pub const REMINDER_MINUTES: i64 = 15;

/// Reminders that one account keeps. Answer: the front shows those that begin first.
pub const REMINDERS_SHOWN_MAX: u32 = 100;

/// Characters of a language's tag (RFC 5646, section 4.4.1). Answer: 422 `language-unusable`.
pub const LANGUAGE_CHARS_MAX: usize = 35;

/// Minutes with nobody on stage after which an event may end by itself, at most; one at least. Answer: 422 `minutes-unusable`.
pub const EMPTY_MINUTES_MAX: u32 = 120;

/// Characters of an event's passphrase. Answer: 422 `passphrase-unusable`.
pub const PASSPHRASE_CHARS_MAX: usize = 128;

/// Fewest characters of an event's passphrase: with [`PASSPHRASE_TRIES_PER_ADDRESS_MINUTE_MAX`] nobody guesses it. Answer: 422 `passphrase-unusable`.
pub const PASSPHRASE_CHARS_MIN: usize = 8;

/// Passphrases that one network address may try at one event in a minute. Answer: 429 `too-many-requests`.
pub const PASSPHRASE_TRIES_PER_ADDRESS_MINUTE_MAX: u32 = 20;

/// Passphrases that may be tried at one event in a minute, whoever tries: far more than guests type, and what this machine can hash. Answer:
/// as above.
pub const PASSPHRASE_TRIES_PER_MINUTE_MAX: u32 = 1_000;

/// Events, and addresses at events, whose tries are counted in one minute. Answer: as above.
pub const PASSPHRASE_TRIES_COUNTED_MAX: usize = 65_536;

/// Passphrases that are hashed at once: each takes 19 MiB and a core. Answer: the others wait.
pub const PASSPHRASES_AT_ONCE_MAX: usize = 2;

/// Accounts on an event's list of guests. Answer: 422 `guests-unusable`.
pub const GUESTS_MAX: usize = 200;

/// Events of one series. Answer: 422 `series-unusable`.
pub const SERIES_EVENTS_MAX: usize = 52;

/// Events of one account that are not over, administrators' apart. Answer: 409 `events-ahead-full`.
pub const EVENTS_OPEN_PER_ACCOUNT_MAX: u64 = 100;

/// Hands that wait in one event. Answer: 409 `hands-full`.
pub const HANDS_WAITING_MAX: usize = 100;

/// Minutes that an event's start may have passed when it is announced: who is late announces all the same. Answer: 422 `start-past`.
pub const START_PAST_MINUTES_MAX: i64 = 60;

/// Days until an event's start: ten years. Answer: 422 `start-far`.
pub const START_AHEAD_DAYS_MAX: i64 = 3_653;

/// Characters of a name shown on stage. Answer: cut at the limit, for a name is never a reason to be silent.
pub const STAGE_NAME_CHARS_MAX: usize = 40;

/// Invites of one event, those taken back included. Answer: 409 `invites-full`.
pub const INVITES_PER_EVENT_MAX: u32 = 200;

/// Characters of what a host notes about an invite. Answer: 422 `invite-unusable`.
pub const INVITE_NOTE_CHARS_MAX: usize = 200;

/// Characters of an account's name. Answer: 422 `name-unusable`.
pub const ACCOUNT_NAME_CHARS_MAX: usize = 30;

/// Characters of what somebody who raises a hand wants to speak about. Answer: 422 `text-too-long`.
pub const TOPIC_CHARS_MAX: usize = 120;

/// Questions asked in one event. Answer: 409 `questions-full`.
pub const QUESTIONS_PER_EVENT_MAX: usize = 500;

/// Characters of a question. Answer: 422 `text-too-long`.
pub const QUESTION_CHARS_MAX: usize = 280;

/// Polls of one event. Answer: 409 `polls-full`.
pub const POLLS_PER_EVENT_MAX: usize = 50;

/// Answers that a poll offers at least, and at most. Answer: 422 `poll-answers`.
pub const POLL_ANSWERS_MIN: usize = 2;
/// See [`POLL_ANSWERS_MIN`].
pub const POLL_ANSWERS_MAX: usize = 6;

/// Characters of a poll's question. Answer: 422 `text-too-long`.
pub const POLL_QUESTION_CHARS_MAX: usize = 140;

/// Characters of one of its answers. Answer: 422 `text-too-long`.
pub const POLL_ANSWER_CHARS_MAX: usize = 60;

/// Pins on one event's page at once. Answer: 409 `pins-full`.
pub const PINS_PER_EVENT_MAX: usize = 20;

/// Characters of a pin. Answer: 422 `text-too-long`.
pub const PIN_CHARS_MAX: usize = 140;

/// Characters of a pin's link. Answer: 422 `pin-address`.
pub const PIN_ADDRESS_CHARS_MAX: usize = 300;

/// Reactions a second taken from one visitor, and from one network address (a household, a campus). Answer: 429 `too-many-requests`, which
/// the page does not show: what is left out is not missed.
pub const REACTIONS_PER_VISITOR_SECOND_MAX: u32 = 4;
/// See [`REACTIONS_PER_VISITOR_SECOND_MAX`].
pub const REACTIONS_PER_ADDRESS_SECOND_MAX: u32 = 40;

/// Hands, votes and questions a minute taken from one visitor, and from one network address. Answer: 429 `too-many-requests`.
pub const PARTS_PER_VISITOR_MINUTE_MAX: u32 = 30;
/// See [`PARTS_PER_VISITOR_MINUTE_MAX`].
pub const PARTS_PER_ADDRESS_MINUTE_MAX: u32 = 600;

/// Visitors without an account who take part from one network address in an hour: a lecture hall, but not whoever makes visitors up.
/// Answer: 429 `visitors-full`.
pub const VISITORS_PER_ADDRESS_HOUR_MAX: u32 = 600;

/// Hands that wait in one event, raised from one network address without an account. Answer: 429 `hands-of-network-full`.
pub const HANDS_WAITING_PER_ADDRESS_MAX: usize = 10;

/// Hands a minute raised from one network address. Answer: 429 `too-many-requests`.
pub const HANDS_PER_ADDRESS_MINUTE_MAX: u32 = 20;

/// Answers that are given again to who sends the same form or the same `Idempotency-Key` once more, the milliseconds for which they are, and
/// bytes of one. Answer: the oldest are forgotten, and what is sent again is done again.
pub const ANSWERS_KEPT_MAX: usize = 4_096;
/// See [`ANSWERS_KEPT_MAX`].
pub const ANSWERS_KEPT_MILLIS: i64 = 3_600_000;
/// See [`ANSWERS_KEPT_MAX`].
pub const ANSWER_KEPT_BYTES_MAX: usize = 64 * 1024;

/// Visitors and addresses whose requests are counted at once. Answer: 429 `too-many-requests` to who comes besides, until the second or the
/// minute is over.
pub const RATES_COUNTED_MAX: usize = 200_000;

/// Bytes of an SDP offer. Answer: 413 `body-too-large`.
pub const SDP_BYTES_MAX: usize = 64 * 1024;

/// Bytes of any other request body. Answer: 413 `body-too-large`.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a listener's request head. Answer: 431 and the connection closes.
pub const REQUEST_HEAD_BYTES_MAX: usize = 8 * 1024;

/// Milliseconds a client may take to send its request head. Answer: the connection closes.
pub const REQUEST_HEAD_MILLIS_MAX: u64 = 10_000;

/// Bytes of one datagram or of one RFC 4571 frame from a speaker. Answer: dropped and counted.
pub const DATAGRAM_BYTES_MAX: usize = 2_000;

/// Packets a second taken from one speaker (Opus at 20 ms needs 50). Answer: the rest is dropped and counted.
pub const PACKETS_PER_SECOND_MAX: u32 = 400;

/// Milliseconds of sound that a jitter buffer holds at most. Answer: it skips ahead, oldest first.
pub const JITTER_MILLIS_MAX: u64 = 400;

/// Milliseconds without a packet after which a speaker's session is given up. Answer: the place is held, the session closes.
pub const SESSION_SILENT_MILLIS_MAX: u64 = 10_000;

/// Milliseconds a place on stage is held for somebody whose microphone was connected and is gone. Answer: it is given up; on a full stage a
/// host takes the longest absent one at once.
pub const PLACE_HELD_MILLIS_MAX: u64 = 60_000;

/// Tickets banned from one event. Answer: 409 `ban-full`.
pub const BARRED_TICKETS_MAX: usize = 1_024;

/// Accounts, and as many browsers, that a ban of one ticket covers, of those that came with it. Answer: the first are kept.
pub const BEARERS_PER_TICKET_MAX: u32 = 8;

/// Raised hands of one event whose answer is kept. Answer: the oldest answer is forgotten.
pub const HANDS_ANSWERED_MAX: usize = 1_024;

/// Budgets of a debate clock. Answer: 422 `bad-clock`.
pub const CLOCK_BUDGETS_MAX: usize = 16;

/// Seconds of a debate clock's budget: four hours. Answer: 422 `bad-clock`.
pub const CLOCK_SECONDS_MAX: u64 = 4 * 3_600;

/// Milliseconds before the end of a budget at which the chime sounds.
pub const CLOCK_CHIME_MILLIS: u64 = 10_000;

/// Milliseconds for which nobody in charge is there before the next in the order of succession is.
pub const SUCCESSION_MILLIS: u64 = 15_000;

/// Milliseconds without a microphone on stage after which listeners hear the hold sound: longer than a restart of the stage takes.
pub const HOLD_AFTER_MILLIS: u64 = 5_000;

/// Milliseconds after the end for which those who were on stage may go on talking among themselves. Answer: they are disconnected.
pub const AFTER_END_MILLIS_MAX: u64 = 30 * 60_000;

/// Milliseconds after the announced start for which the doors stay open for a host who does not come. Answer: the event ends.
pub const HOST_LATE_MILLIS_MAX: u64 = 6 * 3_600_000;

/// Milliseconds for which the replay goes on when nobody is on stage any more until the end.
pub const HEARD_AFTER_LEAVING_MILLIS: u64 = 1_000;

/// Milliseconds between two notes of how long everybody has spoken: what a crash of the stage forgets at most.
pub const SPOKEN_NOTED_MILLIS: u64 = 2_000;

/// People whose time is shown to who is on stage. Answer: those who spoke least are left out.
pub const SPOKEN_SHOWN_MAX: usize = 100;

/// People whose time listeners are told. Answer: those who spoke least are left out.
pub const SPOKEN_TOLD_MAX: usize = 6;

/// Seconds of the programme that one order silences. Answer: 400 `bad-request`.
pub const CUT_SECONDS_MAX: u64 = 600;

/// Characters of the name that a client gives itself across reconnections. Answer: 400 `bad-request`.
pub const CLIENT_KEY_CHARS_MAX: usize = 64;

/// Fewest characters of that name, so that nobody guesses it. Answer: 400 `bad-request`.
pub const CLIENT_KEY_CHARS_MIN: usize = 16;

/// Requests and reports that wait for the stage's control thread. Answer: 429 `too-many-requests` for a request; a report is dropped and counted.
pub const STAGE_QUEUE_REQUESTS_MAX: usize = 1_024;

/// Messages that wait for the stage's network thread. Answer: media is dropped and counted, as a network would.
pub const NETWORK_QUEUE_MESSAGES_MAX: usize = 8_192;

/// Packets and orders that wait for the mixing thread. Answer: packets are dropped and counted, orders wait outside.
pub const MIXER_QUEUE_ORDERS_MAX: usize = 2_048;

/// Mixed ticks on their way through one encoder thread. Answer: the mixer waits and catches up, so that no programme time is left out.
pub const ENCODER_QUEUE_TICKS_MAX: usize = 96;

/// Speakers of one event who are recorded each by themselves. Answer: who comes later is in the programme alone.
pub const TRACKS_PER_EVENT_MAX: usize = 256;

/// Milliseconds of a microphone that a sound check records.
pub const CHECK_MILLIS: u64 = 5_000;

/// Packets that wait for the disk. Answer: dropped and counted; silence or a gap in the numbers takes their place.
pub const RECORDER_QUEUE_PACKETS_MAX: usize = 16_384;

/// Connections to the stage for HTTP, and those that have not said yet what they are for. An address may hold no more of these, and
/// of the kinds below, than are still free. Answer: a new one is closed at once and counted; the log says so.
pub const STAGE_CONNECTIONS_MAX: usize = 4_096;

/// TCP connections to the stage for media. Answer: a new one is closed at once and counted; the log says so.
pub const STAGE_MEDIA_CONNECTIONS_MAX: usize = 4_096;

/// Milliseconds in which a TCP connection for media must name a session and prove that it may. Answer: the connection closes, as it
/// does with its session.
pub const MEDIA_INTRODUCTION_MILLIS_MAX: u64 = 10_000;

/// Frames that wait for one ICE-TCP connection. Answer: dropped and counted, as a network would.
pub const TCP_QUEUE_FRAMES_MAX: usize = 64;

/// Remote addresses from which one session has been heard. Answer: a packet from one more is dropped.
pub const ADDRESSES_PER_SESSION_MAX: usize = 16;

/// Lines of a console's control stream that wait to be sent. Answer: the stream ends and the console asks for a new one.
pub const CONSOLE_QUEUE_LINES_MAX: usize = 64;

/// Bytes of the live facts in one `emsg` box. Answer: what does not fit waits for the next fragment.
pub const FACTS_BYTES_MAX: usize = 1_024;

/// Milliseconds between what is sealed and what is on disk for certain.
pub const SYNC_BEHIND_MILLIS_MAX: u64 = 1_000;

/// Fragments that a new epoch leaves out after a power loss, so that no number is ever used twice:
/// more than what [`SYNC_BEHIND_MILLIS_MAX`] can lose.
pub const EPOCH_NUMBER_GAP: u64 = 10;

/// Milliseconds of programme that a new epoch leaves out at most for what was in memory when the power failed. The wall clock
/// alone tells how much that was, and it counts the time without power too, which would be silence in the replay.
/// Twice what a live playlist holds: no player and no cache asks for anything older. Answer: older numbers come again, in a new epoch.
pub const UNKEPT_MILLIS_MAX: u64 = 600_000;

/// Milliseconds of silence after which a role is killed and replaced.
pub const ROLE_SILENT_MILLIS_MAX: u64 = 1_000;

/// Milliseconds from a role's start to its first beat. Answer: killed and replaced.
pub const ROLE_START_MILLIS_MAX: u64 = 5_000;

/// Milliseconds a role may take to finish when it is told to stop. Answer: terminated, then killed.
pub const ROLE_STOP_MILLIS_MAX: u64 = 5_000;

/// Milliseconds between the starts of a role that dies again and again.
pub const ROLE_RESTART_MILLIS_MAX: u64 = 5_000;

/// Milliseconds a role may take to answer on the internal address. Answer: 503.
pub const ASK_MILLIS_MAX: u64 = 2_000;

/// Questions on the internal address that wait for roles at once. Answer: 503.
pub const ASKS_MAX: usize = 256;

/// Bytes of one line on the role link. Answer: the connection closes and the role opens a new one.
pub const LINK_LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Lines that wait on one end of a role link. Answer: facts are lost; those that stand are said again.
pub const LINK_LINES_MAX: usize = 1_024;

/// Relay workers on one machine. Answer: when all are full, newcomers wait until somebody leaves, and the log says what to raise.
pub const RELAY_WORKERS_MAX: usize = 64;

/// Share of every relay worker's descriptors in use, in percent, at which one more worker is started: what is left takes those who
/// join until it runs.
pub const WORKERS_FILLING_PERCENT: u64 = 70;

/// Share of a relay worker's descriptors in use, in percent, at which it stops accepting. Answer: an emptier worker accepts.
pub const WORKER_FULL_PERCENT: u64 = 95;

/// Share of a slot's 200 ms that one pass over the listeners who are due may take, in percent. Answer: a slower cadence.
pub const PASS_PERCENT_MAX: u64 = 60;

/// Share of a slot's 200 ms below which the same pass at the next quicker cadence must stay, in percent, for [`PASS_CALM_MILLIS`]
/// before that cadence is taken up: half of what makes a worker slow down, so that it does not go to and fro.
pub const PASS_PERCENT_CALM: u64 = 30;

/// Milliseconds for which a quicker cadence must have been possible before it is taken up.
pub const PASS_CALM_MILLIS: u64 = 20_000;

/// How much slower a player plays at most while it fills its store for a slower cadence, in percent: nobody hears it.
pub const PLAYER_SLOWDOWN_PERCENT: u64 = 8;

/// Milliseconds besides the time that this takes, and a quarter of it, before a slower cadence that was announced holds.
pub const CADENCE_NOTICE_MILLIS: u64 = 2_000;

/// Milliseconds of programme, besides the cadence, that a listener may lag behind before it is moved to the live edge.
pub const LISTENER_BEHIND_MILLIS_MAX: u64 = 30_000;

/// Milliseconds of programme that an endless stream may begin in the past (`from=-SECONDS` while live).
pub const REWIND_MILLIS_MAX: u64 = 6 * 3_600_000;

/// Milliseconds in which a listener must take what is sent at once before it is given up: a paused player comes back by itself.
/// Answer: the connection closes.
pub const LISTENER_STALLED_MILLIS_MAX: u64 = 120_000;

/// Milliseconds that a connection may be silent between two requests (the stage, and the square over HTTP/1.1: that of
/// [`REQUEST_HEAD_MILLIS_MAX`]). Answer: the connection closes.
pub const CONNECTION_SILENT_MILLIS_MAX: u64 = 30_000;

/// Milliseconds that a blocking playlist or a hinted part is held for: three segments (RFC 8216bis, section 6.2.5.2).
/// Answer: 503 `role-down`.
pub const HOLD_MILLIS_MAX: u64 = 18_000;

/// Milliseconds for which a request to an event that is live, but of which nothing is published yet, is held.
pub const OPENING_HOLD_MILLIS_MAX: u64 = 2_000;

/// Milliseconds for which a request that waits for an event to begin (`wait=1`) is held: less than proxies take for dead.
/// Answer: 404 `event-not-live`, and it comes again.
pub const WAITING_HOLD_MILLIS_MAX: u64 = 25_000;

/// Milliseconds before the doors open from which on such a request is held; earlier nobody keeps a connection for it.
pub const WAITING_NEAR_MILLIS: u64 = 600_000;

/// Seconds after which who waits longer than that looks whether the event begins early.
pub const WAITING_LOOK_SECONDS_MAX: u64 = 60;

/// Seconds after which who waits looks again at a worker that has no descriptors left to hold requests: from
/// [`WORKERS_FILLING_PERCENT`] on they are for who listens.
pub const WAITING_CROWDED_SECONDS: u64 = 15;

/// Records sealed with one key of a TLS connection (RFC 8446, section 5.5, allows 2^24.5). Answer: new keys by `KeyUpdate`; a
/// connection with TLS 1.2 closes.
pub const TLS_RECORDS_PER_KEY_MAX: u64 = 1 << 24;

/// New keys that one listener may announce. Answer: the connection closes.
pub const TLS_KEY_UPDATES_MAX: u32 = 1_024;

/// Days before a certificate expires from which on the log says so, once a day.
pub const CERTIFICATE_WARNING_DAYS: i64 = 14;

/// Steps of TLS handshakes in one turn of a relay worker: each costs as much as a hundred sends. Answer: the others wait a turn.
pub const TLS_HANDSHAKES_PER_TURN_MAX: usize = 16;

/// Events that one relay worker keeps open. Answer: the one unused for longest is closed; 503 `events-full` when all are listened to.
pub const RELAY_EVENTS_MAX: usize = 256;

/// Bytes of one fragment that a relay takes from another: far more than one of ours. Answer: the connection is dropped, the next upstream asked.
pub const COPY_FRAGMENT_BYTES_MAX: usize = 16 * 1024;

/// Fragments of the recording that an upstream may leave out at once: what a new epoch leaves out at most, and as much again. Answer: as above, for
/// who has believed a number from far ahead could follow no true one any more.
pub const COPY_NUMBER_GAP_MAX: u64 = 2 * (UNKEPT_MILLIS_MAX / 200 + EPOCH_NUMBER_GAP);

/// Bytes of an event's cuts, or of its public journal, that a relay takes from another. Answer: as above.
pub const COPY_DOCUMENT_BYTES_MAX: usize = 1024 * 1024;

/// Milliseconds without a fragment after which a relay asks the next upstream for a live event.
pub const UPSTREAM_SILENT_MILLIS_MAX: u64 = 2_000;

/// Upstreams of one relay.
pub const UPSTREAMS_MAX: usize = 8;

/// Events that one relay copies at once. Answer: who asks for one more waits, and is told 503 when none becomes free.
pub const COPIES_MAX: usize = 256;

/// Events that a relay looks for at its upstreams at once. Answer: who asks for one more waits.
pub const COPIES_SOUGHT_MAX: usize = 32;

/// Copies kept on disk, those that nobody listens to included. Answer: the one unused for longest is removed.
pub const COPIES_KEPT_MAX: usize = 1_024;

/// Milliseconds that an event unknown upstream is not asked for again.
pub const UNKNOWN_EVENT_MILLIS: u64 = 5_000;

/// Unknown events that a relay worker remembers. Answer: the others are asked for again.
pub const UNKNOWN_EVENTS_MAX: usize = 4_096;

/// Events that the listeners of one relay worker wait for while it is looked for. Answer: 503 `events-full`.
pub const COMING_EVENTS_MAX: usize = 1_024;

/// Milliseconds for which another relay's word about its listeners counts.
pub const LISTENING_MILLIS_MAX: u64 = 5_000;

/// Listeners that another relay may say it has of one rung of one event. Answer: it counts as so many.
pub const LISTENING_MAX: u32 = 100_000_000;

/// Other relays' words about their listeners that one worker keeps. Answer: more are not counted.
pub const LISTENING_SHARES_MAX: usize = 65_536;

/// Blocks of a copy's media that wait to be fetched. Answer: who waits for them is told again a second later.
pub const COPY_FETCHES_MAX: usize = 4_096;

/// Bytes that a copy's window is at least: less would be fetched again and again.
pub const WINDOW_BYTES_MIN: u64 = 4 * 1024 * 1024;

/// HLS clients that one relay worker tells apart. Answer: more are served but not counted.
pub const HLS_CLIENTS_MAX: usize = 20_000;

/// Slots in one HLS segment: 6 s, a multiple of every rung's part.
pub const SLOTS_PER_SEGMENT: u64 = 30;

/// Segments in a live playlist: five minutes.
pub const SEGMENTS_PER_PLAYLIST: u64 = 50;

/// Bytes of a live playlist.
pub const PLAYLIST_BYTES_MAX: usize = 20_000;

/// Bytes of the replay's index header.
pub const REPLAY_HEADER_BYTES_MAX: usize = 50_000;

/// Turns of speech that an ended event's moments name. Answer: neighbours of one person become one.
pub const MOMENTS_TURNS_MAX: usize = 4_096;

/// Points of the curves in an ended event's moments. Answer: a point stands for more seconds.
pub const MOMENTS_POINTS_MAX: usize = 720;

/// Pins that become chapters of a replay. Answer: later ones are left out.
pub const MOMENTS_PINS_MAX: usize = 200;

/// Ended events that one round of the work after the end takes up. Answer: the others wait for the next.
pub const REPLAYS_PER_TURN_MAX: u32 = 64;

/// Seconds that a clip, and what a trim leaves, is long at least. Answer: 422 `range-unusable`.
pub const CLIP_SECONDS_MIN: u64 = 5;

/// Clips of one event. Answer: 409 `clips-full`.
pub const CLIPS_PER_EVENT_MAX: u32 = 500;

/// Days for which replays are kept, when they are not kept for ever: ten years.
pub const KEEP_REPLAYS_DAYS_MAX: u32 = 3_653;

/// Items in a podcast feed. Answer: older ones are left out.
pub const FEED_ITEMS_MAX: u32 = 100;

/// Bytes of an ended event's moments.
pub const MOMENTS_BYTES_MAX: usize = 512 * 1024;

/// Bytes of live-only sound kept in memory when the disk is full.
pub const SPILL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Connections that the square serves at once. Answer: the next ones wait to be accepted; of an address that holds as many as are
/// still free a new one is closed at once and counted; the log says so.
pub const SQUARE_CONNECTIONS_MAX: usize = 2_048;

/// Connections to the internal address. Answer: as above.
pub const INTERNAL_CONNECTIONS_MAX: usize = 256;

/// Milliseconds that the square takes for one request, its body included, and that who is sent an answer may take for its rest on a
/// connection that is to close. Answer: 408 and the connection closes.
pub const SQUARE_REQUEST_MILLIS_MAX: u64 = 30_000;

/// Milliseconds that the square waits for the stage's word. Answer: 503 `role-down`.
pub const STAGE_ORDER_MILLIS_MAX: u64 = 5_000;

/// Milliseconds that the square goes on with open requests once it is told to stop.
pub const SQUARE_STOP_MILLIS_MAX: u64 = 2_000;

/// Rehearsals that a server runs at once from its pages. Answer: 409 `rehearsal-running`.
pub const REHEARSALS_MAX: usize = 1;

/// Listeners in a rehearsal from a page; more are asked for at the terminal. Answer: 422 `rehearsal-too-large`.
pub const REHEARSAL_LISTENERS_MAX: u32 = 20_000;

/// Seconds that all listen in a rehearsal from a page. Answer: 422 `rehearsal-too-large`.
pub const REHEARSAL_SECONDS_MAX: u32 = 300;

/// Seconds that its crowd may take besides to come and to go. Answer: it is ended, and its page says so.
pub const REHEARSAL_EXTRA_SECONDS_MAX: u32 = 120;

/// Bytes of what a rehearsal says when it fails. Answer: the rest is dropped.
pub const REHEARSAL_WORDS_BYTES_MAX: u64 = 64 * 1024;

/// News that wait for the thread of `speak` that signals. Answer: who tells waits; the stage is read later, the sound goes on late.
pub const SPEAK_QUEUE_NEWS_MAX: usize = 256;

/// Orders that wait for its line's thread, which takes them every 20 ms. Answer: who orders waits.
pub const SPEAK_QUEUE_ORDERS_MAX: usize = 64;

/// Minutes a one-time sign-in link is good for. Answer: 410 `link-spent`.
pub const SIGN_IN_LINK_MINUTES_MAX: i64 = 60;

/// Days a session lives without being used.
pub const SESSION_DAYS_MAX: i64 = 90;

const _: () = {
    assert!(SPEAKERS_PER_EVENT_MAX <= SESSIONS_PER_EVENT_MAX);
    assert!(EPOCH_NUMBER_GAP * 200 > SYNC_BEHIND_MILLIS_MAX);
    // A dozen invites, each with all its accounts and browsers and all their browsers, can be barred.
    assert!(12 * (1 + BEARERS_PER_TICKET_MAX * (2 + BEARERS_PER_TICKET_MAX)) as usize <= BARRED_TICKETS_MAX);
    assert!(UNKEPT_MILLIS_MAX == 2 * SEGMENTS_PER_PLAYLIST * SLOTS_PER_SEGMENT * 200);
    assert!(PASS_PERCENT_CALM * 2 <= PASS_PERCENT_MAX);
    assert!(SLOTS_PER_SEGMENT.is_multiple_of(3) && SLOTS_PER_SEGMENT.is_multiple_of(5));
};
