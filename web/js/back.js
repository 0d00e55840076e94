/** Going back in a live programme, catching up, and hearing it with fewer bytes. */
import { SAVER } from './programme.js';
import { sound } from './sound.js';

/** Slots of 200 ms a second: the programme's numbering. */
const SLOTS = 5;

/** @typedef {import('./programme.js').Programme} Programme */

/**
 * @param {Programme} programme
 * @param {number} seconds back from here; without end: from the beginning
 */
export function rewind(programme, seconds) {
  const { now } = programme;
  if (now === null) return;
  // Before the event itself there is nothing but the hold sound.
  const to = Math.max((programme.facts.b ?? 0) / SLOTS, now - seconds);
  programme.back = true;
  programme.fast = false;
  // What is in store is heard at once.
  if (!programme.seek(to)) programme.again(String(Math.round(to * SLOTS)));
  sound.changed();
}

/** @param {Programme} programme */
export function catchUp(programme) {
  programme.fast = programme.back;
  sound.changed();
}

/** @param {Programme} programme */
export function live(programme) {
  if (!programme.back) return;
  programme.back = programme.fast = false;
  programme.again('-1');
  sound.changed();
}

/**
 * @param {Programme} programme
 * @param {boolean} on
 */
export function save(programme, on) {
  try {
    localStorage.setItem(SAVER, on ? '1' : '');
  } catch {
    // Storage is refused: it holds until the page is left.
  }
  programme.saver = on;
  if (programme.now !== null) programme.again(programme.back ? String(Math.floor(programme.now * SLOTS)) : '-1');
  sound.changed();
}
