/** Small ways of making elements and of saying numbers and names. */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Partial<HTMLElementTagNameMap[K]>} properties
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const locale = document.documentElement.lang || undefined;

/** @param {number} value */
export const number = (value) => value.toLocaleString(locale);

/**
 * What somebody typed: it runs its own way, the words around it theirs.
 * @param {string} text
 */
export const typed = (text) => h('bdi', {}, text);

/**
 * "Ada", "Ada and Ben", "Ada, Ben and 2 others".
 * @param {string[]} all
 */
export function names(all) {
  const some = all.length > 3 ? [...all.slice(0, 2), `${number(all.length - 2)} others`] : all;
  return some.flatMap((one, i) => [i ? (some[i + 1] ? ', ' : ' and ') : '', typed(one)]);
}

/**
 * Sets the text when it is another one: an unchanged text is not read out again.
 * @param {Element} element
 * @param {string | (Node | string)[]} text
 */
export function put(element, text) {
  const parts = h('p', {}, ...[text].flat());
  if (element.textContent !== parts.textContent) element.replaceChildren(...parts.childNodes);
}

/** @param {string} name */
export const initial = (name) => [...name.trim()][0]?.toLocaleUpperCase() ?? '?';
