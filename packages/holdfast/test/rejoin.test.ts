// A member in this process that comes back as another one: whoever holds its store goes on with it.
import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { until } from './command.ts';
import { testFolder } from './folders.ts';
import { addresses, startMember } from './members.ts';

const folder = testFolder();

test('the store of a member that was replaced by itself goes on', async () => {
  const ids = ['n1', 'n2', 'n3'];
  const peers = await addresses(ids);
  const join = (id: string) => startMember(id, peers, folder(id), { rejoin: true });
  const [first, second, third] = await Promise.all([join('n1'), join('n2'), join('n3')]);
  await until('they serve', () =>
    [first, second, third].some((member) => member.status().serving && member.status().activeVersion === 2),
  );
  const lost = third.status().raft.incarnation;
  await third.close();
  rmSync(folder('n3'), { recursive: true });

  await using back = await join('n3');
  await until('n3 has a vote again, with another directory', () => {
    const { incarnation, configuration, members } = back.status().raft;
    const isVoter = configuration.voters.some(({ id }) => id === 'n3');
    return incarnation !== lost && isVoter && members.get('n3')?.incarnation === incarnation;
  });
  const { id } = await back.topic('t').schedule('after', { delay: '1h' });
  expect(await first.topic('t').get(id)).toMatchObject({ payload: 'after' });
  await Promise.all([first.close(), second.close()]);
}, 120_000);
