import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCursor, decodeId, decodeReceipt, encodeCursor, encodeId, encodeReceipt } from './ids.ts';

const number32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const seq = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const position = fc.record({ fireAtMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }), seq });
const messageRef = fc.record({ epoch: number32, topic: number32, position });
const receiptRef = fc.record({ epoch: number32, topic: number32, group: number32, position, token: seq });

/** Every text that differs from `text` in one character. */
function* misspellings(text: string): Generator<string> {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  for (let at = 0; at < text.length; at += 1)
    for (const letter of letters) if (letter !== text[at]) yield text.slice(0, at) + letter + text.slice(at + 1);
}

test('an id names what it was made from, and has the form that the API promises', () => {
  fc.assert(
    fc.property(messageRef, (ref) => {
      const id = encodeId(ref);
      expect(id).toMatch(/^[A-Za-z0-9_-]{32}$/);
      expect(decodeId(id)).toEqual(ref);
      expect(encodeId(decodeId(id) ?? ref)).toBe(id);
    }),
  );
});

test('a receipt and a cursor name what they were made from', () => {
  fc.assert(
    fc.property(receiptRef, messageRef, (receipt, ref) => {
      expect(encodeReceipt(receipt)).toMatch(/^[A-Za-z0-9_-]{44}$/);
      expect(decodeReceipt(encodeReceipt(receipt))).toEqual(receipt);
      expect(decodeCursor(encodeCursor(ref))).toEqual(ref);
    }),
  );
});

test('one wrong character is always found', () => {
  const ref = { epoch: 1, topic: 7, position: { fireAtMs: 1_893_456_000_000, seq: 4_711 } };
  for (const wrong of misspellings(encodeId(ref))) expect(decodeId(wrong)).toBeUndefined();
  for (const wrong of misspellings(encodeReceipt({ ...ref, group: 3, token: 4_712 })))
    expect(decodeReceipt(wrong)).toBeUndefined();
});

test('one kind of handle is never taken for another', () => {
  const ref = { epoch: 1, topic: 7, position: { fireAtMs: 5, seq: 6 } };
  expect(decodeId(encodeCursor(ref))).toBeUndefined();
  expect(decodeCursor(encodeId(ref))).toBeUndefined();
  expect(decodeReceipt(encodeId(ref))).toBeUndefined();
});

test.each(['', 'A', 'not an id', '='.repeat(32), 'é'.repeat(32), `${'A'.repeat(31)} `])('%j is no id', (text) => {
  expect(decodeId(text)).toBeUndefined();
});
