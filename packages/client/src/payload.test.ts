import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkedPayload,
  reasonOf,
  type SchemaResult,
  type StandardSchema,
  shownPayload,
  uncheckedPayload,
} from './payload.ts';

const json = { 'content-type': 'application/json' };

/** What zod and others do, in the least that the standard asks for: takes text, gives a number. */
const numberFromText: StandardSchema<string, number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    async validate(value): Promise<SchemaResult<number>> {
      const number = Number(value);
      if (typeof value === 'string' && !Number.isNaN(number)) return { value: number };
      return { issues: [{ message: 'is no number', path: ['amount', { key: 'value' }] }] };
    },
  },
};

describe('without a schema', () => {
  const codec = uncheckedPayload<unknown>();

  test('whoever writes into a payload writes into a copy', async () => {
    const bodyBytes = Buffer.from([1, 2, 3]);
    const seen = [await codec.decode({ headers: {}, bodyBytes }), shownPayload({ headers: {}, bodyBytes })];
    for (const payload of [...seen, shownPayload({ headers: json, bodyBytes })]) {
      expect(payload).toEqual(new Uint8Array([1, 2, 3]));
      if (payload instanceof Uint8Array) payload.fill(0);
    }
    expect([...bodyBytes]).toEqual([1, 2, 3]);
  });

  test('bytes are sent as they were when they were given, at each repeat', async () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const sending = codec.encode(bytes, {});
    bytes.fill(0);
    const { bodyBytes } = await sending;
    bytes.fill(9);
    expect([...bodyBytes]).toEqual([1, 2, 3]);
  });

  test('a JSON value comes back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const sent = await codec.encode(value, {});
        expect(sent.headers).toEqual(json);
        expect(await codec.decode(sent)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('bytes stay bytes, without a content type', async () => {
    const bytes = new Uint8Array([0, 255, 7]);
    const sent = await codec.encode(bytes, { trace: 'x' });
    expect(sent).toEqual({ bodyBytes: bytes, headers: { trace: 'x' } });
    expect(await codec.decode(sent)).toEqual(bytes);
  });

  test('answers in JSON are read, too', async () => {
    expect(await codec.decode({ headers: json, body: { a: 1 } })).toEqual({ a: 1 });
    expect(await codec.decode({ headers: {}, bodyBase64: 'AP8=' })).toEqual(new Uint8Array([0, 255]));
  });

  test.each([undefined, () => 1, 1n, Symbol('x')])('%s is no payload, and the field is named', async (value) => {
    await expect(codec.encode(value, {})).rejects.toMatchObject({
      code: 'HF_INVALID_REQUEST',
      facts: { fields: [{ path: 'payload' }] },
    });
  });

  test('a body that is not the JSON it says it is can not be received, but looked at', async () => {
    const broken = { headers: json, bodyBytes: new Uint8Array([0xff, 0x7b]) };
    await expect(codec.decode(broken)).rejects.toMatchObject({ code: 'HF_INVALID_REQUEST' });
    expect(shownPayload(broken)).toEqual(broken.bodyBytes);
  });
});

describe('with a schema', () => {
  const codec = checkedPayload(numberFromText);

  test('what was given is stored, and the schema transforms it once, when it is received', async () => {
    const sent = await codec.encode('12', {});
    expect(Buffer.from(sent.bodyBytes).toString()).toBe('"12"');
    expect(await codec.decode(sent)).toBe(12);
  });

  test('what does not fit is refused with the path and the message of the schema', async () => {
    await expect(codec.encode('twelve', {})).rejects.toMatchObject({
      code: 'HF_INVALID_REQUEST',
      facts: { fields: [{ path: 'payload.amount.value', message: 'is no number' }] },
    });
    await expect(codec.decode({ headers: json, body: 12 })).rejects.toThrow('payload.amount.value: is no number.');
  });
});

test('a reason is text that a node takes', () => {
  expect(reasonOf(new Error('x'.repeat(300)))).toHaveLength(200);
  expect(reasonOf('plain')).toBe('plain');
});
