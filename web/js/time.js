/** Times in a recording and on a clock, as people say them. */

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
 * Reads a place in a recording: "1:05", "1:01:05" or seconds; null when it is none.
 * @param {string} text
 */
export const place = (text) => (/^(\d{1,4}:){0,2}\d{1,6}(\.\d*)?$/.test(text) ? text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) : null);
