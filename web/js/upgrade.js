/**
 * The page of a replay that was had before everything was made of the recording gets the rest by itself. The server says in how many seconds there will
 * be more (`again`); a page asks then, at a moment of its own, a few times at most, and not while nobody looks. What is heard goes on, and what somebody is
 * busy with stays until they are done.
 */

const TRIES_MAX = 6;
/** How often it is looked whether somebody is still busy: that asks nobody. */
const BUSY_MILLIS = 2000;

/**
 * @param {HTMLElement} host the replay's element
 * @param {AbortSignal} signal
 * @param {() => void} then the page has more
 */
export function upgrade(host, signal, then) {
  let tries = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  signal.addEventListener('abort', () => clearTimeout(timer));

  const plan = () => {
    const seconds = Number(host.getAttribute('again'));
    if (!seconds || tries === TRIES_MAX || signal.aborted) return;
    tries += 1;
    timer = setTimeout(ask, seconds * 1000 * tries * (1 + Math.random()));
  };

  const ask = () => {
    if (document.hidden) document.addEventListener('visibilitychange', ask, { signal, once: true });
    else if (busy()) timer = setTimeout(ask, BUSY_MILLIS);
    else void take().then(plan);
  };

  const take = async () => {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' }, cache: 'no-store', signal }).catch(() => null);
    const html = answer?.ok ? await answer.text().catch(() => '') : '';
    if (!html || signal.aborted || busy()) return;
    const page = new DOMParser().parseFromString(html, 'text/html');
    const [fresh, rest, old] = [page.querySelector('town-replay'), page.querySelector('#after'), document.querySelector('#after')];
    if (!fresh || !rest || !old) return;
    for (const name of ['moments', 'again']) host.setAttribute(name, fresh.getAttribute(name) ?? '');
    old.replaceWith(document.importNode(rest, true));
    then();
  };

  plan();
}

/** Whether somebody types or has something open in what would be replaced. */
function busy() {
  const old = document.querySelector('#after');
  return !!old?.querySelector('details[open]') || !!old?.contains(document.activeElement);
}
