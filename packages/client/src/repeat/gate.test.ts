import { expect, test } from 'vitest';
import { CallEnding } from './call-ending.ts';
import { Gate } from './gate.ts';

const call = () => new CallEnding(undefined);

test('who comes beyond the line is refused, and nobody is lost', async () => {
  const gate = new Gate({ places: 1, waiting: 1 });
  expect(gate.enter(call())).toBeUndefined();
  const waiting = gate.enter(call());
  expect(() => gate.enter(call())).toThrow(expect.objectContaining({ code: 'HF_OVERLOADED' }));
  expect(gate).toMatchObject({ inside: 1, waiting: 1 });
  gate.leave();
  expect(await waiting).toBe(true);
  expect(gate).toMatchObject({ inside: 1, waiting: 0 });
  gate.leave();
  expect(gate.inside).toBe(0);
});

test('a long line is served in order, and those who left it take no place', async () => {
  const gate = new Gate({ places: 1, waiting: 10_000 });
  void gate.enter(call());
  const served: number[] = [];
  const endings = Array.from({ length: 3_000 }, call);
  const all = endings.map(async (ending, at) => {
    if ((await gate.enter(ending)) !== true) return;
    served.push(at);
    gate.leave();
  });
  for (const ending of endings.slice(0, 1_500)) ending.end('gone');
  gate.leave();
  await Promise.all(all);
  expect(served).toEqual(Array.from({ length: 1_500 }, (_, at) => at + 1_500));
  expect(gate).toMatchObject({ inside: 0, waiting: 0 });
});
