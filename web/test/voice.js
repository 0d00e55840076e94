/** Voices for the tests: speech by espeak-ng as 48 kHz mono WAV, made once. */
import { execFile } from 'node:child_process';
import { access, mkdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cache = join(tmpdir(), 'townsquare-voices-1');

const TEXTS = {
  ada: ['en-us+f3', '150', 'The meeting is open. We speak about the bridge over the river, about the school, and about the water. Who wants to speak raises a hand and is heard in turn.'],
  ben: ['en-gb+m3', '185', 'Thank you. I have three questions on the budget, and one on the trees. First: who pays for the new roof? Second, when does the work begin, and third, what happens to the old one?'],
};

/**
 * @param {keyof typeof TEXTS} name
 * @returns {Promise<string>} the file's path
 */
export async function voice(name) {
  const file = join(cache, `${name}.wav`);
  if (await access(file).then(() => true, () => false)) return file;
  await mkdir(cache, { recursive: true });
  const [kind, speed, text] = TEXTS[name];
  const [raw, made] = [`${file}.${process.pid}.raw.wav`, `${file}.${process.pid}.wav`];
  await run('espeak-ng', ['-v', kind, '-s', speed, '-w', raw, text]);
  await run('ffmpeg', ['-v', 'error', '-y', '-i', raw, '-ar', '48000', '-ac', '1', '-af', 'loudnorm=I=-20:TP=-3', '-ar', '48000', '-c:a', 'pcm_s16le', made]);
  await rename(made, file);
  return file;
}
