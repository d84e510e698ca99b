import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { toUnixMs } from '../../util/unix-time';
import { IotmpError } from '../../errors';
import { checkAllowed } from '../auth/access';
import type { Principal } from '../auth/principal';
import type { GatewayContext } from '../gateway-context';
import { EXPORT_TYPES, TIMESTAMP_FORMATS, type ExportOrder } from '../exports/bucket-exports';
import { exportMediaType, exportText } from '../exports/export-text';
import { MAX_TS, type BucketRow } from '../../store/bucket-row';
import { json, type LiveAnswer } from '../http/answer';
import { badRequest, notFound } from '../http/request-error';
import { PLAIN, route, type Route } from '../route';
import { bucketOf, knownBucket } from './buckets';
import { checkCallable } from './endpoints';
import { takePlace } from './lasting-answer';
import { detached, guarded, warnProcess } from '../../util/guard';

const PATH = '/v1/users/:user/buckets/:bucket/exports';
const ABOUT = { ...PLAIN, asset: 'Bucket', id: 'bucket', action: 'ExportBucket' } as const;

const time = z
  .number()
  .int()
  .nonnegative()
  .max(MAX_TS)
  .transform(toUnixMs)
  .nullish()
  .describe('ms since 1970, or s up to 1e11; 0 = open');

const order = z.object({
  data_type: z.enum(EXPORT_TYPES).default('csv'),
  timestamp_format: z.enum(TIMESTAMP_FORMATS).default('iso'),
  min_ts: time,
  max_ts: time,
  callback: z
    .enum(['', 'endpoint', 'email'])
    .nullish()
    .describe('endpoint: is called with the event; mails are not sent by this server'),
  endpoint: z.string().min(1).max(64).nullish().describe('the one to call'),
});

/** Exports of buckets (`platform-api.md` section 5). */
export const bucketExportRoutes: readonly Route[] = [
  route({
    ...ABOUT,
    method: 'POST',
    path: PATH,
    summary:
      'Order an export; the event bucket_export_completed tells when its file can be fetched, and so does a call of an endpoint, if wanted',
    body: order,
    answer: z.object({ file: z.string(), state: z.literal(0) }),
    async handle({ context, param, principal, body, whenOver }) {
      const key = bucketOf(param);
      await knownBucket(context, key);
      const endpoint = endpointOf(context, principal, key.user, body);
      const { data_type: type, timestamp_format: timestamps, min_ts, max_ts } = body;
      // What is written later is not in it, whenever the file is fetched.
      const maxTs = (max_ts ?? 0) === 0 ? Date.now() : (max_ts ?? 0);
      const ordered = { ...key, type, timestamps, minTs: min_ts ?? 0, maxTs };
      const file = context.exports.add(ordered);
      // Programs compare the file of the event with that of the answer, so it has to have been sent.
      const onSent = guarded('export ordered', warnProcess, () => tell(context, ordered, file, endpoint));
      whenOver(onSent);
      return json({ file, state: 0 });
    },
  }),
  route({
    ...ABOUT,
    method: 'GET',
    path: `${PATH}/:file`,
    summary: 'Fetch the file of an export, within an hour',
    produces: 'text/csv',
    handle(call) {
      const { context, param } = call;
      const found = context.exports.get(bucketOf(param), param('file'));
      if (found === undefined) throw notFound('there is no such export');
      return serveFile(context, found, takePlace(call));
    },
  }),
];

/**
 * The endpoint that is to be called when the export is done.
 * @throws IotmpError when it could not be: the program is told now, as nobody hears of it later
 */
function endpointOf(
  context: GatewayContext,
  principal: Principal,
  user: string,
  { callback, endpoint }: z.output<typeof order>,
): string | undefined {
  if (callback === 'email')
    throw badRequest('callback: this server sends no mails; a flow that does can be an endpoint');
  if (callback !== 'endpoint') return undefined;
  if (typeof endpoint !== 'string') throw badRequest('endpoint: is missing');
  checkAllowed(principal, 'Endpoint', endpoint, 'CallEndpoint');
  checkCallable(context, user, endpoint);
  return endpoint;
}

function tell(
  { server, services, closing }: GatewayContext,
  ordered: ExportOrder,
  file: string,
  endpoint: string | undefined,
): void {
  if (closing.aborted) return;
  const { user, bucket, type, timestamps, minTs, maxTs } = ordered;
  const event = {
    event: 'bucket_export_completed',
    user,
    ts: Date.now(),
    bucket,
    data_type: type,
    file,
    min_ts: minTs,
    max_ts: maxTs,
    timestamp_format: timestamps,
    url: `file://users/${user}/buckets/${bucket}/${file}`,
  };
  server.events.publish(event);
  // That it fails is the event endpoint_call_response.
  if (endpoint === undefined) return;
  detached('export endpoint', ignore, services.endpoints.call(user, endpoint, event));
}

function ignore(): void {
  // The event endpoint_call_response tells of it.
}

/** Sends the file as it is made: no faster than it is read, and not at all once the program is gone. */
async function serveFile(
  { limits, services }: GatewayContext,
  ordered: ExportOrder,
  end: AbortSignal,
): Promise<LiveAnswer> {
  const { user, bucket, minTs, maxTs } = ordered;
  const text = exportText(ordered, () =>
    until(end, services.buckets.scan({ user, bucket }, { minTs, maxTs, sort: 'asc' })),
  );
  // What fails at once is answered; later on there is only the end of the connection to tell it by.
  const first = await text.next();
  return {
    serve(response) {
      response.writeHead(200, {
        'Content-Type': exportMediaType(ordered),
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      });
      if (response.req.method === 'HEAD') {
        response.end();
        return;
      }
      response.setTimeout(
        limits.drainTimeoutMs,
        guarded('export timeout', warnProcess, () => response.destroy()),
      );
      const rest = Readable.from(withFirst(first, text));
      const onFault = (): void => void response.destroy();
      detached('export sent', onFault, pipeline(rest, response, { signal: end }));
    },
  };
}

/** Pages of rows for as long as somebody wants them: a table is looked through as a whole before anything is sent. */
async function* until(
  end: AbortSignal,
  pages: AsyncIterable<readonly BucketRow[]>,
): AsyncGenerator<readonly BucketRow[], undefined> {
  for await (const page of pages) {
    if (end.aborted) throw new IotmpError('IOTMP_ERR_ABORTED', 'nobody waits for the export any more');
    yield page;
  }
}

async function* withFirst(
  first: IteratorResult<string, undefined>,
  rest: AsyncGenerator<string, undefined>,
): AsyncGenerator<string, undefined> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}
