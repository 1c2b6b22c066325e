// Walk 2/15: a route of the table is met; the body is read once, and parsed once, by the service. From
// api/src/message.ts, on to server/src/service/messages.ts.
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { bounds, HoldfastError, type Route, routes, type Verb } from '@holdfast/api';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { MemberLog, Service } from '../member.ts';
import { jsonAnswer, msgpackAnswer } from './answer.ts';
import { type Health, type HealthSources, livez, readyz } from './health.ts';
import { InProgress } from './in-progress.ts';
import { httpLimits } from './limits.ts';
import { openapi } from './openapi.ts';
import { rawProblem, sendProblem, toHoldfastError } from './problem.ts';
import { forwardedHeader, isMsgpack, msgpackType, requestOf } from './request.ts';

const jsonType = 'application/json; charset=utf-8';

export interface AppPorts {
  readonly service: Service;
  readonly health: HealthSources;
  readonly metrics: {
    readonly contentType: string;
    page(): Promise<string>;
    answered(verb: string, status: number): void;
  };
  readonly log: MemberLog;
  readonly version: string;
}

export interface App {
  readonly fastify: FastifyInstance;
  readonly inProgress: InProgress;
}

/** A handler for each route of the table, and what stands beside the table. listener.ts listens and closes. */
export function createApp(ports: AppPorts): App {
  const inProgress = new InProgress();
  const app = fastify({
    bodyLimit: bounds.requestBytes,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    keepAliveTimeout: httpLimits.keepAliveMs,
    connectionTimeout: httpLimits.silentMs,
    requestTimeout: httpLimits.requestMs,
    routerOptions: { maxParamLength: httpLimits.pathPartCharacters },
    http: {
      maxHeaderSize: httpLimits.headerBytes,
      headersTimeout: httpLimits.headersMs,
      connectionsCheckingInterval: httpLimits.slowCheckMs,
    },
    frameworkErrors: (error, _request, reply) => sendProblem(reply, toHoldfastError(error)),
    clientErrorHandler: answerBrokenHttp,
  });
  app.server.maxConnections = httpLimits.connections;
  // Bodies stay bytes here: the content type decides below how they are read, and fastify's own JSON parser answers in its own form.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) => refuse(ports, verbOf(request), reply, error));
  app.setNotFoundHandler((request, reply) =>
    refuse(
      ports,
      'none',
      reply,
      new HoldfastError('HF_ROUTE_NOT_FOUND', { detail: `${request.method} ${request.url.slice(0, 200)}` }),
    ),
  );
  for (const route of Object.values(routes)) addRoute(app, route, ports, inProgress);
  addBesideTable(app, ports);
  return { fastify: app, inProgress };
}

function addRoute(
  app: FastifyInstance,
  route: Route & { readonly verb: Verb },
  ports: AppPorts,
  inProgress: InProgress,
): void {
  const { verb } = route;
  app.route({
    method: route.method,
    url: route.path.replace(/\{(\w+)\}/g, ':$1'),
    config: { verb },
    // HEAD of a stream would read all of it only to throw it away, and would not end when its caller goes.
    exposeHeadRoute: route.streams === undefined,
    handler: async (request, reply) => {
      try {
        const signal = signalOf(request, reply, inProgress);
        const forwarded = request.headers[forwardedHeader] === '1';
        const answer = await ports.service.call(verb, requestOf(verb, route, request), { signal, forwarded });
        ports.metrics.answered(verb, 200);
        if (isStream(answer)) return reply.header('content-type', route.streams).send(Readable.from(answer));
        if (wantsMsgpack(request)) return reply.header('content-type', msgpackType).send(msgpackAnswer(answer));
        return reply.header('content-type', jsonType).send(jsonAnswer(verb, answer));
      } catch (error) {
        refuse(ports, verb, reply, error);
        return reply;
      }
    },
  });
}

function isStream(answer: object): answer is AsyncIterable<Uint8Array> {
  return Symbol.asyncIterator in answer;
}

/** Aborts when the caller walks away before it has its answer: a long poll must not lease messages to nobody. */
function signalOf(
  { raw: { socket } }: FastifyRequest,
  { raw: answer }: FastifyReply,
  inProgress: InProgress,
): AbortSignal {
  const controller = new AbortController();
  let isOver = false;
  const over = (): void => {
    socket.off('close', over);
    if (isOver) return;
    isOver = true;
    inProgress.leave();
    if (!answer.writableFinished) controller.abort();
  };
  inProgress.enter();
  answer.once('close', over);
  // Sent before the request before it was answered (pipelining): until its turn comes, its answer has no socket, and does not
  // hear of the connection's end.
  if (answer.socket === null) socket.setMaxListeners(0).once('close', over);
  return controller.signal;
}

function wantsMsgpack({ headers: { accept } }: FastifyRequest): boolean {
  return (
    accept !== undefined &&
    accept.includes('msgpack') &&
    accept.split(',').some((one) => isMsgpack(one.split(';', 1)[0]?.trim()))
  );
}

function verbOf({ routeOptions: { config } }: FastifyRequest): string {
  return 'verb' in config ? String(config.verb) : 'none';
}

function refuse({ log, metrics }: AppPorts, verb: string, reply: FastifyReply, error: unknown): void {
  const refusal = toHoldfastError(error);
  // What the service refused, it has logged itself.
  if (refusal !== error && refusal.code === 'HF_INTERNAL')
    log.error({ event: 'http.fault', verb, error: refusal.cause ?? refusal }, 'a request met a fault');
  metrics.answered(verb, refusal.status);
  sendProblem(reply, refusal);
}

/** What is no request at all: there is a socket, and nothing to reply to. */
function answerBrokenHttp(error: Error, socket: Socket): void {
  if (socket.destroyed || !socket.writable) return;
  socket.end(rawProblem(toHoldfastError(error)), () => socket.destroy());
}

function addBesideTable(app: FastifyInstance, { health, metrics, version }: AppPorts): void {
  const show = (reply: FastifyReply, { ok, body }: Health) =>
    reply
      .code(ok ? 200 : 503)
      .header('content-type', jsonType)
      .header('cache-control', 'no-store')
      .send(JSON.stringify(body));
  app.get('/livez', (_request, reply) => show(reply, livez(health)));
  app.get('/readyz', (_request, reply) => show(reply, readyz(health)));
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.page()),
  );
  const document = JSON.stringify(openapi(version));
  app.get('/openapi.json', (_request, reply) => reply.header('content-type', jsonType).send(document));
}
