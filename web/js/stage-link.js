/**
 * One browser's place on a stage: the control stream, the WebRTC session (WHIP, both directions) and coming back at once when either breaks.
 * Knows no page; says what happened through `said`.
 *
 * The shapes of docs/formats.md, "HTTP of the stage":
 * @typedef {'host' | 'co-host' | 'speaker'} Role
 * @typedef {{ verdict: 'good' | 'fair' | 'bad', words: string, rtt_ms: number | null, loss_percent: number, jitter_ms: number, by: 'udp' | 'tcp' }} Connection
 * @typedef {{ id: number, name: string, role: Role, muted: boolean, muted_by?: 'self' | 'host' | 'clock' | null, here: boolean, backstage?: boolean, ready?: boolean, connection?: Connection | null }} Person
 * @typedef {{ id: string, name: string, topic: string, votes: number, spoke: boolean, since: number }} Hand
 * @typedef {{ mode: 'speaker' | 'side' | 'turn', running: number | null, counts?: boolean, seconds?: number, chime_ms: number,
 *   budgets: { who: number[], name: string, left_ms: number }[] }} Clock
 * @typedef {{ phase: 'backstage' | 'doors' | 'live' | 'ended', since?: number, start_at?: number | null, title: string,
 *   you: { id?: number, role: Role, rules?: boolean, host?: boolean, ready?: boolean, connection?: Connection | null } | null, stage: Person[], listeners: number, alarms: string[],
 *   locked?: boolean, in_charge?: number | null, succession?: number[], hands?: Hand[], hands_open?: boolean, clock?: Clock | null,
 *   spoken?: [number, number, string][] }} StageState
 *
 * What the link says besides: `blocked` names the ports on which no sound gets through; null once it does. `trouble` is what keeps the stage
 * from opening though it answers, in words; empty once it opens.
 * @typedef {{ udp: string[], tcp: string[] }} Ports
 * @typedef {{ state: StageState } | { levels: [number, number][] } | { talking_muted: number } | { link: 'on' | 'lost' } | { refused: string } |
 *   { blocked: Ports | null } | { trouble: string }} Said
 *
 * How an action ended: `fault` is empty when it is done, else what went wrong in words; `code` as in base::fault.
 * @typedef {{ fault: string, code: string, answer: any }} Done
 */

/** The stage says something every second; silence for longer means that it is gone. */
const SILENT_MILLIS = 2000;
const WATCH_MILLIS = 250;
/** How long five seconds of sound may take to be recorded and sent back. */
const CHECK_MILLIS = 20_000;
/** How long a session may take to carry sound before it is asked for anew. */
const CONNECT_MILLIS = 4000;
/** So many sessions in a row that carry nothing are no accident of a busy machine. */
const BLOCKED_FAILURES = 2;
/** Somebody has to make room; until then it is tried again. */
const DISK_FULL = 507;
const KEY = 'townsquare-stage-key';

export class StageLink {
  /** @type {RTCPeerConnection | null} */ #peer = null;
  #session = '';
  #over = new AbortController();
  #heardAt = 0;
  #asking = false;
  #failures = 0;
  /** Sessions in a row that were answered and carried nothing. */
  #silences = 0;
  /** @type {AbortController | null} */ #control = null;
  /** Where the stage's answer says that sound is taken. @type {Ports} */ ports = { udp: [], tcp: [] };
  /** @type {Promise<void>} */ #state;
  /** @type {() => void} */ #stateCame;
  /** Whether who comes anew waits behind the stage: while it is live nobody stumbles on the air. */
  #aside = false;

  /**
   * @param {{ whip: string, console: string, token: string, event: string, name: string, microphone: MediaStreamTrack | null,
   *   said: (said: Said) => void, sound: (stream: MediaStream) => void }} with_
   */
  constructor(with_) {
    this.with = with_;
    /** @type {() => void} */
    this.#stateCame = () => {};
    this.#state = new Promise((resolve) => (this.#stateCame = () => resolve(undefined)));
    this.key = keyOf(with_.event);
  }

