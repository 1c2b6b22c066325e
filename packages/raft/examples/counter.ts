// A replicated counter: three members of a group in this process, on a network in memory. Over TCP and on disks the same
// members run with `createTcpTransport` and `openLevelLog`.
import { fileURLToPath } from 'node:url';
import {
  createRaftNode,
  defaultTiming,
  MemoryLog,
  MemoryNetwork,
  type RaftNode,
  systemClock,
  ValueMachine,
} from '@holdfast/raft';

const members = ['a', 'b', 'c'];
const network = new MemoryNetwork(systemClock);

/** A command is a whole number, as text; the state is the sum. Anything else changes nothing: JSON keeps no NaN. */
export const counter = { initial: 0, apply: (sum: number, by: Uint8Array) => to(sum + Number(Buffer.from(by)), sum) };
const to = (sum: number, old: number) => (Number.isSafeInteger(sum) ? ([sum, sum] as const) : ([old, old] as const));

function start(id: string, onLeader: (node: RaftNode<number>) => void) {
  const machine = new ValueMachine(counter);
  const node: RaftNode<number> = createRaftNode({
    id,
    members,
    addresses: new Map(),
    reach: () => ({ host: 'in memory', port: 0 }),
    timing: defaultTiming,
    log: new MemoryLog({ id, members, random: Math.random }),
    stateMachine: machine,
    transport: network.transport(id),
    clock: systemClock,
    random: Math.random,
    owner: {
      entryHeader: () => new Uint8Array(0),
      onLeader: () => onLeader(node),
      onLeaderLost: () => undefined,
      onSample: () => undefined,
      onFatal: (error) => console.error(`${id} stops: ${error.message}`),
    },
  });
  return { node, machine };
}

/** @returns the sum as each member reads it */
export async function main(): Promise<readonly number[]> {
  let group: readonly ReturnType<typeof start>[] = [];
  const leader = await new Promise<RaftNode<number>>((elected) => {
    group = members.map((id) => start(id, elected));
    for (const { node } of group) void node.start();
  });
  for (let i = 1; i <= 10; i++) {
    const outcome = await leader.propose(Buffer.from(`${i}`));
    console.log(outcome.kind === 'applied' ? `plus ${i} is ${outcome.result}` : `${outcome.kind}: say it again?`);
  }
  // A linearizable read, on any member: when it is ready, everything that was answered above is here.
  const sums = group.map(async ({ node, machine }) =>
    (await node.readIndex()).kind === 'ready' ? machine.state : NaN,
  );
  const read = await Promise.all(sums);
  await Promise.all(group.map(({ node }) => node.stop()));
  return read;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await main());
