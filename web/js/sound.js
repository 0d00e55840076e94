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

const REMEMBERED = 'townsquare-listening';

class Sound extends EventTarget {
  /** @type {Source | null} */
  current = null;
  /** @type {HTMLAudioElement} */
  audio = document.createElement('audio');

  constructor() {
    super();
    this.audio.id = 'sound';
    this.audio.preload = 'none';
    // Managed media sources ask for this; there is nothing to cast from a stream of one's own.
    this.audio.disableRemotePlayback = true;
    // Outside of the body, which navigation copies into its cache: a copy with an address would load it again.
    document.documentElement.append(this.audio);
    addEventListener('pagehide', () => this.current?.hide?.());
    addEventListener('pageshow', (event) => {
      if (event.persisted) this.current?.revive?.();
    });
    addEventListener('online', () => this.current?.revive?.());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.current?.revive?.();
    });
  }

  /** @param {Source} source */
  play(source) {
    if (this.current && this.current !== source) this.current.stop('idle');
    this.current = source;
    source.start();
    this.changed();
    this.dispatchEvent(new Event('play'));
    void import('./tabs.js');
    void import('./media.js');
  }

  /** @param {State} why */
  stop(why = 'idle') {
    this.current?.stop(why);
    this.dispatchEvent(new Event('stop'));
    remember(null);
    this.changed();
  }

  /** Says that state, title or speaker are others now. */
  changed() {
    const source = this.current;
    if (source?.state === 'playing') remember(source.key);
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
