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
 * 65 is "1:05", 3665 is "1:01:05".
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = /** @param {number} n */ (n) => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
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
