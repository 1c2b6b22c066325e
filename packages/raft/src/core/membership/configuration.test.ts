import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ofVoters } from '../../../test/core/harness.ts';
import { maxMembers } from '../bounds.ts';
import { decodeConfiguration, encodeConfiguration, isMember } from './configuration.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
const member = fc.record({
  id: name,
  incarnation: fc.string({ maxLength: 64 }),
  address: fc.string({ maxLength: 99 }),
});

test('a configuration comes back as it was', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(member, { selector: ({ id }) => id, minLength: 1, maxLength: 9 }),
      fc.nat(8),
      (members, learners) => {
        const count = Math.min(learners, members.length - 1);
        const configuration = { voters: members.slice(count), learners: members.slice(0, count) };
        expect(decodeConfiguration(encodeConfiguration(configuration))).toEqual(configuration);
      },
    ),
  );
});

test.each([
  ['nothing', ''],
  ['no JSON', '{"format":1,'],
  ['no object', '7'],
  ['null', 'null'],
  ['another format', '{"format":2,"voters":[["a","1","x"]],"learners":[]}'],
  ['no voters', '{"format":1,"voters":[],"learners":[["a","1","x"]]}'],
  ['no learners', '{"format":1,"voters":[["a","1","x"]]}'],
  ['a voter twice', '{"format":1,"voters":[["a","1","x"],["a","2","y"]],"learners":[]}'],
  ['a voter that is a learner', '{"format":1,"voters":[["a","1","x"]],"learners":[["a","1","x"]]}'],
  ['a member without address', '{"format":1,"voters":[["a","1"]],"learners":[]}'],
  ['a member with a number', '{"format":1,"voters":[["a",1,"x"]],"learners":[]}'],
  ['a name that is none', '{"format":1,"voters":[["a b","1","x"]],"learners":[]}'],
  ['a name that begins with neither letter nor digit', '{"format":1,"voters":[["_a","1","x"]],"learners":[]}'],
])('%s is no configuration', (_what, text) => {
  expect(decodeConfiguration(bytesOf(text))).toBeUndefined();
});

test('broken text and too many members are no configuration', () => {
  expect(decodeConfiguration(Uint8Array.of(0xff, 0xfe))).toBeUndefined();
  const ids = Array.from({ length: maxMembers + 1 }, (_, at) => `n${at}`);
  expect(decodeConfiguration(encodeConfiguration(ofVoters(ids)))).toBeUndefined();
  expect(decodeConfiguration(encodeConfiguration(ofVoters(ids.slice(1))))).toBeDefined();
});

test('bytes of chance are no configuration, and nothing worse', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (chance) => {
      expect(decodeConfiguration(chance)).toBeUndefined();
    }),
  );
});

test('a member has a name and texts of a sensible length', () => {
  expect(isMember({ id: 'a', incarnation: '', address: '' })).toBe(true);
  expect(isMember({ id: 'a.b', incarnation: '', address: '' })).toBe(true);
  expect(isMember({ id: '.b', incarnation: '', address: '' })).toBe(false);
  expect(isMember({ id: '', incarnation: '', address: '' })).toBe(false);
  expect(isMember({ id: 'a', incarnation: '', address: 'x'.repeat(257) })).toBe(false);
});
