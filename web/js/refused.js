/** What it means for a listener that a relay gives no sound. It comes when it is needed first. */

/**
 * @param {Response} answer
 * @returns {Promise<import('./programme.js').Outcome>}
 */
export async function refused(answer) {
  const problem = await answer.json().catch(() => ({}));
  const seconds = Math.min(60, Number(answer.headers.get('Retry-After')) || 3);
  if (answer.status === 410) return 'ended';
  if (problem.code === 'event-not-live' || (answer.status === 404 && !problem.code)) return { seconds, text: 'Waiting for the event. The sound starts by itself.' };
  if (answer.status === 503 || answer.status === 429) return { seconds, text: 'The square is full of people. You are next in a moment.' };
  if (answer.status >= 500) return 'broken';
  return { fault: problem.detail ?? 'This sound is not here.' };
}
