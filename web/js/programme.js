/**
 * One live programme on the page's `<audio>`: fetch → boxes → MSE, reconnection by fragment number, catching up, HLS when nothing else works.
 *
 * @typedef {import('./boxes.js').Fragment} Fragment
 * @typedef {import('./boxes.js').LiveFacts} LiveFacts
 * @typedef {import('./sound.js').State} State
 * @typedef {'closed' | 'broken' | 'ended' | { seconds: number, text: string } | { fault: string }} Outcome
 */
import { Boxes, join } from './boxes.js';
import { sound } from './sound.js';

const TYPE = 'audio/mp4; codecs="opus"';
/** No fragment for so long beyond the stream's own rhythm: the connection is given up. */
const SILENT_SECONDS = 3;
/** Longer than a relay holds a request that waits for the event to begin. */
const HOLD_MILLIS = 30_000;
/** Away for longer than this beyond it, a listener wants the present and not what was missed. */
const MISSED_SECONDS_MAX = 4;
/** Further behind than the rhythm was ever reason for. */
const BEHIND_SECONDS_MAX = 6;
const KEEP_SECONDS = 60;
const CATCH_UP_RATE = 1.05;
/** How the store grows when the stream will come in larger pieces: the relay waits for this rate before it sends so. */
const GROW_RATE = 0.92;
/** What is in store beyond the stream's rhythm: more after a stall, less again while all is quiet. */
const MARGIN_SECONDS_MIN = 0.3;
const MARGIN_SECONDS_MAX = 2;
const MARGIN_SECONDS_A_STALL = 0.2;
const MARGIN_SECONDS_A_MINUTE = 0.05;
/** How much of the longest pause still counts a second later. */
const PAUSE_KEPT_A_SECOND = 0.9;
const TICK_MILLIS = 250;
const FAILURES_BEFORE_HLS = 3;
/** Who rewound catches up at this rate, and has so much in store ahead at most: the rest stays with the relay. */
const FAST_RATE = 1.5;
const AHEAD_SECONDS_MAX = 30;
export const SAVER = 'townsquare-saver';

/** Bytes of Opus can't be given to this browser: it gets HLS. */
const Source = /** @type {typeof MediaSource | undefined} */ (/** @type {any} */ (globalThis).ManagedMediaSource ?? globalThis.MediaSource);
const canFeed = () => Source?.isTypeSupported(TYPE) ?? false;

export class Programme {
  who = '';
  /** @type {State} */
  state = 'idle';
  /** What to tell the listener about the state, when there is something. */
  text = '';
  /** @type {LiveFacts} */
  facts = {};
  /** The saver rung: 16 kbit/s instead of 64. */
  saver = remembered();
  /** Whether what is heard was live a while ago, and whether that is made good. */
  back = false;
  fast = false;
  stats = { bytes: 0, fragments: 0, gaps: 0, reconnects: 0, stalls: 0, jumps: 0, behind: 0, margin: MARGIN_SECONDS_MIN, bufferedSeconds: 0, next: -1, by: '' };

  /** @type {AbortController | null} */ #life = null;
  /** @type {AbortController | null} */ #link = null;
  /** @type {(() => void) | null} */ #wake = null;
  /** @type {SourceBuffer | null} */ #buffer = null;
  /** @type {Uint8Array<ArrayBuffer>[]} */ #queue = [];
  /** @type {import('./boxes.js').Said[]} */ #said = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  /** Media time 0 of the element on the programme's timeline, in seconds. @type {number | null} */ #origin = null;
  /** When a fragment came last: at all, and on this connection. */
  #heardAt = 0;
  #arrivedAt = 0;
  #tickAt = 0;
  /** The stream's rhythm in seconds: what it says, and the longest pause between arrivals of late. */
  #cadence = 0.2;
  #pause = 0.2;
  /** What is in store at most when all is well; goes down no faster than the listener catches up. */
  #store = 0;
  #settled = false;
  #hidden = false;
  /** Where the next connection begins when not behind the last fragment. */
  #from = '-1';
  /** The newest moment of the programme that came, and when that was. */
  #edge = { time: -Infinity, at: 0 };

  /** @param {{ event: string, title: string, page: string, stream: string, hls: string }} of */
  constructor(of) {
    this.of = of;
    this.key = of.event;
    this.title = of.title;
    this.page = of.page;
  }

