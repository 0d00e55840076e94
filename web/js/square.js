/**
 * What every page loads: navigation that swaps the page's content and leaves the sound alone, and times in the visitor's own zone.
 */
import '../vendor/swup/Swup.umd.js';
import './player.js';
import './replay.js';
import './bar.js';
import { h, put } from './words.js';

const COUNTDOWN_MILLIS = 1000;
const BEGIN_SPREAD_MILLIS = 4000;

const swup = new Swup({
  // What changes from page to page; everything else in the body stays for as long as the tab lives.
  containers: ['.masthead', '#main'],
  animationSelector: false,
  // A page is small and may have changed: it is asked for again.
  cache: false,
  linkToSelf: 'navigate',
  // The stage's page is a document of its own: it alone may have the microphone. Somebody on stage is asked before they leave it:
  // the browser's own question stands before an ordinary navigation.
  ignoreVisit: (/** @type {string} */ url, /** @type {{ el?: Element }} */ { el }) =>
    !!el?.closest('[data-no-swup]') || url.startsWith('/stage/') || onStage(),
});

/** Where each entry of the history was scrolled to. @type {Map<number, number>} */
const scrolled = new Map();
let entry = history.state?.index ?? 1;
// A page loaded anew is the browser's own to place.
addEventListener('pagehide', () => (history.scrollRestoration = 'auto'));
addEventListener('pageshow', () => (history.scrollRestoration = 'manual'));

// A page that was asked for again is there already.
swup.hooks.replace('page:load', (visit, args, load) => (visit.meta.page ? (args.page = visit.meta.page) : load(visit, args)));
swup.hooks.on('visit:start', (visit) => {
  scrolled.set(entry, scrollY);
  if (visit.meta.again) visit.scroll.reset = false;
});
swup.hooks.before('content:replace', ({ to, meta }) => {
  meta.pressed = meta.again && !!document.activeElement?.matches('.listen');
  // Parsed without script, what is inside would be alive.
  for (const noscript of to.document?.querySelectorAll('noscript') ?? []) noscript.remove();
});
swup.hooks.on('content:scroll', ({ history: { popstate } }) => {
  entry = history.state?.index ?? entry;
  if (popstate) scrollTo(0, scrolled.get(entry) ?? 0);
});
swup.hooks.on('page:view', (visit) => {
  enhance();
  if (!visit.meta.again && !location.hash) arrive();
  // Who stood on the player's button stands on the new page's.
  if (visit.meta.pressed) /** @type {HTMLElement | null} */ (document.querySelector('.listen'))?.focus({ preventScroll: true });
});

document.addEventListener('submit', (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented || !form.closest('main, .masthead') || form.target || onStage()) return;
  const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
  const to = new URL(button?.getAttribute('formaction') ?? form.getAttribute('action') ?? location.href, location.href);
  if (to.origin !== location.origin) return;
  event.preventDefault();
  const data = new FormData(form, button);
  // Until the answer is there it is not sent again.
  if (button && form.method !== 'get') button.disabled = true;
  const fields = new URLSearchParams([...data].flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
  if (form.method === 'get') {
    to.search = String(fields);
    swup.navigate(to.href);
  } else swup.navigate(to.href, { method: 'POST', body: form.enctype === 'multipart/form-data' ? data : fields });
});

// A file that would be refused is said at once, and not sent.
document.addEventListener('change', ({ target }) => {
  const input = /** @type {HTMLInputElement} */ (target);
  const most = Number(input.dataset.bytes ?? 0);
  if (!most) return;
  const { size = 0 } = input.files?.[0] ?? {};
  input.setCustomValidity(size > most ? `This file has ${Math.ceil(size / 1e6)} MB, which is too large: ${Math.floor(most / 1e6)} MB at most.` : '');
  input.reportValidity();
});

let asked = false;
document.addEventListener('townsquare:refresh', (event) => {
  if (asked) return;
  asked = true;
  const { href } = location;
  // An audience learns at the same moment that its page is old: it asks over the next seconds, a thousand in each.
  const crowd = /** @type {CustomEvent} */ (event).detail ?? 0;
  setTimeout(() => void again(href).finally(() => (asked = false)), 300 + Math.random() * Math.max(1500, crowd));
});

/**
 * Asks for the page again. When it can't be had, the one that is shown stays, for its sound goes on; whoever asked asks again.
 * @param {string} href
 */
async function again(href) {
  if (location.href !== href) return;
  const answer = await fetch(href, { headers: swup.options.requestHeaders, cache: 'no-store' }).catch(() => null);
  const html = answer?.ok ? await answer.text().catch(() => '') : '';
  if (!html || location.href !== href || onStage()) return;
  swup.navigate(href, { history: 'replace', meta: { again: true, page: { url: location.pathname + location.search, html } } });
}

const onStage = () => !!document.querySelector('town-console[data-on-stage]');

/** Puts the focus where reading goes on: on what is wrong in a form, else on the new page's content. */
function arrive() {
  const main = document.querySelector('main');
  if (!main || (main !== document.activeElement && main.contains(document.activeElement))) return;
  const wrong = /** @type {HTMLElement | null} */ (main.querySelector('[aria-invalid="true"]'));
  (wrong ?? main).focus({ preventScroll: !wrong });
}

