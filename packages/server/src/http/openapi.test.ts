// The document is checked as its readers would use it: every route is there, every reference leads somewhere, and what the
// routes say about bodies, headers and errors can be found again.
import { type ErrorCode, errorTable, type Route, routes } from '@holdfast/api';
import { expect, test } from 'vitest';
import { openapi } from './openapi.ts';

const document = openapi('1.2.3');

/** The value at `#/a/b`, or undefined. */
function at(pointer: string, of: unknown = document): unknown {
  let value = of;
  for (const name of pointer.replace(/^#\//, '').split('/')) {
    const key = name.replaceAll('~1', '/').replaceAll('~0', '~');
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }
  return value;
}

function* within(value: unknown, path = '#'): Generator<[path: string, value: object]> {
  if (typeof value !== 'object' || value === null) return;
  yield [path, value];
  for (const [name, inner] of Object.entries(value))
    yield* within(inner, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
}

const operation = ({ path, method }: Route) => `#/paths/${path.replaceAll('/', '~1')}/${method.toLowerCase()}`;

function danglingIn(value: unknown): unknown[] {
  return [...within(value)].flatMap(([, inner]) =>
    '$ref' in inner && at(String(inner.$ref), value) === undefined ? [inner.$ref] : [],
  );
}

test('it is OpenAPI 3.1, survives JSON, and every reference leads somewhere', () => {
  expect(document).toMatchObject({ openapi: '3.1.1', info: { title: 'Holdfast', version: '1.2.3' } });
  expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  expect(danglingIn(document)).toEqual([]);
  expect(danglingIn({ a: { $ref: '#/components/none' } })).toEqual(['#/components/none']);
});

test.each(Object.values<Route>(routes).map((route) => [route.verb, route] as const))('%s is whole', (verb, route) => {
  const here = operation(route);
  expect(at(`${here}/operationId`)).toBe(verb);
  const { streams }: Route = route;
  const type = (streams ?? 'application/json').replaceAll('/', '~1');
  const answer = at(`${here}/responses/200/content/${type}/schema`);
  expect(
    at('type', answer) === (streams === undefined ? 'object' : 'string') || Array.isArray(at('oneOf', answer)),
  ).toBe(true);
  const parameters = [...within(at(`${here}/parameters`))].flatMap(([, value]) =>
    'in' in value && 'name' in value ? [`${String(value.in)} ${String(value.name)}`] : [],
  );
  for (const [, name] of route.path.matchAll(/\{(\w+)\}/g)) expect(parameters).toContain(`path ${name}`);
  expect(parameters.includes('header Idempotency-Key')).toBe(route.idempotent);
  expect(at(`${here}/requestBody/content/application~1json/schema`) !== undefined).toBe(route.body !== undefined);
});

test('every code of a route stands at its status, with the problem schema', () => {
  for (const route of Object.values<Route>(routes)) {
    for (const code of route.errors) {
      const reference = String(at(`${operation(route)}/responses/${errorTable[code].status}/$ref`));
      const codes: unknown = at(`${reference}/content/application~1problem+json/schema/allOf/1/properties/code/enum`);
      expect(codes, `${route.verb} ${code}`).toContain(code);
      expect(at(`${reference}/headers/Retry-After`) !== undefined).toBe(hasWait(codes));
    }
  }
  expect(at('#/components/schemas/Problem/properties/applied/enum')).toEqual(['no', 'unknown']);
});

const hasWait = (codes: unknown) =>
  Array.isArray(codes) && codes.some((code: ErrorCode) => [429, 503, 507].includes(errorTable[code].status));

test('requests are shown as they are written, numbers of a query as numbers, raw bytes in msgpack only', () => {
  const schedule = `${operation(routes.schedule)}/requestBody/content`;
  const json = JSON.stringify(at(`${schedule}/application~1json`));
  expect(json).toContain('bodyBase64');
  expect(json).toContain('such as \\"15m\\"');
  expect(json).not.toContain('bodyBytes');
  expect(JSON.stringify(at(`${schedule}/application~1msgpack`))).toContain('bodyBytes');
  expect(at(`${schedule}/*~1*/schema/format`)).toBe('binary');
  const limit = [...within(at(`${operation(routes.list)}/parameters`))].find(
    ([, value]) => 'name' in value && value.name === 'limit',
  )?.[1];
  expect(limit).toMatchObject({ in: 'query', required: false, schema: { type: 'integer', minimum: 1, default: 100 } });
});
