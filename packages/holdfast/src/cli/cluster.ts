// `holdfast cluster`: three nodes on this machine, to try Holdfast and to develop against. It restarts nothing: a node that
// is killed stays dead, so that one can watch the others go on.
import { resolve } from 'node:path';
import { LocalCluster } from './local-cluster.ts';
import { createOutput, table } from './print.ts';
import { askedToStop } from './start.ts';

export interface ClusterOptions {
  readonly dataDir: string;
  readonly basePort: number;
  readonly verbose: boolean;
  readonly json: boolean;
}

/** From the base port for the API, from 100 above it for the peers: 7401 to 7403, 7501 to 7503. */
const peerOffset = 100;
const offsets = [0, 1, 2] as const;

/** Resolves when it was asked to stop, and all three have ended. @throws CommandError when they can not be started */
export async function cluster({ dataDir, basePort, verbose, json }: ClusterOptions): Promise<void> {
  const output = createOutput(json);
  const folder = resolve(dataDir);
  const asked = askedToStop();
  let isRunning = false;
  const nodes = new LocalCluster({
    folder,
    ports: [...offsets.map((at) => basePort + at), ...offsets.map((at) => basePort + peerOffset + at)],
    verbose,
    onLost(id, how) {
      process.stderr.write(`${id} has ended (${how}). ${nodes.running} of ${nodes.nodes.length} nodes run.\n`);
      // While they start, waiting for them to be ready fails, and tells why.
      if (nodes.running > 0 || !isRunning) return;
      process.exitCode = 1;
      asked.stop();
    },
  });
  output.say('Three nodes start ...');
  try {
    nodes.startAll();
    const ready = Promise.all(nodes.nodes.map(({ id }) => nodes.ready(id)));
    const isStopping = await Promise.race([ready.then(() => false), asked.stopping.then(() => true)]);
    ready.catch(() => undefined);
    isRunning = !isStopping;
    if (isRunning) await running(nodes, folder, output, asked.stopping);
    output.say('\nStopping ...');
  } finally {
    await nodes.stop();
  }
  output.say('All three have stopped; their data stays, and the next start finds it.');
}

async function running(
  nodes: LocalCluster,
  folder: string,
  output: ReturnType<typeof createOutput>,
  stopping: Promise<void>,
): Promise<void> {
  const rows = nodes.nodes.map(({ id, api, logFile }) => ({ id, api, pid: nodes.pid(id) ?? 0, logFile }));
  const list = table(
    ['node', 'API', 'process', 'log'],
    rows.map(({ id, api, pid, logFile }) => [id, api, String(pid), logFile]),
  );
  output.result(`They run; their data is in ${folder}\n\n${list}\n\n${curlLines(rows.map(({ api }) => api))}`, {
    folder,
    nodes: rows,
  });
  output.say('\nCtrl-C stops all three. kill -9 one of the processes, and see the others go on.');
  await stopping;
}

function curlLines([first = '', second = first, third = second]: readonly string[]): string {
  const json = `-H 'content-type: application/json'`;
  return [
    'Schedule a message 5 s ahead on one node, receive it from another, acknowledge it at the third:',
    '',
    `  curl -s ${first}/v1/topics/reminders/messages ${json} -d '{"body":{"to":"ada"},"delay":"5s"}'`,
    `  curl -s ${second}/v1/topics/reminders/groups/mailer/receive ${json} -d '{"wait":"30s","create":{"start":"earliest"}}'`,
    `  curl -s ${third}/v1/topics/reminders/groups/mailer/ack ${json} -d '{"receipts":["<receipt>"]}'`,
    '',
    'Schedule one and cancel it:',
    '',
    `  curl -s ${second}/v1/topics/reminders/messages ${json} -d '{"body":"never","delay":"1h"}'`,
    `  curl -s -X DELETE ${third}/v1/topics/reminders/messages/<id>`,
  ].join('\n');
}
