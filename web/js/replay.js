/** `<town-replay>`: an ended event's recording on the page's `<audio>`, with its place and speed kept across navigation. */
import { sound } from './sound.js';
import { clock } from './time.js';
import { h } from './words.js';

class Replay {
  who = 'Replay';
  /** @type {import('./sound.js').State} */
  state = 'idle';
  at = 0;
  rate = 1;
  #loaded = false;

  /** @param {{ key: string, title: string, page: string, src: string, seconds: number }} of */
  constructor(of) {
    this.of = of;
    this.key = of.key;
    this.title = of.title;
    this.page = of.page;
    this.seconds = of.seconds || 0;
    const { audio } = sound;
    for (const name of ['timeupdate', 'durationchange', 'playing', 'pause', 'ended', 'error', 'waiting']) {
      audio.addEventListener(name, () => sound.current === this && this.#loaded && this.#heard());
    }
  }

  /** Learns the length, when nobody said it and nothing else is heard. */
  load() {
    if (this.seconds || this.#loaded || (sound.current && !['idle', 'ended'].includes(sound.current.state))) return;
    const probe = document.createElement('audio');
    probe.preload = 'metadata';
    probe.addEventListener('loadedmetadata', () => {
      this.seconds = probe.duration;
      probe.removeAttribute('src');
      sound.dispatchEvent(new Event('facts'));
    });
    probe.src = this.of.src;
  }

  start() {
    const { audio } = sound;
    if (!this.#loaded) {
      this.#loaded = true;
      audio.preload = 'auto';
      audio.src = this.of.src;
      audio.currentTime = this.at;
    }
    audio.playbackRate = this.rate;
    audio.play().catch((/** @type {DOMException} */ error) => {
      if (error.name === 'NotAllowedError') this.state = 'blocked';
      sound.changed();
    });
  }

  pause() {
    sound.audio.pause();
  }

  /** @param {import('./sound.js').State} why */
  stop(why) {
    this.state = why;
    if (!this.#loaded) return;
    this.#loaded = false;
    sound.audio.removeAttribute('src');
    sound.audio.load();
  }

  /** @param {number} seconds */
  seek(seconds) {
    this.at = seconds;
    if (this.#loaded) sound.audio.currentTime = seconds;
    else sound.dispatchEvent(new Event('facts'));
  }

  /** @param {number} rate */
  speed(rate) {
    this.rate = rate;
    if (this.#loaded) sound.audio.playbackRate = rate;
  }

  #heard() {
    const { audio } = sound;
    const before = this.state;
    this.at = audio.currentTime;
    if (Number.isFinite(audio.duration)) this.seconds = audio.duration;
    this.state = audio.error ? 'failed' : audio.ended ? 'paused' : audio.paused ? 'paused' : 'playing';
    if (audio.ended) this.at = 0;
    if (this.state === before) sound.dispatchEvent(new Event('facts'));
    else sound.changed();
  }
}

class TownReplay extends HTMLElement {
  #button = h('button', { type: 'button', className: 'listen' });
  #label = h('span', { className: 'listen-label' });
  #seek = h('input', { type: 'range', min: '0', step: '1', value: '0', className: 'seek', ariaLabel: 'Place in the recording' });
  #time = h('bdi', { className: 'meta' });
  #speed = h('select', { dir: 'ltr' }, ...[0.75, 1, 1.25, 1.5, 2].map((speed) => h('option', { value: String(speed), selected: speed === 1 }, `${speed}×`)));
  /** @type {Replay | null} */
  #replay = null;
  /** @type {AbortController | null} */
  #life = null;

  connectedCallback() {
    const say = /** @param {string} name */ (name) => this.getAttribute(name) ?? '';
    const key = `replay ${say('event')}`;
    const current = sound.current;
    this.#replay =
      current instanceof Replay && current.key === key
        ? current
        : new Replay({ key, title: say('label'), page: say('page') || location.pathname, src: say('src'), seconds: Number(say('duration')) });
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.#button.addEventListener('click', () => this.#press(), { signal });
    this.#seek.addEventListener('input', () => this.#replay?.seek(Number(this.#seek.value)), { signal });
    this.#speed.addEventListener('change', () => this.#replay?.speed(Number(this.#speed.value)), { signal });
    sound.addEventListener('change', () => this.#show(), { signal });
    sound.addEventListener('facts', () => this.#show(), { signal });
    this.#button.replaceChildren(h('span', { className: 'glyph', ariaHidden: 'true' }), this.#label);
    const panel = h(
      'div',
      { className: 'player' },
      this.#button,
      h('div', { className: 'player-words' }, this.#seek, h('div', { className: 'cluster' }, this.#time, h('label', { className: 'speed' }, 'Speed ', this.#speed))),
    );
    this.querySelectorAll('noscript, .player').forEach((old) => old.remove());
    this.prepend(panel);
    this.#replay.load();
    this.#show();
    void import('./timeline.js').then(({ timeline }) => signal.aborted || timeline(this, this.#deck(this.#replay), signal));
  }

  /** @param {Replay | null} replay */
  #deck(replay) {
    return {
      get at() {
        return replay?.at ?? 0;
      },
      get seconds() {
        return replay?.seconds ?? 0;
      },
      get state() {
        return replay?.state ?? 'idle';
      },
      seek: /** @param {number} seconds */ (seconds) => replay?.seek(seconds),
      play: () => replay && replay.state !== 'playing' && sound.play(replay),
      toggle: () => this.#press(),
      ours: () => sound.current === replay,
    };
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  #press() {
    const replay = this.#replay;
    if (!replay) return;
    if (replay.state === 'playing') replay.pause();
    else sound.play(replay);
  }

  #show() {
    const replay = this.#replay;
    if (!replay) return;
    this.dataset.state = replay.state;
    this.#label.textContent = replay.state === 'playing' ? 'Pause' : 'Play';
    this.#seek.max = String(Math.ceil(replay.seconds));
    this.#seek.disabled = !replay.seconds;
    this.#seek.value = String(replay.at);
    this.#seek.ariaValueText = `${clock(replay.at)} of ${clock(replay.seconds)}`;
    this.#speed.value = String(replay.rate);
    this.dispatchEvent(new Event('townsquare:moved'));
    this.#time.textContent = replay.seconds ? `${clock(replay.at)} / ${clock(replay.seconds)}` : replay.state === 'failed' ? 'The recording can’t be played here.' : '';
  }
}

customElements.define('town-replay', TownReplay);