  open() {
    const { signal } = this.#over;
    const watch = setInterval(() => this.#watch(), WATCH_MILLIS);
    signal.addEventListener('abort', () => clearInterval(watch));
    addEventListener('online', () => void this.#again(), { signal });
    // What the stage says first tells whether it is live; one that says nothing is asked for a session all the same.
    const first = new Promise((resolve) => signal.addEventListener('abort', resolve));
    void this.#listen();
    void Promise.race([this.#state, first, pause(SILENT_MILLIS)]).then(() => this.#again());
  }

  /** Leaves for good. */
  close() {
    this.#over.abort();
    this.#control?.abort();
    this.#peer?.close();
    this.#peer = null;
    if (this.#session) void fetch(this.#session, { method: 'DELETE', headers: this.#bearer(), keepalive: true }).catch(() => {});
  }

  /** Leaves the stage: first nothing comes back by itself any more, then the stage is told. */
  async leave() {
    this.#over.abort();
    this.#control?.abort();
    await this.act({ do: 'leave' });
    this.close();
  }

  /** The microphone from now on; the first one takes a place. @param {MediaStreamTrack} track */
  async microphone(track) {
    const is_first = !this.with.microphone;
    this.with.microphone = track;
    if (is_first) return void this.#again();
    await this.#peer?.getSenders()[0]?.replaceTrack(track);
  }

  /**
   * @param {object} action
   * @returns {Promise<Done>}
   */
  async act(action) {
    try {
      const answer = await fetch(this.#address(this.with.console), {
        method: 'POST',
        headers: { ...this.#bearer(), 'Content-Type': 'application/json' },
        body: JSON.stringify(action),
        signal: AbortSignal.timeout(5000),
      });
      const said = await answer.json().catch(() => ({}));
      return answer.ok ? { fault: '', code: '', answer: said } : { fault: said.detail ?? 'The stage refused.', code: said.code ?? '', answer: said };
    } catch {
      return { fault: 'The stage does not answer. Try again.', code: 'role-down', answer: {} };
    }
  }

  /**
   * The next five seconds of this microphone as listeners would hear them.
   * @param {string} address
   * @returns {Promise<Done>} with the sound as a Blob
   */
  async check(address) {
    try {
      const answer = await fetch(this.#address(address), { method: 'POST', headers: this.#bearer(), signal: AbortSignal.any([this.#over.signal, AbortSignal.timeout(CHECK_MILLIS)]) });
      if (answer.ok) return { fault: '', code: '', answer: await answer.blob() };
      const said = await answer.json().catch(() => ({}));
      return { fault: said.detail ?? 'The stage refused.', code: said.code ?? '', answer: null };
    } catch {
      return { fault: 'The stage does not answer. Try again.', code: 'role-down', answer: null };
    }
  }

  #watch() {
    const { connectionState } = this.#peer ?? {};
    if (connectionState === 'failed' || connectionState === 'disconnected') void this.#again();
    if (this.#heardAt && Date.now() - this.#heardAt > SILENT_MILLIS) {
      this.#heardAt = Date.now();
      this.with.said({ link: 'lost' });
      this.#control?.abort();
      void this.#again();
    }
  }

  /** Posts the offer, again and again until a session stands; never two at once. */
  async #again() {
    if (this.#asking || !this.with.microphone) return;
    this.#asking = true;
    try {
      while (!this.#over.signal.aborted) {
        if (this.#failures) await pause(Math.min(2000, 125 * 2 ** this.#failures) * (0.5 + Math.random() / 2));
        const fault = await this.#post();
        if (fault === null) {
          this.#failures = 0;
          return;
        }
        if (fault) return this.#refused(fault);
        this.#failures += 1;
      }
    } finally {
      this.#asking = false;
    }
  }

  /** Said once, whichever way was refused first: the other one's answer breaks off with it. @param {string} words */
  #refused(words) {
    if (this.#over.signal.aborted) return;
    this.close();
    this.with.said({ refused: words });
  }

  /** @returns {Promise<string | null>} null: it stands; empty: try again; words: refused for good */
  async #post() {
    const { microphone } = this.with;
    if (!microphone) return null;
    const peer = new RTCPeerConnection();
    try {
      peer.addTransceiver(microphone, { direction: 'sendrecv' });
      peer.addEventListener('track', ({ track, streams }) => this.with.sound(streams[0] ?? new MediaStream([track])));
      await peer.setLocalDescription();
      // The stage is ICE-lite and learns our addresses from the packets themselves: nothing to gather first.
      const address = this.#address(this.with.whip);
      if (this.#aside) address.searchParams.set('backstage', '1');
      const answer = await fetch(address, {
        method: 'POST',
        headers: { ...this.#bearer(), 'Content-Type': 'application/sdp' },
        body: peer.localDescription?.sdp ?? '',
        signal: AbortSignal.timeout(CONNECT_MILLIS),
      });
      if (!answer.ok) {
        peer.close();
        return answer.status >= 500 || answer.status === 429 ? '' : await why(answer);
      }
      this.#session = new URL(answer.headers.get('Location') ?? '', this.with.whip).href;
      const sdp = await answer.text();
      this.ports = portsOf(sdp);
      await peer.setRemoteDescription({ type: 'answer', sdp: tuned(sdp) });
      this.#peer?.close();
      this.#peer = peer;
      const stands = await connected(peer);
      this.#silences = stands ? 0 : this.#silences + 1;
      if (stands || this.#silences >= BLOCKED_FAILURES) this.with.said({ blocked: stands ? null : this.ports });
      return stands ? null : '';
    } catch {
      peer.close();
      return this.#over.signal.aborted ? null : '';
    }
  }

  /** The control stream: one JSON object a line, opened again whenever it breaks. */
  async #listen() {
    let failures = 0;
    let trouble = '';
    while (!this.#over.signal.aborted) {
      const control = (this.#control = new AbortController());
      let lines = 0;
      try {
        this.#heardAt = Date.now();
        const answer = await fetch(this.#address(this.with.console), { headers: this.#bearer(), signal: control.signal, cache: 'no-store' });
        if (answer.status === 401 || answer.status === 403 || answer.status === 410) {
          return this.#refused(await why(answer));
        }
        const before = trouble;
        trouble = answer.status === DISK_FULL ? await why(answer) : '';
        if (trouble !== before) this.with.said({ trouble });
        if (!answer.ok || !answer.body) throw new Error(String(answer.status));
        this.with.said({ link: 'on' });
        for await (const line of linesOf(answer.body)) {
          this.#heardAt = Date.now();
          lines += 1;
          const said = JSON.parse(line);
          if (said.state) this.#know(said.state);
          if (said.state || said.levels || said.talking_muted) this.with.said(said);
        }
      } catch {
        // Broken or silent: both are answered alike, below.
      }
      if (this.#over.signal.aborted) return;
      this.with.said({ link: 'lost' });
      failures = lines ? 0 : failures + 1;
      // The stage's process is gone or new: the session went with it, whatever ICE still believes.
      void this.#again();
      if (failures) await pause(Math.min(2000, 125 * 2 ** failures));
    }
  }

  /** @param {StageState} state */
  #know(state) {
    const me = state.stage.find((one) => one.id === state.you?.id);
    this.#aside = me ? me.backstage === true : state.phase === 'live';
    this.#stateCame();
  }

  #bearer() {
    return { Authorization: `Bearer ${this.with.token}` };
  }

  /** @param {string} of */
  #address(of) {
    const address = new URL(of, location.href);
    address.searchParams.set('key', this.key);
    address.searchParams.set('name', this.with.name);
    return address;
  }
}

/**
 * Why somebody with a stage link is not let in.
 * @param {Response} answer
 * @returns {Promise<string>}
 */
async function why(answer) {
  const { code = '', detail = 'The stage refused.' } = await answer.json().catch(() => ({}));
  if (code === 'forbidden') return 'You were removed from the stage.';
  return detail;
}

/**
 * The client's own name for itself across reconnections and page loads, for this tab and event.
 * @param {string} event
 */
function keyOf(event) {
  const place = `${KEY} ${event}`;
  const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  try {
    const key = sessionStorage.getItem(place) ?? fresh();
    sessionStorage.setItem(place, key);
    return key;
  } catch {
    return fresh();
  }
}

/**
 * The answer with what we want our encoder to do: in-band repair, one channel, speech at 48 kbit/s, no silence left out.
 * @param {string} sdp
 */
export function tuned(sdp) {
  const type = /a=rtpmap:(\d+) opus\/48000/i.exec(sdp)?.[1];
  if (!type) return sdp;
  const line = new RegExp(`a=fmtp:${type} [^\\r\\n]*`);
  const wanted = `a=fmtp:${type} minptime=10;useinbandfec=1;usedtx=0;stereo=0;maxaveragebitrate=48000`;
  return line.test(sdp) ? sdp.replace(line, wanted) : sdp.replace(new RegExp(`(a=rtpmap:${type} [^\\r\\n]*\\r?\\n)`), `$1${wanted}\r\n`);
}

/**
 * Where an answer takes sound: `HOST:PORT` of its candidates, by protocol (RFC 8839, section 5.1).
 * @param {string} sdp
 * @returns {Ports}
 */
export function portsOf(sdp) {
  const found = [...sdp.matchAll(/^a=candidate:\S+ \d+ (udp|tcp) \d+ (\S+) (\d+) /gim)].map(([, by, host, port]) => ({ by: by.toLowerCase(), at: `${host.includes(':') ? `[${host}]` : host}:${port}` }));
  const of = /** @param {string} by */ (by) => [...new Set(found.filter((one) => one.by === by).map((one) => one.at))];
  return { udp: of('udp'), tcp: of('tcp') };
}

/** @param {RTCPeerConnection} peer */
function connected(peer) {
  return new Promise((/** @type {(it: boolean) => void} */ resolve) => {
    const timer = setTimeout(resolve, CONNECT_MILLIS, false);
    const look = () => {
      if (peer.connectionState === 'connected') resolve(true);
      else if (peer.connectionState === 'failed' || peer.connectionState === 'closed') resolve(false);
      else return;
      clearTimeout(timer);
    };
    peer.addEventListener('connectionstatechange', look);
    look();
  });
}

/** @param {ReadableStream<Uint8Array<ArrayBuffer>>} body */
async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim()) yield line;
  }
}

/** @param {number} millis */
const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
