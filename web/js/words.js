/** Small ways of making elements and of saying numbers, names and times. */

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
 * "Ada", "Ada and Ben", "Ada, Ben and 2 others".
 * @param {string[]} all
 */
export function names(all) {
  if (all.length < 3) return all.join(' and ');
  return `${all[0]}, ${all[1]} and ${all.length === 3 ? all[2] : `${number(all.length - 2)} others`}`;
}

/**
 * Sets the text when it is another one: an unchanged text is not read out again.
 * @param {Element} element
 * @param {string} text
 */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string} name */
export const initial = (name) => [...name.trim()][0]?.toLocaleUpperCase() ?? '?';
