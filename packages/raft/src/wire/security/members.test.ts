// Members that know each other by a secret or by certificates: who is taken, and that all else is as without.
import { afterEach, expect, test } from 'vitest';
import { createAuthority } from '../../../test/certificates.ts';
import { type End, Ends } from '../../../test/ends.ts';
import { freePort, until } from '../../../test/real.ts';
import { authority, secret, securities, tlsOf } from '../../../test/secured.ts';
import type { Message } from '../../core/message.ts';
import { encodeEntry } from '../../log/entry.ts';
import type { PeerSecurity } from './security.ts';

const ends = new Ends();
afterEach(() => ends.close());

const kinds = ['secret', 'tls'] as const;
const secured = (kind: (typeof kinds)[number]) =>
  ends.pair({ a: { security: securities[kind]('a') }, b: { security: securities[kind]('b') } });

test.each(kinds)('%s: large and small messages arrive in order, in both directions', async (kind) => {
  const [a, b] = await secured(kind);
  const entries = [1, 2, 3].map((index) => encodeEntry(index, 1, 'commands', Buffer.alloc(1_000_000, index)));
  const head = { from: 'a', to: 'b', term: 1 } as const;
  const append: Message = { kind: 'appendRequest', ...head, previousIndex: 0, previousTerm: 0, commit: 0, entries };
  a.transport.send(append);
  for (let index = 0; index < 100; index++) b.transport.sendControl('a', Buffer.from(`${index}`));
  await until(() => b.messages.length === 1 && a.controls.length === 100);
  expect(b.messages[0]).toMatchObject({ entries: entries.map(({ index }) => ({ index })) });
  expect(a.controls).toEqual([...Array(100).keys()].map((index) => `b: ${index}`));
  expect(b.activity).toBeGreaterThan(0);
  expect([a, b].map(({ transport }) => transport.versionTo(transport === a.transport ? 'b' : 'a'))).toEqual([2, 2]);
});

test.each(kinds)('%s: a process that is gone is known to be dead at once, and found again', async (kind) => {
  const [a, b] = await secured(kind);
  await b.transport.close();
  await until(() => a.lost.includes('b dead'));
  expect(a.lost.indexOf('b reset')).toBeLessThan(a.lost.indexOf('b dead'));
  await ends.open('b', b.port, new Map([['a', a.port]]), { security: securities[kind]('b') });
  await until(() => a.transport.connectedPeers().length === 1);
});

test.each(kinds)('%s: a process that is refused hears why, on its own connection and at its address', async (kind) => {
  const [portA, portB] = [await freePort(), await freePort()];
  const a = await ends.open('a', portA, new Map([['b', portB]]), { security: securities[kind]('a') });
  a.refuses = 'boot of b';
  const b = await ends.open('b', portB, new Map([['a', portA]]), { security: securities[kind]('b') });
  await until(() => b.controls.length >= 4);
  expect(new Set(b.controls)).toEqual(new Set(['a: not boot of b']));
  expect(a.ups).toEqual([]);
});

const selfMade = createAuthority('somebody else');
const bSecret = (given: string, alsoAccepted: readonly string[] = []): PeerSecurity => ({
  kind: 'secret',
  secret: given,
  alsoAccepted,
});
const tlsWith = (pem: { key: string; cert: string }): PeerSecurity => ({ kind: 'tls', ...pem, ca: authority.cert });

test.each<[string, PeerSecurity, PeerSecurity, string, string]>([
  [
    'another secret',
    securities.secret('a'),
    bSecret('not the one that the others have been given'),
    'refused.secret',
    'unanswered',
  ],
  ['no secret', securities.secret('a'), { kind: 'none' }, 'refused.security', 'refusedByPeer'],
  ['a secret where none is asked for', { kind: 'none' }, securities.secret('b'), 'refused.security', 'refusedByPeer'],
  [
    'certificates of another authority',
    tlsOf('a'),
    { ...tlsOf('b', selfMade), ca: selfMade.cert },
    'tls.untrusted',
    'tls.untrusted',
  ],
  ['a certificate of another authority', tlsOf('a'), tlsOf('b', selfMade), 'tls.untrusted', 'unanswered'],
  ['no TLS', tlsOf('a'), { kind: 'none' }, 'tls.handshake', 'broken.magic'],
  ['no TLS, but a secret', tlsOf('a'), securities.secret('b'), 'tls.handshake', 'broken.magic'],
])('a member with %s is not taken', async (_, securityA, securityB, countAtA, countAtB) => {
  const [portA, portB] = [await freePort(), await freePort()];
  const a = await ends.open('a', portA, new Map([['b', portB]]), { security: securityA });
  const b = await ends.open('b', portB, new Map([['a', portA]]), { security: securityB });
  const countOf = (end: End, name: string): number => end.transport.counts.get(name) ?? 0;
  await until(() => countOf(a, countAtA) >= 2 && countOf(b, countAtB) >= 2);
  expect([...a.ups, ...b.ups]).toEqual([]);
});

