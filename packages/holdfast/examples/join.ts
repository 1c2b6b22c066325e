// A member of a cluster inside this program. Three of them, on three machines or in three terminals:
//
//     node examples/join.ts n1 ./data/n1 n1=127.0.0.1:7501/127.0.0.1:7401,n2=127.0.0.1:7502/127.0.0.1:7402,n3=127.0.0.1:7503/127.0.0.1:7403
//
// Each call waits until two of the three run; from then on any one of them may go.
import { fileURLToPath } from 'node:url';
import { Holdfast } from 'holdfast';

export async function main([id = 'n1', dataDir = `./data/${id}`, peers = '']: readonly string[]): Promise<void> {
  const self = peers.split(',').find((peer) => peer.startsWith(`${id}=`)) ?? '';
  const [peerListen = '', listen = ''] = self.slice(id.length + 1).split('/');
  await using member = await Holdfast.join({ id, dataDir, peers, listen, peerListen });

  const topic = member.topic<string>('greetings');
  await topic.schedule(`from ${id}`, { delay: 0 });
  const everybody = topic.group(`heard-by-${id}`);
  for (let heard = 0; heard < peers.split(',').length; ) {
    for (const message of await everybody.receive({ max: 10, wait: '20s' })) {
      console.log(`${id} hears a greeting ${message.payload}`);
      await everybody.ack(message);
      heard += 1;
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