let reminds = false;
function enhance() {
  setClock();
  // Once loaded it looks at every page: who left theirs, or takes the wish back, is not reminded.
  if ((reminds ||= !!document.querySelector('[data-reminded]'))) void import('./reminder.js').then(({ watch }) => watch(serverNow));
  if (document.querySelector('town-console')) void import('./console.js');
  if (document.querySelector('town-part')) void import('./part.js');
  if (document.querySelector('town-rehearsal')) void import('./rehearsal.js');
  for (const time of document.querySelectorAll('time[datetime]')) showTime(/** @type {HTMLTimeElement} */ (time));
  for (const field of document.querySelectorAll('.copy')) offerCopy(field);
  for (const zone of document.querySelectorAll('input.own-zone')) /** @type {HTMLInputElement} */ (zone).value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const input of document.querySelectorAll('input[type="datetime-local"]')) ownTime(/** @type {HTMLInputElement} */ (input));
}

/**
 * A time that the server takes in UTC is typed in the visitor's own time.
 * @param {HTMLInputElement} input
 */
function ownTime(input) {
  const zone = input.closest('.field')?.querySelector('.zone');
  if (!zone || zone.hasAttribute('data-own')) return;
  zone.setAttribute('data-own', '');
  zone.textContent = `in your time (${Intl.DateTimeFormat().resolvedOptions().timeZone})`;
  const minutes = /** @param {Date} at */ (at) => at.toISOString().slice(0, 16);
  for (const name of /** @type {const} */ (['min', 'max', 'value'])) {
    const at = new Date(`${input[name]}Z`);
    if (!Number.isNaN(at.getTime())) input[name] = minutes(new Date(at.getTime() - at.getTimezoneOffset() * 60_000));
  }
  input.form?.addEventListener('formdata', ({ formData }) => input.value && formData.set(input.name, minutes(new Date(input.value))));
}

/**
 * In what way times are written: the page's language, as it is written where the visitor is when that is their own language. Where it is not, English is
 * written as in most of the world, the day before the month and without a.m., as the server writes it.
 */
const written = document.documentElement.lang || 'en';
const locale = navigator.language.split('-')[0] === written && navigator.language !== 'en' ? navigator.language : written === 'en' ? 'en-GB' : written;

/** @param {HTMLTimeElement} time */
export function showTime(time) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) return;
  if (!time.title) {
    time.title = time.textContent?.trim() ?? '';
    put(time, at.toLocaleString(locale, { dateStyle: 'full', timeStyle: 'short' }));
  }
  if (!time.hasAttribute('data-countdown')) return;
  const next = time.nextElementSibling;
  const until = next?.classList.contains('countdown') ? next : h('bdi', { className: 'countdown' });
  if (until !== next) time.after(' ', until);
  const left = at.getTime() - serverNow();
  put(until, countdown(left));
  // What is to begin has begun: the page says so, and who waits for it asks over some seconds.
  if (left < 0 && left > -COUNTDOWN_MILLIS && time.hasAttribute('data-refresh')) {
    document.dispatchEvent(new CustomEvent('townsquare:refresh', { detail: BEGIN_SPREAD_MILLIS }));
  }
}

/** How far the server's clock is ahead of this one: countdowns run on the server's. */
let ahead = 0;
const serverNow = () => Date.now() + ahead;

/** A page says what time it was when it was made; it came just now, or when the browser says that its first byte did. */
function setClock(came = Date.now()) {
  const page = /** @type {HTMLElement | null} */ (document.querySelector('[data-now]'));
  const said = Number(page?.dataset.now);
  if (!page || !said || page.hasAttribute('data-read')) return;
  page.setAttribute('data-read', '');
  ahead = said - came;
}

/**
 * "in 3 days", "in 1 h 56 min", "in 45 minutes", "in 4:09".
 * @param {number} millis
 */
function countdown(millis) {
  const seconds = Math.ceil(millis / 1000);
  if (seconds <= 0) return '';
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'always' });
  if (seconds > 2 * 86400) return relative.format(Math.round(seconds / 86400), 'day');
  if (seconds >= 86400) return relative.format(Math.round(seconds / 3600), 'hour');
  const minutes = Math.ceil(seconds / 60);
  if (minutes >= 60) return `in ${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
  if (seconds > 600) return relative.format(minutes, 'minute');
  return `in ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

setInterval(() => {
  for (const time of document.querySelectorAll('time[data-countdown]')) showTime(/** @type {HTMLTimeElement} */ (time));
}, COUNTDOWN_MILLIS);

/** @param {Element} field */
function offerCopy(field) {
  const input = field.querySelector('input');
  if (!input || field.querySelector('button') || !navigator.clipboard) return;
  const button = h('button', { type: 'button', className: 'button quiet' }, 'Copy');
  button.addEventListener('click', () => {
    void navigator.clipboard.writeText(input.value).then(() => {
      button.textContent = 'Copied';
      setTimeout(() => (button.textContent = 'Copy'), 2000);
    });
  });
  input.after(button);
}

const [arrived] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType('navigation'));
if (arrived) setClock(performance.timeOrigin + arrived.responseStart);
enhance();
