import { monitorEventLoopDelay } from 'node:perf_hooks';
import { measureMemory } from './memory';
import type { CallFigures, Envelope, Mark, Request, ResponseEnvelope, Responses } from './messages';

/** What a contender's program provides. */
export interface Contender {
  /** Starts to listen; returns the port. */
  start(options: Readonly<Record<string, unknown>>): Promise<number> | number;
  /** Messages received so far. */
  received?(): number;
  /** Calls devices. */
  calls?(request: { devices: number; inFlight: number; seconds: number }): Promise<CallFigures>;
  /** What lets a program in. */
  token?(): Promise<string>;
  /** Encodes and decodes. */
  codec?(seconds: number): Responses['codec'];
  /** Makes its own load. */
  feed?(request: { seconds: number; perSecond?: number | undefined }): Promise<void>;
}

/** Serves the driver's requests in the process of a contender. */
export function serveContender(contender: Contender): void {
  // Coarse, as the timer behind it costs something, too.
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  let lastMark = performance.now();
  const mark = (): Mark => {
    const { user, system } = process.cpuUsage();
    const at = performance.now();
    // Nothing counted means that the loop did not turn.
    const loopDelay = delay.count > 0 ? delay.percentile(99) / 1e6 : at - lastMark;
    const longestDelay = delay.count > 0 ? delay.max / 1e6 : loopDelay;
    delay.reset();
    lastMark = at;
    return {
      at,
      count: contender.received?.() ?? 0,
      cpu: user + system,
      rss: process.memoryUsage.rss(),
      loopDelay,
      longestDelay,
    };
  };
  const handle = (request: Request): unknown => {
    switch (request.name) {
      case 'start':
        return contender.start(request.options);
      case 'mark':
        return mark();
      case 'memory':
        return measureMemory();
      case 'token':
        return contender.token?.() ?? '';
      case 'calls':
        return contender.calls?.(request);
      case 'codec':
        return contender.codec?.(request.seconds);
      case 'feed':
        return contender.feed?.(request);
    }
  };
  process.on('message', (envelope: Envelope) => void respond(envelope, handle));
  process.on('disconnect', () => process.exit());
}

async function respond({ id, request }: Envelope, handle: (request: Request) => unknown): Promise<void> {
  let response: ResponseEnvelope;
  try {
    response = { id, value: await handle(request) };
  } catch (error) {
    response = { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.send?.(response);
}
