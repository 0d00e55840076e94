/** The reader of the endless stream against boxes built by hand, in every way the network may cut them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Boxes } from '../js/boxes.js';

/** @param {string} name @param {...(Buffer | number[] | string)} parts */
const box = (name, ...parts) => {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(name, 4);
  return Buffer.concat([head, body]);
};
/** @param {number} value */
const u32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
/** @param {number} value */
const u64 = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
/** @param {number} number @param {number} frames */
const fragment = (number, frames = 10) =>
  Buffer.concat([
    box(
      'moof',
      box('mfhd', u32(0), u32(number + 1)),
      box('traf', box('tfhd', u32(0x020010), u32(1), u32(160)), box('tfdt', u32(0x01000000), u64(number * 9600)), box('trun', u32(1), u32(frames), u32(100))),
    ),
    box('mdat', Buffer.alloc(frames * 160)),
  ]);
/** @param {string} scheme @param {number} time @param {object} facts */
const emsg = (scheme, time, facts) => box('emsg', u32(0x01000000), u32(48000), u64(time), u32(0), u32(0), `${scheme}\0\0`, JSON.stringify(facts));

const init = Buffer.concat([box('ftyp', 'iso6'), box('moov', Buffer.alloc(40))]);
const stream = Buffer.concat([init, emsg('urn:townsquare:facts', 9600 * 7, { n: 12, s: [[1, 'Zoë', 0]] }), emsg('urn:other', 0, { n: 99 }), fragment(7), fragment(8), fragment(10, 50)]);

for (const cut of [1, 7, 64, 333, stream.length]) {
  test(`pieces are the same however the network cuts them: ${cut} bytes at a time`, () => {
    const boxes = new Boxes();
    const pieces = [];
    for (let at = 0; at < stream.length; at += cut) pieces.push(...boxes.push(stream.subarray(at, at + cut)));
    assert.deepEqual(pieces.map((piece) => (piece.kind === 'init' ? 'init' : [piece.number, piece.slots, piece.time])), ['init', [7, 1, 1.4], [8, 1, 1.6], [10, 5, 2]]);
    const [first, second] = pieces;
    assert.deepEqual(Buffer.from(first.bytes), init);
    assert.ok(second.kind === 'fragment');
    assert.deepEqual(second.said, [{ time: 1.4, facts: { n: 12, s: [[1, 'Zoë', 0]] } }]);
    assert.deepEqual(Buffer.from(second.bytes), fragment(7));
  });
}

test('the cadence is known as soon as the stream says it, wherever that is', () => {
  const boxes = new Boxes();
  const numbers = /** @param {Buffer} bytes */ (bytes) => boxes.push(bytes).map((piece) => piece.kind === 'fragment' && [piece.number, piece.said.length]);
  assert.equal(boxes.cadence, 0.2, 'a stream that says nothing comes as it is sealed');
  const says = /** @param {number} millis */ (millis) => emsg('urn:townsquare:facts', 0, { c: millis });
  assert.equal(boxes.push(Buffer.concat([init, says(4000), box('free', Buffer.alloc(30_000))])).length, 1);
  assert.equal(boxes.cadence, 4);
  assert.deepEqual(numbers(Buffer.concat([emsg('urn:townsquare:facts', 9600 * 7, { n: 12 }), says(8000), fragment(7), fragment(8)])), [[7, 1], [8, 0]]);
  assert.equal(boxes.cadence, 8);
  assert.deepEqual(numbers(says(16_000)), []);
  assert.equal(boxes.cadence, 16, 'before any fragment follows');
  assert.deepEqual(numbers(Buffer.concat([says(200), emsg('urn:other', 0, { c: 9000 }), fragment(9)])), [[9, 0]]);
  assert.equal(boxes.cadence, 0.2);
});

for (const [name, bytes] of /** @type {[string, Buffer][]} */ ([
  ['no JSON', box('emsg', u32(0x01000000), u32(48000), u64(0), u32(0), u32(0), 'urn:townsquare:facts\0\0', '{')],
  ['another version', box('emsg', u32(0), 'urn:townsquare:facts\0\0', u32(48000), u32(0), u32(0), u32(0), '{"c":9000}')],
  ['too short', box('emsg', u32(0x01000000))],
])) {
  test(`facts that can't be read are left out: ${name}`, () => {
    const boxes = new Boxes();
    assert.deepEqual(boxes.push(Buffer.concat([init, bytes, fragment(1)])).map((piece) => piece.kind === 'fragment' && piece.said), [false, []]);
    assert.equal(boxes.cadence, 0.2);
  });
}

test('what is no box is said at once', () => {
  assert.throws(() => new Boxes().push(Buffer.from('<!doctype html><title>Not here</title>')), RangeError);
  assert.throws(() => new Boxes().push(Buffer.concat([init, box('moof', box('mfhd', u32(0), u32(8))), box('mdat', Buffer.alloc(160))])), RangeError);
});
