import { expect, test } from 'vitest';
import { decodeControl, encodeControl } from './control.ts';

const record = { clusterId: 'x', incarnations: { a: '1', b: '2' } };

test.each<Parameters<typeof encodeControl>[0]>([
  { kind: 'formation', incarnation: '1', record, confirmed: true },
  { kind: 'formation', incarnation: '1', record: undefined, confirmed: false },
  { kind: 'refusal', incarnation: '1', bootId: 'x', code: 'HF_WIPED_MEMBER', detail: 'because' },
  { kind: 'stranger' },
  { kind: 'notNamed', incarnation: '1', index: 7 },
  {
    kind: 'members',
    incarnation: '1',
    record,
    index: 7,
    members: [{ id: 'a', incarnation: '1', address: 'here' }],
  },
  { kind: 'refusal', incarnation: '1', bootId: undefined, code: 'HF_WIPED_MEMBER', detail: 'because' },
])('what was said is heard: %o', (control) => {
  expect(decodeControl(encodeControl(control))).toEqual(control);
});

test.each([
  '',
  '[]',
  'null',
  '{"kind":"formation"}',
  '{"kind":"formation","incarnation":"1","confirmed":true,"record":{"clusterId":1}}',
  '{"kind":"formation","incarnation":"1","confirmed":true,"record":{"clusterId":"x","incarnations":{"a":1}}}',
  '{"kind":"refusal","incarnation":"1","code":"toString","detail":"x"}',
  '{"kind":"refusal","code":"HF_WIPED_MEMBER","detail":"whom?"}',
  '{"kind":"refusal","incarnation":"1","bootId":2,"code":"HF_WIPED_MEMBER","detail":"x"}',
  '{"kind":"snapshotOffer","exportId":1,"index":0,"term":1,"configuration":""}',
  '{"kind":"snapshotFetch","exportId":"1"}',
  '{"kind":"snapshotFetch","exportId":1,"after":2}',
  '{"kind":"members","incarnation":"1","record":{"clusterId":"x","incarnations":{}},"index":-1,"members":[]}',
  '{"kind":"members","incarnation":"1","index":1,"members":[]}',
  '{"kind":"notNamed","incarnation":"1"}',
  '{"kind":"notNamed","incarnation":1,"index":1}',
  '{"kind":"notNamed","incarnation":"1","index":0.5}',
  '{"kind":"members","incarnation":"1","record":{"clusterId":"x","incarnations":{}},"index":1,"members":[{"id":"a b","incarnation":"","address":""}]}',
  '{"kind":"snapshotGone"}',
  '{"kind":"snapshotInstalled","index":-1}',
])('nonsense is nothing: %s', (text) => {
  expect(decodeControl(Buffer.from(text))).toBe('broken');
});

test('a kind that this build does not know may be of a newer one', () => {
  expect(decodeControl(Buffer.from('{"kind":"another"}'))).toBe('unknown');
});
