// The HTTP side of a node on a port of its own, in front of a service that checks requests as the real one does and then
// answers from a table: what the tests of this package look at is everything before and after the service.
import { type AnswerOf, HoldfastError, type ParsedRequestOf, type Verb } from '@holdfast/api';
import type { FastifyInstance } from 'fastify';
import { createApp } from '../src/http/app.ts';
import type { HealthSources } from '../src/http/health.ts';
import { type Listener, listen } from '../src/http/listener.ts';
import type { CallOptions, MemberLog, Service } from '../src/member.ts';
import { parseRequest } from '../src/service/parse.ts';

type Answers = {
  readonly [V in Verb]?: (request: ParsedRequestOf<V>, options: CallOptions) => AnswerOf<V> | Promise<AnswerOf<V>>;
};

export interface RunningApp extends AsyncDisposable {
  readonly fastify: FastifyInstance;
  readonly listener: Listener;
  readonly url: string;
  readonly port: number;
  readonly logged: Readonly<Record<string, unknown>>[];
  /** `verb status`, in order. */
  readonly answered: string[];
}

function serviceOf(answers: Answers): Service {
  return {
    async call(verb, request, options) {
      const parsed = parseRequest(verb, request);
      const answer = answers[verb];
      if (answer === undefined) throw new HoldfastError('HF_TOPIC_NOT_FOUND');
      return await answer(parsed, options);
    },
  };
}

const healthy: HealthSources = { status: () => undefined, stopping: () => false, fatal: () => undefined };

export async function startApp(answers: Answers, health: Partial<HealthSources> = {}): Promise<RunningApp> {
  const logged: Readonly<Record<string, unknown>>[] = [];
  const answered: string[] = [];
  const keep: MemberLog['info'] = (fields, says) => logged.push({ ...fields, says });
  const metrics = {
    contentType: 'text/plain',
    page: () => Promise.resolve('holdfast_term 1\n'),
    answered: (verb: string, status: number) => answered.push(`${verb} ${status}`),
  };
  const log = { info: keep, warn: keep, error: keep };
  const app = createApp({
    service: serviceOf(answers),
    health: { ...healthy, ...health },
    metrics,
    log,
    version: '0.0.0',
  });
  const listener = await listen(app, { host: '127.0.0.1', port: 0 }, log);
  const { port } = listener.address;
  return {
    fastify: app.fastify,
    listener,
    url: `http://127.0.0.1:${port}`,
    port,
    logged,
    answered,
    [Symbol.asyncDispose]: () => listener.close(1_000),
  };
}
