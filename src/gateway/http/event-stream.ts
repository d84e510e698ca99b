import type { Value } from '../../types';
import type { Clock, Timer } from '../../util/clock';
import type { LiveAnswer } from './answer';
import { toJson } from './json-text';
import { guarded, warnProcess } from '../../util/guard';

/** Time after which a line without meaning keeps an idle stream alive, in ms; who has not read on by the next is cut off. */
const KEEP_ALIVE_MS = 15_000;

/** Server-sent events to one client. */
export interface EventStream {
  /** Sends an event. One that a slow reader has no room for is left out. */
  send(data: Value, event?: string): void;
}

/** What an event stream may use and must heed. */
export interface EventStreamOptions {
  readonly clock: Clock;
  readonly maxBufferedBytes: number;
  /** Ends the stream. */
  readonly closing: AbortSignal;
  /** Whether the token of the client still counts: it may expire while the stream goes on. */
  readonly counts: () => boolean;
}

/**
 * An answer of server-sent events.
 * @param start begins to send; what it returns is called once when the stream is over, whoever ended it
 */
export function eventStream(
  { clock, maxBufferedBytes, closing, counts }: EventStreamOptions,
  start: (stream: EventStream) => () => void,
): LiveAnswer {
  return {
    serve(response) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      response.flushHeaders();
      const write = (text: string): void => {
        if (response.writable && response.writableLength < maxBufferedBytes) response.write(text);
      };
      const stop = start({
        send: (data, event) =>
          write(`${event === undefined ? '' : `event: ${event}\n`}data: ${toJson(data)}\n\n`),
      });
      let wasFull = false;
      const stopBeat = keepAlive(clock, () => {
        if (wasFull && response.writableNeedDrain) response.destroy();
        wasFull = response.writableNeedDrain;
        if (counts()) write(':\n\n');
        else finish();
      });
      const finish = guarded('event stream end', warnProcess, () => {
        closing.removeEventListener('abort', finish);
        response.off('close', finish);
        stopBeat();
        stop();
        response.end();
      });
      closing.addEventListener('abort', finish);
      response.once('close', finish);
      if (closing.aborted || response.closed || response.req.method === 'HEAD') finish();
    },
  };
}

function keepAlive(clock: Clock, write: () => void): () => void {
  let timer: Timer;
  const next = (): void => {
    timer = clock.after(KEEP_ALIVE_MS, () => {
      next();
      write();
    });
  };
  next();
  return () => timer.cancel();
}
