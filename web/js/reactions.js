/** Reactions: eight signs to send, and those of everybody as they come. */
import { sound } from './sound.js';
import { h, number } from './words.js';

/** By the number of their kind (docs/formats.md). */
const KINDS = /** @type {const} */ ([
  ['👏', 'Clap'],
  ['❤️', 'Heart'],
  ['😄', 'Laugh'],
  ['👍', 'Agree'],
  ['👎', 'Disagree'],
  ['😮', 'Surprise'],
  ['🙏', 'Thanks'],
  ['🔥', 'Fire'],
]);
/** Signs that rise at once at most, and how long each does. */
const RISING_MAX = 24;
const RISE_MILLIS = 3000;
const COUNT_MILLIS = 4000;

const still = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * @param {import('./programme.js').Programme} programme
 * @param {AbortSignal} signal
 */
export function reactions(programme, signal) {
  const air = h('div', { className: 'air', ariaHidden: 'true' });
  const counts = h('span', { className: 'meta reaction-counts' });
  const buttons = KINDS.map(([sign, name], kind) => {
    const button = h('button', { type: 'button', className: 'reaction' }, h('span', { ariaHidden: 'true' }, sign), name);
    button.onclick = () => {
      rise(air, kind, 1);
      void send(programme, kind);
    };
    return button;
  });
  let timer = setTimeout(() => {});
  sound.addEventListener(
    'reactions',
    (event) => {
      if (sound.current !== programme) return;
      const said = /** @type {CustomEvent<[number, number][]>} */ (event).detail.filter(([kind]) => KINDS[kind]);
      counts.textContent = said.map(([kind, count]) => `${KINDS[kind][0]} ${number(count)}`).join('  ');
      clearTimeout(timer);
      timer = setTimeout(() => (counts.textContent = ''), COUNT_MILLIS);
      const all = said.reduce((sum, [, count]) => sum + count, 0);
      // A large crowd is shown by its mixture: as many signs as fit, shared as they were sent.
      for (const [kind, count] of said) rise(air, kind, Math.ceil(Math.min(1, RISING_MAX / 2 / all) * count));
    },
    { signal },
  );
  return h('div', { className: 'reactions' }, air, h('div', { className: 'cluster', role: 'group', ariaLabel: 'React' }, ...buttons, counts));
}

/**
 * @param {HTMLElement} air
 * @param {number} kind
 * @param {number} count
 */
function rise(air, kind, count) {
  if (still.matches) return;
  for (let i = 0; i < count && air.children.length < RISING_MAX; i += 1) {
    const sign = h('span', {}, KINDS[kind][0]);
    sign.style.insetInlineStart = `${5 + Math.random() * 90}%`;
    sign.style.animationDelay = `${Math.random() * 800}ms`;
    air.append(sign);
    setTimeout(() => sign.remove(), RISE_MILLIS + 800);
  }
}

/**
 * One client in N sends, and counts N times. Too often is no fault worth a word.
 * @param {import('./programme.js').Programme} programme
 * @param {number} kind
 */
async function send(programme, kind) {
  const of = programme.facts.d ?? 1;
  if (Math.random() * of >= 1) return;
  await post(programme.key, 'reactions', { kind, of });
}

/**
 * Posts to the event's API as this page's visitor.
 * @param {string} event
 * @param {string} path
 * @param {object} body
 */
export async function post(event, path, body) {
  const part = document.querySelector('town-part');
  const [ticket, word] = [part?.getAttribute('ticket'), part?.getAttribute('word')];
  return fetch(`/api/townsquare/v1/events/${event}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(ticket && { authorization: `Bearer ${ticket}` }), ...(word && { 'x-csrf-token': word }) },
    body: JSON.stringify(body),
  }).catch(() => null);
}