  start() {
    if (this.#life && !this.#life.signal.aborted) return this.revive();
    this.#life = new AbortController();
    const { signal } = this.#life;
    const { audio } = sound;
    audio.addEventListener('waiting', () => this.#settled && this.#stalled(), { signal });
    audio.addEventListener('playing', () => this.#set('playing'), { signal });
    audio.addEventListener('pause', () => this.#paused(), { signal });
    audio.addEventListener('error', () => this.#link?.abort(), { signal });
    this.#tickAt = Date.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MILLIS);
    this.#set('connecting');
    void this.#run(signal);
  }

  /** @param {State} why */
  stop(why) {
    this.#life?.abort();
    this.#life = null;
    this.#link?.abort();
    clearInterval(this.#timer);
    this.#detach();
    this.stats.next = -1;
    this.#from = '-1';
    this.back = this.fast = false;
    this.#set(why);
  }

  /** How many seconds ago it was live. */
  get late() {
    return this.#edge.time + (Date.now() - this.#edge.at) / 1000 - (this.now ?? 0);
  }

  /** The moment of the programme that is heard, when one is. */
  get now() {
    return this.#origin === null ? null : sound.audio.currentTime + this.#origin;
  }

  /** Goes to a moment that is in store. @param {number} to */
  seek(to) {
    const [at, ranges] = [to - (this.#origin ?? 0), this.#buffer?.buffered];
    if (!ranges?.length || at < ranges.start(0)) return false;
    sound.audio.currentTime = at;
    return true;
  }

  /** Begins anew elsewhere. @param {string} from */
  again(from) {
    this.#from = from;
    this.stats.next = -1;
    this.#said = [];
    this.#detach();
    this.#link?.abort();
    this.#wake?.();
  }

  hide() {
    this.#hidden = true;
    this.#link?.abort();
  }

  revive() {
    const back = this.#hidden;
    this.#hidden = false;
    if (!this.#life) return;
    // Who waits for the beginning has heard nothing for long, and is still asking.
    if (back || (this.state !== 'waiting' && this.#silence() > this.#rhythm + 1)) this.#link?.abort();
    this.#wake?.();
    if (sound.audio.src) this.#play();
  }

  /** @param {AbortSignal} signal */
  async #run(signal) {
    let failures = 0;
    if (canFeed()) await this.#attach();
    this.#play();
    while (!signal.aborted) {
      const before = this.stats.fragments;
      const outcome = canFeed() && failures < FAILURES_BEFORE_HLS ? await this.#listen() : await this.#hls();
      if (signal.aborted) return;
      if (outcome === 'ended') return this.#ended();
      if (typeof outcome === 'object' && 'fault' in outcome) {
        this.text = outcome.fault;
        return this.stop('failed');
      }
      this.stats.reconnects += 1;
      if (typeof outcome === 'object') {
        failures = 0;
        this.text = outcome.text;
        this.#set('waiting');
        // A crowd that waits for the same moment must not come back at the same moment.
        await this.#sleep(outcome.seconds * (0.75 + Math.random() / 2));
        continue;
      }
      failures = this.stats.fragments > before ? 0 : failures + 1;
      if (failures > FAILURES_BEFORE_HLS) failures = 0;
      if (failures > 1 || this.#hidden) await this.#sleep(Math.min(4, 0.125 * 2 ** failures) * (0.5 + Math.random()));
    }
  }

  /** @returns {Promise<Outcome>} */
  async #listen() {
    const link = (this.#link = new AbortController());
    if (!this.#buffer || sound.audio.error) await this.#attach();
    const address = new URL(this.of.stream, location.href);
    const goesOn = this.stats.next >= 0 && (this.back || this.#silence() < this.#rhythm + MISSED_SECONDS_MAX);
    address.searchParams.set('from', goesOn ? String(this.stats.next) : this.#from);
    if (this.saver) address.searchParams.set('rung', '16');
    // Who waits is answered when it begins, or in a while.
    let asked = Date.now();
    if (this.state === 'waiting') {
      address.searchParams.set('wait', '1');
      asked += HOLD_MILLIS;
    }
    this.stats.by = 'stream';
    this.#arrivedAt = 0;
    const guard = setInterval(() => this.#silence(asked) > this.#rhythm + SILENT_SECONDS && link.abort(), TICK_MILLIS);
    try {
      const answer = await fetch(address, { signal: link.signal, cache: 'no-store', credentials: 'omit' });
      if (!answer.ok || !answer.body) return await (await import('./refused.js')).refused(answer);
      asked = Date.now();
      const boxes = new Boxes();
      const reader = answer.body.getReader();
      for (;;) {
        while (this.back && this.#ahead > AHEAD_SECONDS_MAX && !link.signal.aborted) {
          this.#heardAt = Date.now();
          await this.#sleep(TICK_MILLIS / 1000);
        }
        const { done, value } = await reader.read();
        if (done) return 'closed';
        this.stats.bytes += value.length;
        for (const piece of boxes.push(value)) {
          if (piece.kind === 'init') this.#queue.push(piece.bytes);
          else this.#take(piece);
        }
        this.#cadence = boxes.cadence;
        this.#feed();
      }
    } catch {
      return 'broken';
    } finally {
      clearInterval(guard);
      link.abort();
    }
  }

  /** @param {Fragment} fragment */
  #take(fragment) {
    const now = Date.now();
    const { stats } = this;
    if (fragment.number < stats.next) return;
    if (stats.next >= 0 && fragment.number > stats.next) stats.gaps += 1;
    const pause = this.#arrivedAt ? (now - this.#arrivedAt) / 1000 : 0;
    this.#pause = Math.max(pause, this.#pause * PAUSE_KEPT_A_SECOND ** pause);
    this.#arrivedAt = this.#heardAt = now;
    stats.next = fragment.number + fragment.slots;
    stats.fragments += 1;
    // Media time begins at what arrives first, so that playing begins without a seek.
    this.#origin ??= fragment.time;
    this.#from = '-1';
    const end = fragment.time + fragment.slots / 5;
    if (end > this.#edge.time + (now - this.#edge.at) / 1000) this.#edge = { time: end, at: now };
    this.#said.push(...fragment.said);
    this.#queue.push(fragment.bytes);
  }

  get #rhythm() {
    return Math.max(this.#cadence, this.#pause);
  }

  /** Seconds in store. */
  get #ahead() {
    const ranges = this.#buffer?.buffered;
    return ranges?.length ? ranges.end(ranges.length - 1) - sound.audio.currentTime : 0;
  }

  /** Seconds without a fragment, at most those since `asked`. */
  #silence(asked = 0) {
    return (Date.now() - Math.max(asked, this.#heardAt)) / 1000;
  }

  async #attach() {
    if (!Source) return;
    this.#detach();
    const media = new Source();
    const opened = new Promise((resolve) => media.addEventListener('sourceopen', resolve, { once: true }));
    const url = URL.createObjectURL(media);
    sound.audio.src = url;
    // A play() asked within the listener's own click is what browsers allow; the sound may come later.
    this.#play();
    await opened;
    URL.revokeObjectURL(url);
    const buffer = media.addSourceBuffer(TYPE);
    media.duration = Infinity;
    buffer.addEventListener('updateend', () => this.#feed());
    this.#buffer = buffer;
  }

  #detach() {
    this.#buffer = null;
    this.#queue = [];
    this.#said = [];
    this.#origin = null;
    this.#settled = false;
    this.#store = 0;
    const { audio } = sound;
    if (!audio.hasAttribute('src')) return;
    audio.removeAttribute('src');
    audio.load();
    audio.playbackRate = 1;
  }

  #play() {
    sound.audio.play().catch((/** @type {DOMException} */ error) => {
      if (error.name === 'NotAllowedError' && this.#life) this.stop('blocked');
    });
  }

  #feed() {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating) return;
    const { audio } = sound;
    try {
      const first = buffer.buffered.length ? buffer.buffered.start(0) : Infinity;
      if (audio.currentTime - first > KEEP_SECONDS + 10) return buffer.remove(0, audio.currentTime - KEEP_SECONDS);
      if (this.#queue.length) {
        if (this.#origin !== null && buffer.timestampOffset !== -this.#origin) buffer.timestampOffset = -this.#origin;
        buffer.appendBuffer(join(this.#queue));
        this.#queue = [];
      }
      this.#place();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'QuotaExceededError') buffer.remove(0, Math.max(0.1, audio.currentTime - 5));
      else this.#link?.abort();
    }
  }

  /** Where the listener stands between what is buffered and the live edge: over holes, near the edge, not into it. */
  #place() {
    const { audio } = sound;
    const ranges = this.#buffer?.buffered;
    if (!ranges?.length) return;
    const end = ranges.end(ranges.length - 1);
    const behind = end - audio.currentTime;
    const target = this.stats.margin + this.#rhythm;
    this.#store = Math.max(this.#store, target);
    this.stats.behind = behind;
    this.stats.bufferedSeconds = end - ranges.start(0);
    if (this.back) {
      this.#settled = true;
      const hole = nextStart(ranges, audio.currentTime);
      if (hole !== null) this.#jump(hole);
      if (this.fast && this.late < target + 1) {
        this.back = this.fast = false;
        sound.changed();
      }
      audio.playbackRate = this.fast && behind > 1 ? FAST_RATE : 1;
      return;
    }
    if (!this.#settled) {
      this.#settled = true;
      if (behind > target + 0.2) audio.currentTime = end - target;
    } else if (behind > this.#store + BEHIND_SECONDS_MAX) {
      this.#jump(end - target);
    } else {
      const hole = nextStart(ranges, audio.currentTime);
      if (hole !== null) this.#jump(hole);
    }
    // What was in store when the last fragments came: between two sendings it stays the same.
    const store = behind + Math.min(this.#silence(), this.#rhythm);
    const announced = this.stats.margin + this.#cadence;
    if (store > target + 0.4) audio.playbackRate = CATCH_UP_RATE;
    else if (store < announced - 0.25) audio.playbackRate = GROW_RATE;
    else if (audio.playbackRate > 1 ? store < target + 0.05 : store >= announced) audio.playbackRate = 1;
  }

  /** @param {number} to */
  #jump(to) {
    this.stats.jumps += 1;
    sound.audio.currentTime = to;
  }

  #stalled() {
    this.stats.stalls += 1;
    this.stats.margin = Math.min(MARGIN_SECONDS_MAX, this.stats.margin + MARGIN_SECONDS_A_STALL);
  }

  #tick() {
    const now = Date.now();
    const slept = now - this.#tickAt > 3000 || now < this.#tickAt;
    this.#tickAt = now;
    if (now < this.#heardAt) this.#heardAt = now;
    if (slept) this.revive();
    this.#store -= ((CATCH_UP_RATE - 1) * TICK_MILLIS) / 1000;
    this.stats.margin = Math.max(MARGIN_SECONDS_MIN, this.stats.margin - (MARGIN_SECONDS_A_MINUTE * TICK_MILLIS) / 60_000);
    this.#feed();
    const at = sound.audio.currentTime + (this.#origin ?? 0) + TICK_MILLIS / 1000;
    let news = false;
    while (this.#said[0] && this.#said[0].time <= at) {
      const { x, ...facts } = this.#said.shift()?.facts ?? {};
      Object.assign(this.facts, facts);
      if (x) sound.dispatchEvent(new CustomEvent('reactions', { detail: x }));
      news = true;
    }
    if (!news) return;
    const who = speaking(this.facts).map((one) => one.name).sort().join(', ');
    if (who !== this.who) {
      this.who = who;
      sound.changed();
    } else sound.dispatchEvent(new Event('facts'));
  }

  #paused() {
    // Headphones came out or a key was pressed: silence is wanted. Our own pauses come with a new source or the page's end.
    const { audio } = sound;
    if (!this.#life || this.#hidden || !this.#settled || audio.ended || audio.error || !audio.src) return;
    queueMicrotask(() => audio.paused && this.#life && !this.#hidden && sound.stop());
  }

  /** @returns {Promise<Outcome>} */
  async #hls() {
    this.#link = new AbortController();
    const { playHls } = await import('./hls.js');
    return playHls(this, this.#link.signal, () => {
      this.#detach();
      this.stats.by = 'hls';
      sound.audio.src = this.of.hls;
      this.#play();
    });
  }

  #ended() {
    const { audio } = sound;
    this.text = 'The event is over.';
    this.#set('ended');
    const life = this.#life;
    setTimeout(() => {
      if (this.#life === life && sound.current === this && !audio.ended) this.stop('ended');
    }, this.stats.behind * 1000);
  }

  /** @param {number} seconds */
  #sleep(seconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000, null);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(null);
      };
    });
  }

  /** @param {State} state */
  #set(state) {
    if (this.state === 'ended' && state === 'playing') return;
    if (state === 'playing' || state === 'connecting' || state === 'idle') this.text = '';
    this.state = state;
    sound.changed();
  }
}

function remembered() {
  try {
    return !!localStorage.getItem(SAVER);
  } catch {
    return false;
  }
}

/**
 * Who is heard now, the loudest first.
 * @param {LiveFacts} facts
 * @returns {{ id: number, name: string, level: number }[]} level from 0 (silent) to 1 (full)
 */
export function speaking(facts) {
  const names = new Map((facts.s ?? []).filter(([, , muted]) => !muted).map(([id, name]) => [id, name]));
  return (facts.v ?? [])
    .map(([id, decibels]) => ({ id, name: names.get(id) ?? '', level: Math.min(1, Math.max(0, (60 - decibels) / 50)) }))
    .filter((one) => one.name && one.level > 0)
    .sort((a, b) => b.level - a.level);
}

/**
 * The start of the next range when `at` stands in none: a hole to be jumped over.
 * @param {TimeRanges} ranges
 * @param {number} at
 */
function nextStart(ranges, at) {
  for (let i = 0; i < ranges.length; i += 1) {
    if (at < ranges.start(i)) return ranges.start(i);
    if (at < ranges.end(i) - 0.05) return null;
  }
  return null;
}
