import { expect, test } from 'vitest';
import { Keyspace } from '../rows/keyspace.ts';
import type { Effect } from '../store.ts';
import { Layers, newest } from './layers.ts';

const put = (key: string, value: string): Effect => ({ key: Buffer.from(key, 'latin1'), value: Buffer.from(value) });
const del = (key: string): Effect => ({ key: Buffer.from(key, 'latin1'), value: undefined });
const rowsOf = (...effects: readonly Effect[]): Map<string, Effect> =>
  new Map(effects.map((effect) => [Buffer.from(effect.key).toString('latin1'), effect]));
const text = (effect: Effect | undefined): string | undefined => effect?.value && Buffer.from(effect.value).toString();

test('the newest effect of a key is read, a delete among them', () => {
  const layers = new Layers();
  layers.add(rowsOf(put('a', '1'), put('b', '1')));
  layers.take();
  layers.add(rowsOf(put('a', '2')));
  layers.freeze();
  layers.add(rowsOf(del('b')));
  expect(text(layers.get('a'))).toBe('2');
  expect(layers.get('b')).toEqual(del('b'));
  expect(layers.get('c')).toBeUndefined();
});

test('a turn that is on disk drops its layer, and not what was written again meanwhile [P3]', () => {
  const layers = new Layers();
  layers.add(rowsOf(put('a', '1'), put('b', '1')));
  expect(layers.take()).toHaveLength(2);
  layers.add(rowsOf(put('a', '2')));
  layers.written();
  expect(text(layers.get('a'))).toBe('2');
  expect(layers.get('b')).toBeUndefined();
});

test('what a view has taken never changes, whatever is applied or written after it [P2]', () => {
  const layers = new Layers();
  layers.add(rowsOf(put('a', '1')));
  const view = layers.freeze();
  layers.add(rowsOf(put('a', '2'), put('b', '2')));
  layers.take();
  layers.written();
  expect(text(newest(view, 'a'))).toBe('1');
  expect(newest(view, 'b')).toBeUndefined();
});

test('a turn takes what stands in several layers, each key once, and only once', () => {
  const layers = new Layers();
  layers.add(rowsOf(put('a', '1'), put('b', '1')));
  layers.freeze();
  layers.add(rowsOf(put('a', '2'), del('c')));
  expect(layers.take()).toEqual([put('a', '2'), put('b', '1'), del('c')]);
  expect(layers.take()).toEqual([]);
  layers.written();
  expect(layers.get('a')).toBeUndefined();
});

test('many views between two turns leave few layers, and the same rows', () => {
  const layers = new Layers();
  for (let count = 0; count < 100; count += 1) {
    layers.add(rowsOf(put('a', `${count}`), put(`b${count}`, 'x')));
    expect(layers.freeze().length).toBeLessThanOrEqual(9);
  }
  expect(text(layers.get('a'))).toBe('99');
  expect(layers.get('b0')).toBeDefined();
  expect(layers.take()).toHaveLength(101);
});

test('pending bytes are those that no turn has taken, each key counted once', () => {
  const layers = new Layers();
  layers.add(rowsOf(put('a', '1234')));
  layers.add(rowsOf(put('a', '12'), del('b')));
  expect(layers.pendingBytes).toBe(4);
  layers.freeze();
  expect(layers.pendingBytes).toBe(4);
  layers.take();
  expect(layers.pendingBytes).toBe(0);
});

test('a layer knows the keys of a table in order', () => {
  const keys = new Keyspace(1);
  const ids = [300, 2, 256].map((fireAtMs) => keys.ofTopic('message', 1, { fireAtMs, seq: 1 }).toString('latin1'));
  const layers = new Layers();
  layers.add(rowsOf(...ids.map((id) => put(id, 'x')), put(keys.single('meta').toString('latin1'), 'y')));
  const [layer] = layers.freeze();
  expect(layer?.sorted('message')).toEqual([ids[1], ids[2], ids[0]]);
  expect(layer?.sorted('hold')).toEqual([]);
});
