// Commands that are repeated after they were interrupted somewhere, against a cluster that answers from a list.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AnswerOf, HoldfastError, toProblem } from '@holdfast/api';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { addMember, removeMember, replaceMember, transferLeadership } from './members.ts';

type Listed = AnswerOf<'members'>['members'][number];
const listed = (id: string, incarnation: string, role: Listed['role'] = 'voter'): Listed => ({
  id,
  incarnation,
  role,
  reachable: incarnation !== 'old',
});

/** The leader, and the new node: `/v1/cluster` describes that one. */
let node: { id: string; incarnation: string; waits: boolean };
let members: Listed[];
let changes: string[];
/** Looks at the list before what was asked for last is settled. */
let looksUnsettled: number;
/** So many changes are done, and their answers lost; what comes in between. */
let losesAnswers: number;
let meanwhile: () => void;
let leader: string;
let api: string;
const said: string[] = [];

function change(request: IncomingMessage, url: URL): object {
  if (url.pathname === '/v1/cluster/transfer') return transferred();
  const id = url.pathname.split('/')[4] ?? node.id;
  const incarnation = url.searchParams.get('incarnation') ?? undefined;
  const member = members.find((one) => one.id === id);
  if (request.method === 'POST') {
    if (member !== undefined && member.incarnation !== node.incarnation) throw new HoldfastError('HF_MEMBERS_REFUSED');
    changes.push(`add ${id} ${node.incarnation}`);
    members.push(listed(id, node.incarnation));
  } else {
    if (member === undefined) return { kind: 'absent' };
    if (incarnation !== undefined && member.incarnation !== incarnation) throw new HoldfastError('HF_MEMBERS_REFUSED');
    changes.push(`remove ${id} ${member.incarnation}`);
    members = members.filter((one) => one !== member);
  }
  losesAnswers -= 1;
  if (losesAnswers >= 0) {
    meanwhile();
    throw new HoldfastError('HF_OUTCOME_UNKNOWN');
  }
  return request.method === 'POST' ? { kind: 'added', role: 'learner' } : { kind: 'removed' };
}

/** To another one than the leader, as without a name. */
function transferred(): object {
  leader = leader === 'n1' ? 'n2' : 'n1';
  changes.push(`transfer to ${leader}`);
  losesAnswers -= 1;
  if (losesAnswers >= 0) throw new HoldfastError('HF_OUTCOME_UNKNOWN');
  return { kind: 'started', to: leader };
}

function answer(request: IncomingMessage): object {
  const url = new URL(request.url ?? '', 'http://node');
  if (request.method !== 'GET') return change(request, url);
  if (url.pathname === '/v1/cluster/members') {
    looksUnsettled -= 1;
    return { leader, settled: looksUnsettled < 0, members };
  }
  const { id, incarnation, waits } = node;
  const waiting = waits ? { waiting: { incarnation, peer: 'host:1', api: 'http://host:2' } } : {};
  const log = { role: 'follower', serving: false, term: 1, commit: 1, applied: 1, stateHash: '', clockMs: 1 };
  return { id, incarnation, ...waiting, ...log, members: [] };
}