test('who has the certificate of another member is not taken, though the authority has signed it', async () => {
  const [portA, portB] = [await freePort(), await freePort()];
  const faults: string[] = [];
  const a = await ends.open('a', portA, new Map([['b', portB]]), {
    security: tlsOf('a'),
    onFault: ({ reason, says }) => faults.push(`${reason}: ${says}`),
  });
  // Introduces itself as b with the certificate of c, and answers at the address of b with it.
  const c = await ends.open('c', portB, new Map([['a', portA]]), { security: tlsOf('c'), hello: { id: 'b' } });
  await until(() => ['tls.wrongName', 'refused.certificate'].every((name) => (a.transport.counts.get(name) ?? 0) > 1));
  expect([...a.ups, ...c.ups]).toEqual([]);
  expect(faults).toContain('refused.certificate: its certificate names another member');
});

test('the secret is changed one member after the other, and no two lose each other', async () => {
  const next = 'the next secret, drawn as the first one was';
  const steps = [bSecret(secret), bSecret(secret, [next]), bSecret(next, [secret]), bSecret(next)];
  for (const [i, step] of steps.slice(1).entries()) {
    const [a, b] = await ends.pair({ a: { security: steps[i] ?? step }, b: { security: step } });
    expect([a, b].map(({ ups }) => ups.length)).toEqual([4, 4]);
    await ends.close();
  }
});

test.each<[string, PeerSecurity, string]>([
  ['a short secret', bSecret('x'.repeat(31)), 'has 31 bytes, but must have at least 32'],
  ['a short second secret', bSecret(secret, ['']), 'has 0 bytes'],
  ['too many secrets', bSecret(secret, Array(4).fill(secret)), 'There are 5 secrets, but 4 are the most.'],
  ['a certificate that is none', tlsWith({ ...tlsOf('b'), cert: 'x' }), 'The certificate can not be read'],
  ['a key that is none', tlsWith({ ...tlsOf('b'), key: 'x' }), 'The key can not be read'],
  ['an authority that is none', { ...tlsOf('b'), ca: 'x' }, 'The authority can not be read'],
  ['the key of another', tlsWith({ ...tlsOf('b'), key: authority.key }), 'The key is not the one of the certificate.'],
  ['the certificate of another', tlsOf('c'), 'The certificate names DNS:c, and not this member, "b".'],
  ['a certificate by its address', tlsWith(authority.issue({ name: 'x' })), 'The certificate names CN=x, and not'],
  ['a certificate of all names', tlsWith(authority.issue({ name: 'b', dnsNames: ['*'] })), 'names DNS:*, and not'],
  ['a common name beside others', tlsWith(authority.issue({ name: 'b', dnsNames: ['c'] })), 'names DNS:c, and not'],
  ['another case', tlsWith(authority.issue({ name: 'x', dnsNames: ['B'] })), 'names DNS:B, and not'],
  [
    'a past certificate',
    tlsWith(authority.issue({ name: 'b', notAfter: new Date(0) })),
    'ran out on Jan  1 00:00:00 1970 GMT',
  ],
])('%s is refused before anything listens', async (_, security, says) => {
  const opened = ends.open('b', await freePort(), new Map(), { security });
  await expect(opened).rejects.toMatchObject({ code: 'HF_PEER_SECURITY', message: expect.stringContaining(says) });
});

test('a common name is enough where there are no other names', async () => {
  const pem = authority.issue({ name: 'b' });
  await ends.pair({ a: { security: tlsOf('a') }, b: { security: tlsWith(pem) } });
});
