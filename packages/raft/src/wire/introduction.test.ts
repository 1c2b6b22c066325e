import { expect, test } from 'vitest';
import { helloOf } from '../../test/ends.ts';
import { secret } from '../../test/secured.ts';
import { encodeHandshake, type LaneName } from './handshake.ts';
import { Introduction } from './introduction.ts';
import { encodeHail } from './security/secret.ts';

const frame = (kind: 'hail' | 'greeting', body: Uint8Array) => ({
  kind,
  body: Buffer.from(body),
  checkedBytes: body.length,
});

/** Who hails as b on the lane for control, and whose seal is right, then greets so. */
function greeted(from: string, to: string, lane: LaneName) {
  const security = { kind: 'secret', secret, accepted: [secret] } as const;
  const knows = (id: string): boolean => ['b', 'c'].includes(id);
  const introduction = new Introduction({ id: 'a', knows, security, hello: () => helloOf('a'), names: () => true });
  const hail = frame('hail', encodeHail({ from: 'b', to: 'a', lane: 'control' }));
  expect(introduction.hear(hail)).toMatchObject({ kind: 'challenged' });
  return introduction.hear(frame('greeting', encodeHandshake({ version: 1, lane, to, hello: helloOf(from) })));
}

test('who greets as it has hailed is introduced', () => {
  expect(greeted('b', 'a', 'control')).toMatchObject({ kind: 'introduced', version: 2 });
});

test.each([
  ['under the name of another member', 'c', 'a', 'control'],
  ['for another receiver', 'b', 'c', 'control'],
  ['for the other lane', 'b', 'a', 'bulk'],
] as const)('who greets %s than it has hailed is refused', (_, from, to, lane) => {
  expect(greeted(from, to, lane)).toEqual({ kind: 'refused', reason: 'secret' });
});
