import { expect, test } from 'vitest';
import { decodeStamp, encodeStamp, maxTimeMs } from './stamp.ts';

test.each([0, 1, 1_700_000_000_000, maxTimeMs])('the stamp %s comes back', (ms) => {
  expect(encodeStamp(ms)).toHaveLength(8);
  expect(decodeStamp(encodeStamp(ms))).toBe(ms);
});

test('an entry without a header has no stamp', () => {
  expect(decodeStamp(new Uint8Array())).toBeUndefined();
});

test.each([-1, 0.5, Number.NaN, maxTimeMs + 1])('%s is no stamp', (ms) => {
  expect(() => encodeStamp(ms)).toThrow(RangeError);
});

test.each(['00', '0001000000000000', '000000000000000000'])('the header %s is no stamp', (hex) => {
  expect(() => decodeStamp(Buffer.from(hex, 'hex'))).toThrow(RangeError);
});
