/** Who asked to be reminded and has the event's page open is told by the browser, ten minutes before it begins. */
const BEFORE_MILLIS = 10 * 60_000;
/** Timers of browsers go no further. */
const TIMER_MILLIS_MAX = 2 ** 31 - 1;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Watches the clock for the event of this page.
 * @param {() => number} now the server's clock
 */
export function watch(now) {
  clearTimeout(timer);
  const button = /** @type {HTMLElement | null} */ (document.querySelector('[data-reminded]'));
  const time = /** @type {HTMLTimeElement | null} */ (document.querySelector('time[data-refresh]'));
  if (!button || !time || !('Notification' in globalThis)) return;
  if (Notification.permission === 'default' && !document.querySelector('.allow')) offer(button, now);
  const title = document.querySelector('h1')?.textContent ?? '';
  const left = new Date(time.dateTime).getTime() - BEFORE_MILLIS - now();
  if (Notification.permission !== 'granted' || left < 0 || left > TIMER_MILLIS_MAX) return;
  timer = setTimeout(() => {
    const told = new Notification(title, { body: 'It begins in ten minutes.', tag: location.pathname });
    told.onclick = () => window.focus();
  }, left);
}

/**
 * Browsers ask for leave when a button was pressed, not before.
 * @param {HTMLElement} button
 * @param {() => number} now
 */
function offer(button, now) {
  const allow = document.createElement('button');
  allow.type = 'button';
  allow.className = 'button link allow';
  allow.textContent = 'Tell me in this browser, too';
  allow.addEventListener('click', () => {
    void Notification.requestPermission().then(() => {
      allow.remove();
      watch(now);
    });
  });
  (button.closest('form') ?? button).after(allow);
}
