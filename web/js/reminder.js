/** Who asked to be reminded and has the event's page open is told by the browser, ten minutes before it begins. */
import { h } from './words.js';

const BEFORE_MILLIS = 10 * 60_000;
/** Timers of browsers go no further. */
const TIMER_MILLIS_MAX = 2 ** 31 - 1;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Watches the clock for the event of this page, and for no other: a page that nobody wants to be reminded of ends what was watched before.
 * @param {() => number} now the server's clock
 */
export function watch(now) {
  clearTimeout(timer);
  const button = /** @type {HTMLElement | null} */ (document.querySelector('[data-reminded]'));
  const time = /** @type {HTMLTimeElement | null} */ (document.querySelector('time[data-refresh]'));
  if (!button || !time || !('Notification' in globalThis)) return;
  offer(button, now);
  const title = document.querySelector('h1')?.textContent ?? '';
  const tag = location.pathname;
  const begins = new Date(time.dateTime).getTime();
  const left = begins - BEFORE_MILLIS - now();
  if (Notification.permission !== 'granted' || left < 0 || left > TIMER_MILLIS_MAX) return;
  timer = setTimeout(() => {
    // A machine that slept is late with it.
    const minutes = Math.round((begins - now()) / 60_000);
    if (minutes < 1) return;
    const told = new Notification(title, { body: `It begins in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`, tag });
    told.onclick = () => window.focus();
  }, left);
}

/**
 * Browsers ask for leave when a button was pressed, not before, and ask nobody again who said no.
 * @param {HTMLElement} button
 * @param {() => number} now
 */
function offer(button, now) {
  document.querySelector('.allow')?.remove();
  /** @type {HTMLElement | null} */
  let line = null;
  if (Notification.permission === 'default') {
    line = h('button', { type: 'button', className: 'button link allow' }, 'Tell me in this browser, too');
    line.onclick = () => void Notification.requestPermission().then(() => watch(now));
  } else if (Notification.permission === 'denied') {
    const text = 'This browser blocks notifications from here. Allow them in its settings for this site and load the page again, or put the event into your calendar.';
    line = h('p', { className: 'meta allow', role: 'status' }, text);
  }
  if (line) (button.closest('form') ?? button).after(line);
}
