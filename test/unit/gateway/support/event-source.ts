import { once } from 'node:events';
import http from 'node:http';
import { cleanUp } from '../../../support/clean-up';
import type { GatewayBench } from './gateway-bench';

/** An event of a stream, as a browser tells it: those without a name are messages. */
export interface SourceEvent {
  readonly name: string;
  readonly data: Record<string, unknown>;
}

/** Server-sent events as a program reads them; `status` is what it was answered. */
export class EventSource {
  readonly events: SourceEvent[] = [];
  readonly status: number;
  readonly #request: http.ClientRequest;

  private constructor(request: http.ClientRequest, response: http.IncomingMessage) {
    this.#request = request;
    this.status = response.statusCode ?? 0;
    let text = '';
    response.on('data', (chunk: Buffer) => {
      const blocks = `${text}${chunk.toString()}`.split('\n\n');
      text = blocks.pop() ?? '';
      this.events.push(...blocks.filter((block) => !block.startsWith(':')).map(eventOf));
    });
    response.on('error', () => undefined);
  }

  static async open(bench: GatewayBench, path: string): Promise<EventSource> {
    const headers = { Accept: 'text/event-stream', Authorization: `Bearer ${bench.token}` };
    const request = http.get({ host: '127.0.0.1', port: bench.port, path, headers, agent: false });
    request.on('error', () => undefined);
    cleanUp(() => request.destroy());
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    return new EventSource(request, response);
  }

  /** What the messages have told so far, the last word of each member. */
  get state(): Record<string, unknown> {
    const messages = this.events.filter(({ name }) => name === 'message');
    return Object.assign({}, ...messages.map(({ data }) => data)) as Record<string, unknown>;
  }

  async close(): Promise<void> {
    this.#request.destroy();
    await once(this.#request, 'close');
  }
}

function eventOf(block: string): SourceEvent {
  const field = (name: string): string | undefined =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  const data = JSON.parse(field('data') ?? '{}') as Record<string, unknown>;
  return { name: field('event') ?? 'message', data };
}