const server = createServer((request, response) => {
  let status = 200;
  let body: object;
  try {
    body = answer(request);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    status = error.status;
    body = toProblem(error);
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});

beforeEach(async () => {
  [changes, looksUnsettled, losesAnswers, meanwhile] = [[], 0, 0, () => undefined];
  leader = 'n1';
  members = [listed('n1', 'a'), listed('n2', 'b'), listed('n3', 'old')];
  said.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  api = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});

afterEach(async () => {
  vi.restoreAllMocks();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const names = (): string[] => members.map(({ id, incarnation }) => `${id} ${incarnation}`);

test('a replacement by another name adds, and then removes; cut short in between, it removes when it is repeated', async () => {
  node = { id: 'n4', incarnation: 'd', waits: true };
  await replaceMember('n3', api, { to: api });
  expect(changes).toEqual(['add n4 d', 'remove n3 old']);

  members = [listed('n1', 'a'), listed('n2', 'b'), listed('n3', 'old'), listed('n4', 'd')];
  node = { ...node, waits: false };
  changes = [];
  await replaceMember('n3', api, { to: api });
  expect(changes).toEqual(['remove n3 old']);
  await replaceMember('n3', api, { to: api });
  expect(changes).toEqual(['remove n3 old']);
  expect(names()).toEqual(['n1 a', 'n2 b', 'n4 d']);
});

test('the address of a member of old is no replacement for one that can be reached', async () => {
  node = { id: 'n2', incarnation: 'b', waits: false };
  const refusal = await replaceMember('n1', api, { to: api }).catch((error: Error) => error.message);
  expect(refusal).toContain('n2 is a member already, and n1 can be reached.');
  expect(changes).toEqual([]);
});

test('a replacement by the same name removes the old directory only, whenever it is repeated', async () => {
  node = { id: 'n3', incarnation: 'new', waits: true };
  await replaceMember('n3', api, { to: api });
  expect(changes).toEqual(['remove n3 old', 'add n3 new']);
  // It was taken in, and has not heard of it yet; later it has.
  await replaceMember('n3', api, { to: api });
  node = { ...node, waits: false };
  await replaceMember('n3', api, { to: api });
  expect(changes).toEqual(['remove n3 old', 'add n3 new']);
  expect(names()).toEqual(['n1 a', 'n2 b', 'n3 new']);
});

test('one that is a member already is no mistake', async () => {
  members.push(listed('n4', 'd'));
  node = { id: 'n4', incarnation: 'd', waits: false };
  await addMember(api, { to: api });
  expect([changes, said]).toEqual([[], ['n4 is a member.\n']]);
});

test('nothing is changed for a node that neither waits nor is a member, and nobody is told to empty its directory', async () => {
  for (const id of ['n3', 'n4']) {
    node = { id, incarnation: 'of another cluster', waits: false };
    const refusal = await replaceMember('n3', api, { to: api }).catch((error: Error) => error.message);
    expect(refusal).toContain('it belongs to another one, or was removed');
    expect(refusal).not.toContain('empty');
  }
  expect(changes).toEqual([]);
});

test('what may still be taken back is waited for; a lost answer to a removal takes nobody else away', async () => {
  node = { id: 'n3', incarnation: 'new', waits: true };
  looksUnsettled = 3;
  losesAnswers = 1;
  await replaceMember('n3', api, { to: api });
  expect(changes).toEqual(['remove n3 old', 'add n3 new']);
  expect(looksUnsettled).toBeLessThan(0);

  losesAnswers = 1;
  meanwhile = () => void members.push(listed('n3', 'a third one'));
  await expect(removeMember('n3', { to: api })).rejects.toThrow('HF_MEMBERS_REFUSED');
  expect(names()).toEqual(['n1 a', 'n2 b', 'n3 a third one']);
});

test('a replacement of one that is no member adds nobody, unless it was cut short', async () => {
  node = { id: 'n4', incarnation: 'd', waits: true };
  await expect(replaceMember('n33', api, { to: api })).rejects.toThrow('n33 is no member, so nobody is replaced.');
  expect(changes).toEqual([]);
  // It is listed, and has not heard of it yet; who was to go was removed.
  members = [listed('n1', 'a'), listed('n2', 'b'), listed('n4', 'd')];
  await replaceMember('n3', api, { to: api });
  expect(changes).toEqual([]);
});

test('leadership that was handed over is not handed back, though the answer was lost', async () => {
  losesAnswers = 1;
  await transferLeadership({ to: api });
  expect([leader, changes]).toEqual(['n2', ['transfer to n2']]);
  await transferLeadership({ to: api, toNode: 'n2' });
  expect([leader, changes]).toEqual(['n2', ['transfer to n2']]);
  expect(said).toEqual(['n2 leads.\n', 'n2 leads.\n']);
});
