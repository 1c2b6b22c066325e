// One schema of every setting of a node, with its reason. docs/configuration.md is printed from it; flags and environment
// are read into it (config-sources.ts). An unknown or impossible setting stops the start with a sentence that names it.
import { defaultRetention } from '@holdfast/raft';
import { z } from 'zod';
import type { Peer } from './member.ts';
import { isPeerPortSecured, misfitPeerSecurity, peerSecuritySettings } from './peers/security.ts';

/** host:port, as it is listened on or connected to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const addressForm = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/;

/** 'localhost:7401', '127.0.0.1:0', '[::1]:7401'; undefined when it is no address. */
export function parseAddress(text: string): Address | undefined {
  const [, host = '', port = ''] = addressForm.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535) return undefined;
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Only processes of this machine reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

const address = z.string().transform((text, ctx): Address => {
  const parsed = parseAddress(text);
  if (parsed !== undefined) return parsed;
  ctx.addIssue({ code: 'custom', message: `is "${text}", but must be host:port, such as 127.0.0.1:7401.` });
  return z.NEVER;
});

const milliseconds = (minMs: number, maxMs: number) => {
  const says = `must be whole milliseconds from ${minMs} to ${maxMs}.`;
  return z.int(says).min(minMs, says).max(maxMs, says);
};

const bytes = (maxBytes: number) => {
  const says = `must be whole bytes from 0 to ${maxBytes}.`;
  return z.int(says).min(0, says).max(maxBytes, says);
};

const nodeIdSays = 'must be a name of at most 64 letters, digits, ".", "_" and "-".';
const nodeId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, nodeIdSays);

const peer = z.strictObject({ id: nodeId, peer: z.string(), api: z.string() });
const peerForm = /^([^=/]+)=([^/]+)\/(?:http:\/\/)?([^/]+)$/;

