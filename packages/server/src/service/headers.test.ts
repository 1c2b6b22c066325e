import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeHeaders, encodeHeaders } from './headers.ts';

const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/);
const headers = fc.dictionary(name, fc.string({ maxLength: 200, unit: 'grapheme' }), { maxKeys: 20 });

test('headers come back as they went in', () => {
  fc.assert(
    fc.property(headers, (given) => {
      expect(decodeHeaders(encodeHeaders(given))).toEqual({ ...given });
    }),
  );
});

test('the order in which headers are named changes no byte', () => {
  expect(encodeHeaders({ b: '2', a: '1' })).toEqual(encodeHeaders({ a: '1', b: '2' }));
});

test('no headers take no bytes', () => {
  expect(encodeHeaders({})).toHaveLength(0);
  expect(decodeHeaders(new Uint8Array(0))).toEqual({});
});

test('bytes that are cut off are refused', () => {
  const whole = encodeHeaders({ 'content-type': 'application/json' });
  for (let length = 1; length < whole.length; length += 1)
    expect(() => decodeHeaders(whole.subarray(0, length))).toThrow();
});
