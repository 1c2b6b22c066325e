import { describe, expect, test } from 'vitest';
import { recordFrom } from './founding.ts';
import { checkIdentity, decodeIdentity, encodeIdentity, newIdentity } from './identity.ts';

const random = () => 0.5;

describe.each(['__proto__', '_a', '.a', '-a', '', 'a b', 'a'.repeat(65), 'é'])(
  '"%s" is no name of a member',
  (name) => {
    const clear = new RangeError(
      `"${name}" can not be the name of a member: 1 to 64 letters, digits, ".", "_" and "-", a letter or a digit in front.`,
    );

    test('nobody founds a directory with it', () => {
      expect(() => newIdentity({ id: name, members: [name] }, random)).toThrow(clear);
      expect(() => newIdentity({ id: 'a', members: ['a', name] }, random)).toThrow(clear);
    });

    test('nobody opens a directory with it', () => {
      const identity = newIdentity({ id: 'a', members: ['a'] }, random);
      expect(() => checkIdentity(identity, { id: name, members: ['a'] })).toThrow(clear);
      expect(() => checkIdentity(identity, { id: 'a', members: ['a', name] })).toThrow(clear);
    });

    test('no founding record has it', () => {
      const text = `{"clusterId":"c","incarnations":{"a":"1",${JSON.stringify(name)}:"2"}}`;
      expect(recordFrom(JSON.parse(text))).toBeUndefined();
    });
  },
);

test.each(['a', '0', 'a.b-c_d', 'A'.repeat(64), 'constructor', 'toString'])('%s is founded and read again', (id) => {
  const record = { clusterId: 'c', incarnations: { [id]: '1', other: '2' } };
  const identity = {
    ...newIdentity({ id, members: [id, 'other'] }, random),
    founding: { record, confirmed: true },
  };
  expect(decodeIdentity(encodeIdentity(identity))).toEqual(identity);
  expect(() => checkIdentity(identity, { id, members: ['other', id] })).not.toThrow();
});

test('nobody founds a cluster with one name twice, or with more members than an entry can name', () => {
  const names = Array.from({ length: 33 }, (_, i) => `n${i}`);
  expect(() => newIdentity({ id: 'a', members: ['a', 'a'] }, random)).toThrow(
    new RangeError('"a" is named twice among the members.'),
  );
  expect(() => newIdentity({ id: 'n0', members: names }, random)).toThrow(
    new RangeError('33 members are too many: at most 32.'),
  );
  expect(newIdentity({ id: 'n0', members: names.slice(0, 32) }, random).members).toHaveLength(32);
});
