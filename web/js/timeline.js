/**
 * What a replay's page shows besides the player: a timeline with the reactions as a curve and a lane for everybody who spoke, the turns as
 * a list, chapters and deep links that seek, skipping by seconds and by speaker, media keys. Loaded once a replay is on the page.
 *
 * @typedef {{ seconds: number, people: { id: number, name: string, spoke_ms: number }[], turns: [number, number, number][], step: number,
 *   reactions: number[], pins: { at: number, text: string }[] }} Moments
 * @typedef {{ at: number, seconds: number, state: string, seek: (seconds: number) => void, play: () => void, toggle: () => void, ours: () => boolean }} Deck
 */
import { clock, place } from './time.js';
import { h, typed } from './words.js';

const BACK_SECONDS = 15;
const ON_SECONDS = 30;
const LANES_MAX = 8;
/** A turn shorter than this is a word thrown in, not somebody's turn. */
const TURN_SECONDS = 2;
const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...Node} children
 */
function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * Adds the timeline to a replay's element.
 * @param {HTMLElement} host
 * @param {Deck} deck
 * @param {AbortSignal} signal
 */
export function timeline(host, deck, signal) {
  const buttons = h('div', { className: 'cluster skips' });
  const skip = /** @param {string} text @param {() => void} press */ (text, press) => {
    const button = h('button', { type: 'button', className: 'button quiet' }, text);
    button.addEventListener('click', press, { signal });
    buttons.append(button);
    return button;
  };
  const by = /** @param {number} seconds */ (seconds) => deck.seek(Math.max(Math.min(deck.at + seconds, (deck.seconds || Infinity) - 1), 0));
  skip(`Back ${BACK_SECONDS} s`, () => by(-BACK_SECONDS));
  skip(`On ${ON_SECONDS} s`, () => by(ON_SECONDS));
  const next = skip('Next speaker', () => nextSpeaker());
  next.hidden = true;
  host.querySelector('.player')?.after(buttons);

  /** @type {Moments | null} */
  let moments = null;
  const nextSpeaker = () => {
    const turn = moments && following(moments, deck.at);
    if (turn) deck.seek(turn[1]);
  };

  const at = () => {
    const seconds = place(/^#t=(.+)$/.exec(location.hash)?.[1] ?? '');
    if (seconds !== null && seconds !== deck.at) deck.seek(seconds);
  };
  at();
  addEventListener('hashchange', at, { signal });
  document.addEventListener('click', (event) => {
    const link = /** @type {HTMLElement} */ (event.target).closest?.('a[data-seek]');
    const seconds = Number(link?.getAttribute('data-seek') ?? NaN);
    if (!link || Number.isNaN(seconds) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    deck.seek(seconds);
    deck.play();
  }, { signal, capture: true });
  document.addEventListener('keydown', (event) => {
    const free = !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.altKey;
    const keys = { k: deck.toggle, ' ': deck.toggle, j: () => by(-BACK_SECONDS), l: () => by(ON_SECONDS), n: nextSpeaker };
    const act = /** @type {Record<string, () => void>} */ (keys)[event.key.toLowerCase()];
    if (!act || !free || /** @type {HTMLElement} */ (event.target).closest?.('input, select, textarea, button, a, summary, dialog, [contenteditable]')) return;
    event.preventDefault();
    act();
  }, { signal });
  mediaKeys(deck, { seekbackward: () => by(-BACK_SECONDS), seekforward: () => by(ON_SECONDS), nexttrack: nextSpeaker }, signal);

  const load = () => {
    fieldsTakeTheTime(deck, signal);
    const address = host.getAttribute('moments');
    if (!address || moments) return;
    void fetch(address, { signal }).then((answer) => (answer.ok ? answer.json() : null)).then((found) => {
      moments = found;
      if (!moments || !moments.seconds) return;
      next.hidden = !moments.turns.length;
      draw(host, buttons, moments, deck, signal);
    }).catch(() => {});
  };
  load();
  if (host.hasAttribute('again')) void import('./upgrade.js').then(({ upgrade }) => upgrade(host, signal, load));
}

/**
 * The first turn of somebody else behind a place.
 * @param {Moments} moments
 * @param {number} at
 */
function following({ turns }, at) {
  const long = turns.filter(([, from, to]) => to - from >= TURN_SECONDS);
  const now = long.findLast(([, from, to]) => from <= at + 0.3 && at < to)?.[0];
  return long.find(([who, from]) => from > at + 0.3 && who !== now);
}

/**
 * @param {HTMLElement} host
 * @param {HTMLElement} after
 * @param {Moments} moments
 * @param {Deck} deck
 * @param {AbortSignal} signal
 */
function draw(host, after, moments, deck, signal) {
  const { seconds, reactions, pins } = moments;
  const speakers = moments.people.filter((person) => person.spoke_ms > 0).sort((a, b) => b.spoke_ms - a.spoke_ms);
  const lanes = speakers.slice(0, LANES_MAX);
  const x = /** @param {number} at */ (at) => ((at / seconds) * 1000).toFixed(2);
  const curve = reactions.length ? 40 : 0;
  const height = curve + lanes.length * 10 + 6;
  const picture = svg('svg', { viewBox: `0 0 1000 ${height}`, preserveAspectRatio: 'none', class: 'lanes', 'aria-hidden': 'true' });
  if (curve) {
    const most = Math.max(...reactions);
    const points = reactions.map((count, i) => `${x(Math.min((i + 0.5) * moments.step, seconds))},${(curve - (count / most) * (curve - 4)).toFixed(1)}`);
    picture.append(svg('polygon', { class: 'curve', points: `0,${curve} ${points.join(' ')} 1000,${curve}` }));
  }
  lanes.forEach((person, lane) => {
    const turns = moments.turns.filter(([who]) => who === person.id);
    const path = turns.map(([, from, to]) => `M${x(from)} ${curve + lane * 10 + 6}H${Math.max(Number(x(to)), Number(x(from)) + 1).toFixed(2)}`).join('');
    picture.append(svg('path', { class: `lane lane-${lane % 4}`, d: path }));
  });
  pins.forEach((pin) => picture.append(svg('path', { class: 'pin', d: `M${x(pin.at)} 0V${height}` })));
  picture.style.blockSize = `${(curve && 3.5) + lanes.length * 0.8 + 0.5}rem`;
  const needle = svg('path', { class: 'needle', d: `M0 0V${height}` });
  picture.append(needle);
  const names = h('ul', { className: 'lane-names', ariaHidden: 'true' }, ...lanes.map((person, lane) => h('li', { className: `lane-${lane % 4}` }, typed(called(person)))));
  const figure = h('div', { className: 'timeline' });
  figure.append(picture, ...(lanes.length ? [names] : []));
  figure.addEventListener('click', (event) => {
    const box = picture.getBoundingClientRect();
    if (event.clientY > box.bottom || !box.width) return;
    const part = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    // Where writing runs from right to left, so does time: the picture is mirrored there.
    deck.seek((picture.matches(':dir(rtl)') ? 1 - part : part) * seconds);
  }, { signal });
  const move = () => needle.setAttribute('transform', `translate(${x(Math.min(deck.at, seconds))} 0)`);
  host.addEventListener('townsquare:moved', move, { signal });
  move();
  host.querySelectorAll('.timeline, .turns').forEach((old) => old.remove());
  after.before(figure);
  after.after(turnsList(moments, signal));
}

/** @param {{ id: number, name: string }} person */
const called = (person) => person.name || `Speaker ${person.id}`;

/**
 * Who spoke when, as a list that is written when somebody opens it.
 * @param {Moments} moments
 * @param {AbortSignal} signal
 */
function turnsList({ turns, people }, signal) {
  const names = new Map(people.map((person) => [person.id, called(person)]));
  const details = h('details', { className: 'turns' }, h('summary', {}, 'Who spoke when'));
  details.addEventListener('toggle', () => {
    if (details.querySelector('ol')) return;
    const items = turns.map(([who, from]) => {
      const link = h('a', { href: `#t=${clock(from)}` }, h('bdi', { className: 'meta' }, clock(from)), ' ', typed(names.get(who) ?? ''));
      link.setAttribute('data-seek', String(from));
      return h('li', {}, link);
    });
    details.append(h('ol', { className: 'chapters' }, ...items));
  }, { signal });
  details.hidden = !turns.length;
  return details;
}

/**
 * @param {Deck} deck
 * @param {Partial<Record<MediaSessionAction, () => void>>} keys
 * @param {AbortSignal} signal
 */
function mediaKeys(deck, keys, signal) {
  if (!('mediaSession' in navigator)) return;
  const set = /** @param {MediaSessionAction} action @param {MediaSessionActionHandler | null} act */ (action, act) => {
    try {
      navigator.mediaSession.setActionHandler(action, act);
    } catch {
      // A browser that does not know this key has no such key.
    }
  };
  for (const [action, act] of Object.entries(keys)) set(/** @type {MediaSessionAction} */ (action), () => deck.ours() && act());
  set('seekto', ({ seekTime }) => deck.ours() && seekTime !== undefined && deck.seek(seekTime ?? 0));
  signal.addEventListener('abort', () => !deck.ours() && [...Object.keys(keys), 'seekto'].forEach((action) => set(/** @type {MediaSessionAction} */ (action), null)));
}

/**
 * A field for a place in the recording takes the place that is heard.
 * @param {Deck} deck
 * @param {AbortSignal} signal
 */
function fieldsTakeTheTime(deck, signal) {
  for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('main input[data-now]'))) {
    if (input.parentElement?.querySelector('button')) continue;
    const button = h('button', { type: 'button', className: 'button quiet' }, 'Here');
    button.title = 'Take the place that is heard';
    button.setAttribute('aria-label', `${input.labels?.[0]?.textContent ?? ''}: take the place that is heard`);
    button.addEventListener('click', () => (input.value = clock(deck.at)), { signal });
    input.after(button);
  }
}