/** 'n1=127.0.0.1:7501/127.0.0.1:7401,n2=...', or the same as a list of objects. */
const peers = z.union([z.string(), z.array(peer)]).transform((given, ctx): readonly Peer[] => {
  const refuse = (message: string) => {
    ctx.addIssue({ code: 'custom', message });
    return [];
  };
  const listed = typeof given !== 'string' ? given : given.split(',').map((text) => splitPeer(text.trim()));
  return listed.flatMap((one) => {
    if (typeof one === 'string')
      return refuse(`holds "${one}", but each member must be id=host:peerPort/host:apiPort, separated by commas.`);
    if (!nodeId.safeParse(one.id).success) return refuse(`names "${one.id}", which ${nodeIdSays}`);
    const api = one.api.replace(/^http:\/\//, '');
    for (const text of [one.peer, api])
      if (parseAddress(text) === undefined)
        return refuse(`gives ${one.id} the address "${text}", which is no host:port.`);
    return { id: one.id, peer: one.peer, api: `http://${api}` };
  });
});

function splitPeer(text: string): { id: string; peer: string; api: string } | string {
  const [, id, peerAddress, api] = peerForm.exec(text) ?? [];
  return id === undefined || peerAddress === undefined || api === undefined ? text : { id, peer: peerAddress, api };
}

const timing = z.strictObject({
  tickMs: milliseconds(1, 1_000).default(10).describe('The step in which the consensus core counts time.'),
  heartbeatMs: milliseconds(5, 60_000).default(50).describe('How often a leader says that it is alive.'),
  electionMinMs: milliseconds(20, 600_000)
    .default(300)
    .describe('A follower waits at least this long for a sign of the leader before it asks for an election.'),
  electionMaxMs: milliseconds(20, 600_000).default(600).describe('And at most this long; drawn anew each time.'),
  fastElectionMs: milliseconds(0, 60_000)
    .default(50)
    .describe("After news that the leader's process is gone, an election begins within this time."),
});

/** What flags and environment are read into; `timing` is flat there. */
export const settings = z.strictObject({
  id: nodeId.default('n1').describe('The name of this node. A data directory belongs to one name for life.'),
  dataDir: z
    .string()
    .min(1, 'must be a path.')
    .default('./data')
    .describe('Where log and state lie. Made at the first start; on a disk that obeys fsync.'),
  listen: address.default({ host: '127.0.0.1', port: 7401 }).describe('host:port of the HTTP API.'),
  peerListen: address
    .default({ host: '127.0.0.1', port: 7501 })
    .describe('host:port for the other nodes. A node on its own opens it when it gets a second member.'),
  peers: peers
    .default([])
    .describe(
      'Every member, this one among them: n1=127.0.0.1:7501/127.0.0.1:7401,n2=... (id=peer address/API address). Without it, a node on its own.',
    ),
  join: z
    .boolean('must be true or false.')
    .default(false)
    .describe(
      'Found no cluster: wait to be taken in by a running one (`holdfast cluster add`), and follow it from then on. --peers then says only under which addresses this node and others are reached, where they differ from what was listened on or said.',
    ),
  rejoin: z
    .boolean('must be true or false.')
    .default(false)
    .describe(
      'When the directory of this member is empty or damaged, have it replaced by a new one without an operator (docs/members.md), once the others of --peers are a majority without it. What is damaged is moved aside, and never deleted.',
    ),
  ...peerSecuritySettings,
  timing: timing.default(timing.parse({})),
  graceMs: milliseconds(0, 600_000)
    .default(3_000)
    .describe(
      'After a change of leader, leases that ran out meanwhile are kept this long: their consumers may still answer.',
    ),
  maxClockSkewMs: milliseconds(1, 600_000)
    .default(500)
    .describe(
      "How far this machine's clock may be from the median of all members before the node reports it and, where it leads, hands over.",
    ),
  minFreeBytes: bytes(2 ** 50)
    .default(256 * 2 ** 20)
    .describe(
      'New messages are refused (HF_DISK_LOW) while the disk of the leader, or of so many members that no majority is left, has less room than this; acknowledgements, deliveries and removal go on. A size and no share of the disk: what they need, and what LevelDB needs to tidy up, does not grow with it. 0 refuses nothing.',
    ),
  freeMarginBytes: bytes(2 ** 50)
    .default(64 * 2 ** 20)
    .describe('A disk that was low has room again with so much more, so that the refusal does not come and go.'),
  logRetainBytes: bytes(2 ** 40)
    .default(defaultRetention.retainBytes)
    .describe(
      'So much of the log is kept for a member that comes back; one that was away for longer is sent a snapshot. While one catches up, four times as much is kept, and 256 MiB at least.',
    ),
  logLevel: z
    .enum(['error', 'warn', 'info', 'silent'], 'must be one of error, warn, info, silent.')
    .default('info')
    .describe('The least important line that is still logged.'),
  pretty: z.boolean('must be true or false.').default(false).describe('Log lines for people instead of JSON.'),
  allowInsecure: z
    .boolean('must be true or false.')
    .default(false)
    .describe(
      'Allow listening on addresses that other machines reach, where nothing is encrypted and nobody is asked who they are: only for networks in which everybody may do everything. The peer port does not need it when members know each other by a secret or by certificates.',
    ),
});

type Settings = z.output<typeof settings>;

interface Problem {
  readonly path: readonly string[];
  readonly message: string;
}

/** What must fit together; each sentence says what would go wrong. */
function misfits(config: Settings): Problem[] {
  const { tickMs, heartbeatMs, electionMinMs, electionMaxMs, fastElectionMs } = config.timing;
  const problems: Problem[] = [];
  const want = (holds: boolean, path: string[], message: string) => {
    if (!holds) problems.push({ path, message });
  };
  want(
    !config.rejoin || config.peers.filter(({ id }) => id !== config.id).length >= 2,
    ['rejoin'],
    'needs at least two other members in --peers: fewer are no majority without this one.',
  );
  want(
    heartbeatMs >= 2 * tickMs,
    ['timing', 'heartbeatMs'],
    `is ${heartbeatMs}, but must be at least 2 x tickMs (${2 * tickMs}): time is counted in ticks.`,
  );
  want(
    electionMinMs >= 4 * heartbeatMs,
    ['timing', 'electionMinMs'],
    `is ${electionMinMs}, but must be at least 4 x heartbeatMs (${4 * heartbeatMs}): one late heartbeat would start an election.`,
  );
  want(
    electionMaxMs >= 1.5 * electionMinMs,
    ['timing', 'electionMaxMs'],
    `is ${electionMaxMs}, but must be at least 1.5 x electionMinMs (${1.5 * electionMinMs}): two nodes would ask for votes at the same time, again and again.`,
  );
  want(
    fastElectionMs <= electionMinMs,
    ['timing', 'fastElectionMs'],
    `is ${fastElectionMs}, but must be at most electionMinMs (${electionMinMs}): it is meant to be the faster way.`,
  );
  want(
    config.graceMs >= electionMaxMs,
    ['graceMs'],
    `is ${config.graceMs}, but must be at least electionMaxMs (${electionMaxMs}): consumers that lost their leader could not answer before their leases are given to others.`,
  );
  return [...problems, ...misfitPeers(config), ...misfitSecurity(config), ...openAddresses(config)];
}

function misfitPeers({ id, peers: members, join, listen, peerListen }: Settings): Problem[] {
  if (members.length === 0) return [];
  const problems: Problem[] = [];
  const refuse = (message: string) => problems.push({ path: ['peers'], message });
  if (!join && !members.some((member) => member.id === id))
    refuse(`names ${members.map((member) => member.id).join(', ')}, but not this node (${id}).`);
  for (const [what, values] of [
    ['id', members.map((member) => member.id)],
    ['peer address', members.map((member) => member.peer)],
    ['API address', members.map((member) => member.api)],
  ] as const) {
    const twice = values.find((value, index) => values.indexOf(value) !== index);
    if (twice !== undefined) refuse(`gives two members the ${what} "${twice}".`);
  }
  if (members.length > 9)
    refuse(`names ${members.length} members, but 9 are the most: each write waits for a majority.`);
  if (members.length > 1 && (listen.port === 0 || peerListen.port === 0)) {
    refuse('names other members, so --listen and --peer-listen need ports that those know, not 0.');
  }
  return problems;
}

function misfitSecurity(config: Settings): Problem[] {
  return misfitPeerSecurity(config).map(({ path, message }) => ({ path: [path], message }));
}

const insteadOfInsecure = {
  listen: 'or listen on 127.0.0.1.',
  peerListen: 'give the members a secret or certificates (docs/security.md), or listen on 127.0.0.1.',
} as const;

function openAddresses(config: Settings): Problem[] {
  const { allowInsecure, listen, peerListen } = config;
  // A node on its own opens its peer port, too, once it gets a second member.
  const used = !isPeerPortSecured(config) ? (['listen', 'peerListen'] as const) : (['listen'] as const);
  const addresses = { listen, peerListen };
  return used
    .filter((name) => !allowInsecure && !isLoopback(addresses[name].host))
    .map((name) => ({
      path: [name],
      message: `is ${addressText(addresses[name])}, which other machines can reach, and there is neither encryption nor a password. Say --allow-insecure if everybody in that network may do everything, ${insteadOfInsecure[name]}`,
    }));
}

/** Everything checked. `peers` has at least this node. */
export const nodeConfig = settings
  .superRefine((config, ctx) => {
    for (const { path, message } of misfits(config)) ctx.addIssue({ code: 'custom', path: [...path], message });
  })
  .transform((config) => ({ ...config, peers: withSelf(config) }));

const withSelf = (config: Settings): readonly Peer[] =>
  config.peers.some(({ id }) => id === config.id) ? config.peers : [...config.peers, alone(config)];

function alone({ id, listen, peerListen }: Settings): Peer {
  return { id, peer: addressText(peerListen), api: `http://${addressText(listen)}` };
}

export type NodeConfig = z.output<typeof nodeConfig>;
/** The same as a program writes it: every setting may be left out. */
export type NodeConfigInput = z.input<typeof nodeConfig>;
