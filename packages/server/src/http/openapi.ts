// OpenAPI 3.1, made from the table of routes and its schemas; nothing in it is written by hand a second time.
import { bounds, type ErrorCode, errorTable, idempotencyHeader, problem, type Route, routes } from '@holdfast/api';
import { z } from 'zod';
import { retryStatuses } from './problem.ts';
import { msgpackType, rawHeaders } from './request.ts';

type Json = Readonly<Record<string, unknown>>;

/** @returns the document of /openapi.json */
export function openapi(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of Object.values<Route>(routes))
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Holdfast',
      version,
      summary: 'Timed messages on a replicated log.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: { schemas: { Problem: schemaOf(problem, 'output') }, responses: problemResponses() },
  };
}

function operation(route: Route): Json {
  return {
    operationId: route.verb,
    summary: route.says,
    parameters: [
      ...parameters(route.params, 'path'),
      ...parameters(route.query, 'query'),
      ...(route.idempotent ? [header('Idempotency-Key', schemaOf(idempotencyHeader.schema, 'input'))] : []),
      ...(route.verb === 'schedule' ? rawParameters : []),
    ],
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.verb, route.body) }),
    responses: {
      200: { description: 'Done.', content: answerContent(route) },
      ...errorResponses(route.errors),
    },
  };
}

function answerContent({ answer, streams }: Route): Json {
  if (streams === undefined) return contentOf(schemaOf(answer, 'output'));
  return { [streams]: { schema: { type: 'string', format: 'binary' } } };
}

function requestBody(verb: string, body: z.ZodType): Json {
  const raw =
    verb === 'schedule'
      ? {
          '*/*': {
            schema: {
              type: 'string',
              format: 'binary',
              description: 'One body as it is; the rest stands in Holdfast-* header lines.',
            },
          },
        }
      : {};
  return {
    description: `At most ${bounds.requestBytes} bytes.`,
    content: { ...contentOf(schemaOf(body, 'input')), ...raw },
  };
}

/** Both types carry the same; `bodyBytes` is for msgpack only. */
function contentOf(schema: Json): Json {
  return { 'application/json': { schema: withoutBytes(schema) }, [msgpackType]: { schema } };
}

function withoutBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutBytes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => (name === 'bodyBytes' ? [] : [[name, withoutBytes(inner)]])),
  );
}

const rawParameters: readonly Json[] = [
  header('Holdfast-Deliver-At', { type: 'string' }, 'For a raw body: when, as `at`.'),
  header('Holdfast-Delay', { type: 'string' }, 'For a raw body: how long from now, as `delay`.'),
  header(`${rawHeaders.ofMessage}{name}`, { type: 'string' }, "For a raw body: one of the message's own headers."),
];

function header(name: string, schema: Json, description?: string): Json {
  return { name, in: 'header', required: false, schema, ...(description === undefined ? {} : { description }) };
}

function parameters(schema: z.ZodType, place: 'path' | 'query'): Json[] {
  const { properties, required } = z
    .object({
      properties: z.record(z.string(), z.looseObject({})).default({}),
      required: z.array(z.string()).default([]),
    })
    .parse(schemaOf(schema, 'input'));
  return Object.entries(properties).map(([name, one]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: one,
  }));
}

/** Codes that share a status share a response. */
function errorResponses(codes: readonly ErrorCode[]): Json {
  return Object.fromEntries(
    [...statusesOf(codes).keys()].map((status) => [
      status,
      { $ref: `#/components/responses/${nameOf(codes, status)}` },
    ]),
  );
}

function statusesOf(codes: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(codes))
    byStatus.set(errorTable[code].status, [...(byStatus.get(errorTable[code].status) ?? []), code]);
  return byStatus;
}

/** A response is named after its codes. */
function nameOf(codes: readonly ErrorCode[], status: number): string {
  return (statusesOf(codes).get(status) ?? []).sort().join('.');
}

function problemResponses(): Json {
  const all: Record<string, Json> = {};
  for (const { errors } of Object.values<Route>(routes)) {
    for (const status of statusesOf(errors).keys()) {
      const name = nameOf(errors, status);
      all[name] ??= problemResponse(name.split('.').filter(isCode));
    }
  }
  return all;
}

const isCode = (name: string): name is ErrorCode => Object.hasOwn(errorTable, name);

function problemResponse(codes: readonly ErrorCode[]): Json {
  const waits = codes.some((code) => retryStatuses.has(errorTable[code].status));
  const schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: codes } } }] };
  return {
    description: codes
      .map((code) => `${code}: ${errorTable[code].says} Applied: ${errorTable[code].applied}. ${errorTable[code].next}`)
      .join('\n\n'),
    ...(waits ? { headers: { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } } } : {}),
    content: { 'application/problem+json': { schema } },
  };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const json: Record<string, unknown> = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => showCoerced(zodSchema, jsonSchema),
  });
  // OpenAPI 3.1 says the dialect once, for the whole document, and its default is this one.
  delete json['$schema'];
  return json;
}

/** Numbers in a query are digits: their schema takes anything, and says so to nobody. */
function showCoerced(schema: z.core.$ZodTypes, json: Record<string, unknown>): void {
  if (schema instanceof z.ZodNumber && schema.def.coerce) json['type'] = 'integer';
}
