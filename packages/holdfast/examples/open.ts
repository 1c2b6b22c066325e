// One node inside this program: no server, no port. Messages survive the program; run it again, and they are still there.
//
// In packages/holdfast:
//
//     npx tsc -b examples && node dist/examples/open.js ./reminders
import { fileURLToPath } from 'node:url';
import { Holdfast } from 'holdfast';

interface Reminder {
  readonly to: string;
  readonly text: string;
}

export async function main([dataDir = './reminders']: readonly string[]): Promise<void> {
  await using store = await Holdfast.open({ dataDir });
  const reminders = store.topic<Reminder>('reminders');

  const { id, deliverAtMs } = await reminders.schedule({ to: 'ada', text: 'pay the rent' }, { delay: '1s' });
  console.log(`kept ${id}, due at ${new Date(deliverAtMs).toISOString()}`);

  const mailer = reminders.group('mailer');
  const [message] = await mailer.receive({ wait: '10s' });
  if (message === undefined) throw new Error('nothing came');
  console.log(`to ${message.payload.to}: ${message.payload.text}`);
  await mailer.ack(message);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
