/**
 * The page's one `<audio>` element and what plays on it. The element is made once, stands outside of what navigation swaps, and is
 * never moved: moving it would stop the sound.
 *
 * @typedef {'idle' | 'connecting' | 'playing' | 'paused' | 'waiting' | 'blocked' | 'elsewhere' | 'ended' | 'failed'} State
 * @typedef {object} Source  something that can be heard
 * @property {string} key
 * @property {string} title
 * @property {string} page
 * @property {string} who  who speaks, for the lock screen
 * @property {State} state
 * @property {() => void} start
 * @property {(why: State) => void} stop
 * @property {() => void} [pause]  for what goes on later where it stopped
 * @property {() => void} [revive]  be live again at once: the network, the page or the machine was away
 * @property {() => void} [hide]  the page goes away and may come back
 */

const CHANNEL = 'townsquare-sound';
/** What a stage's page says there (console/yielding.js). */
const [ON_STAGE, OFF_STAGE] = ['on stage', 'off stage'];
const REMEMBERED = 'townsquare-listening';

class Sound extends EventTarget {
  /** @type {Source | null} */
  current = null;
  /** @type {HTMLAudioElement} */
  audio = document.createElement('audio');
  #tab = Math.random().toString(36).slice(2);
  /** @type {BroadcastChannel | null} */
  #channel = null;
  /** Whether it plays on once nobody here is on stage. */
  #yields = false;

  constructor() {
    super();
    this.audio.id = 'sound';
    this.audio.preload = 'none';
    // Managed media sources ask for this; there is nothing to cast from a stream of one's own.
    this.audio.disableRemotePlayback = true;
    // Outside of the body, which navigation copies into its cache: a copy with an address would load it again.
    document.documentElement.append(this.audio);
    this.#listen();
    addEventListener('pagehide', () => {
      this.current?.hide?.();
      this.#channel?.close();
      this.#channel = null;
    });
    addEventListener('pageshow', (event) => {
      if (!event.persisted) return;
      this.#listen();
      this.current?.revive?.();
    });
    addEventListener('online', () => this.current?.revive?.());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.current?.revive?.();
    });
    this.#mediaSession();
  }

  /** @param {Source} source */
  play(source) {
    if (this.current && this.current !== source) this.current.stop('idle');
    this.current = source;
    this.#yields = false;
    this.#channel?.postMessage(this.#tab);
    source.start();
    this.changed();
  }

  stop() {
    this.current?.stop('idle');
    this.#yields = false;
    remember(null);
    this.changed();
  }

  /** Says that state, title or speaker are others now. */
  changed() {
    const source = this.current;
    if (source?.state === 'playing') remember(source.key);
    if ('mediaSession' in navigator) {
      navigator.mediaSession.metadata = source ? new MediaMetadata({ title: source.title, artist: source.who, album: 'Townsquare' }) : null;
      navigator.mediaSession.playbackState = source?.state === 'playing' ? 'playing' : source ? 'paused' : 'none';
    }
    this.dispatchEvent(new Event('change'));
  }

  /**
   * Whether this tab was playing it when its page was loaded anew.
   * @param {string} key
   */
  wasPlaying(key) {
    try {
      return !this.current && sessionStorage.getItem(REMEMBERED) === key;
    } catch {
      return false;
    }
  }

  /** The tab that was asked last has the sound; the stage has it while somebody is on it, and it comes back when they leave. */
  #listen() {
    this.#channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(CHANNEL) : null;
    this.#channel?.addEventListener('message', ({ data }) => {
      const { current } = this;
      if (!current || current.state === 'idle' || current.state === 'ended') return;
      if (data === OFF_STAGE) return this.#yields && this.play(current);
      this.#yields = data === ON_STAGE && (this.#yields || current.state !== 'paused');
      current.stop('elsewhere');
      remember(null);
      this.changed();
    });
  }

  #mediaSession() {
    if (!('mediaSession' in navigator)) return;
    navigator.mediaSession.setActionHandler('play', () => this.current && this.play(this.current));
    navigator.mediaSession.setActionHandler('pause', () => (this.current?.pause ? this.current.pause() : this.stop()));
    navigator.mediaSession.setActionHandler('stop', () => this.stop());
  }
}

/** @param {string | null} key */
function remember(key) {
  try {
    if (key) sessionStorage.setItem(REMEMBERED, key);
    else sessionStorage.removeItem(REMEMBERED);
  } catch {
    // Storage is refused: a page loaded anew asks for the button again.
  }
}

export const sound = new Sound();
