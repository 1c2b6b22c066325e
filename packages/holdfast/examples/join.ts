// A member of a cluster inside this program. Three of them, in three terminals (in packages/holdfast, after
// `npx tsc -b examples`):
//
//     node dist/examples/join.js n1 ./data/n1 n1=127.0.0.1:7501/127.0.0.1:7401,n2=127.0.0.1:7502/127.0.0.1:7402,n3=127.0.0.1:7503/127.0.0.1:7403
//
// Each call waits until two of the three run; from then on any one of them may go, and come back.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Holdfast } from 'holdfast';

export async function main(
  [id = 'n1', dataDir = `./data/${id}`, peers = '']: readonly string[],
  asked: Promise<unknown>,
): Promise<void> {
  const members = peers.split(',').map((peer) => peer.split(/[=/]/));
  const [, peerListen = '', listen = ''] = members.find(([name]) => name === id) ?? [];
  await using member = await Holdfast.join({ id, dataDir, peers, listen, peerListen });

  // A message goes when every group is done with it, so each group that shall hear it must be there before it.
  const topic = member.topic<string>('greetings');
  for (const [name = ''] of members) await topic.group(`heard-by-${name}`).put();
  await topic.schedule(`from ${id}`, { delay: 0 });

  await using worker = topic.group(`heard-by-${id}`).worker(({ payload }) => {
    console.log(`${id} hears a greeting ${payload}`);
  });
  await asked;
  await worker.stop();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2), once(process, 'SIGINT'));
