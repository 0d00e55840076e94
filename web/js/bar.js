/** The bar at the foot while what plays is not what the page shows. */
import { sound } from './sound.js';
import { h, typed } from './words.js';

function bar() {
  const link = h('a', { dir: 'auto' });
  const who = h('span', { className: 'meta' });
  const stop = h('button', { type: 'button', className: 'button quiet' }, 'Stop');
  const aside = h('aside', { className: 'now', hidden: true, ariaLabel: 'Playing now' }, h('span', { className: 'now-mark', ariaHidden: 'true' }), h('p', {}, link, who), stop);
  stop.addEventListener('click', () => sound.stop());
  const show = () => {
    const source = sound.current;
    const isReplay = source?.key.startsWith('replay ');
    const elsewhere = source && source.state !== 'idle' && !document.querySelector(`[event="${CSS.escape(source.key.replace('replay ', ''))}"]`);
    aside.hidden = !elsewhere;
    if (!source || !elsewhere) return;
    link.textContent = source.title;
    link.setAttribute('href', source.page);
    if (!aside.isConnected) document.body.append(aside);
    who.replaceChildren(
      ...(source.state === 'ended' ? ['The event is over. Its page has the replay.'] : source.who ? (isReplay ? [source.who] : [typed(source.who), ' speaking']) : [source.state === 'playing' ? 'Playing' : 'Waiting']),
    );
  };
  sound.addEventListener('change', show);
  // The page shown has changed: what plays may be on it now, or no longer.
  new MutationObserver(show).observe(document.body, { childList: true });
}

bar();
