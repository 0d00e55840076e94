/** The last way to hear a programme: the browser's own HLS, where bytes of Opus can't be given to it or do not come through. */
import { refused } from './refused.js';
import { sound } from './sound.js';

const START_MILLIS = 6000;

/**
 * Plays until it stands still.
 * @param {import('./programme.js').Programme} programme
 * @param {AbortSignal} signal
 * @param {() => void} play
 * @returns {Promise<import('./programme.js').Outcome>}
 */
export async function playHls(programme, signal, play) {
  const state = await fetch(programme.of.stream + (programme.state === 'waiting' ? '?wait=1' : ''), { method: 'HEAD', credentials: 'omit', signal }).catch(() => null);
  if (!state) return 'broken';
  if (!state.ok) return refused(state);
  play();
  const { audio } = sound;
  // What canPlayType says is no promise: only sound that moves counts.
  if (await moves(audio, signal, START_MILLIS)) while ((await moves(audio, signal, START_MILLIS * 2)) && !signal.aborted);
  return 'broken';
}

/**
 * Whether the element's time moves within `millis`.
 * @param {HTMLAudioElement} audio
 * @param {AbortSignal} signal
 * @param {number} millis
 * @returns {Promise<boolean>}
 */
function moves(audio, signal, millis) {
  const from = audio.currentTime;
  return new Promise((resolve) => {
    const done = new AbortController();
    const say = /** @param {boolean} it */ (it) => {
      clearTimeout(timer);
      done.abort();
      resolve(it);
    };
    const timer = setTimeout(say, millis, false);
    audio.addEventListener('timeupdate', () => audio.currentTime > from + 0.5 && say(true), { signal: done.signal });
    signal.addEventListener('abort', () => say(false), { signal: done.signal });
  });
}
