import { once } from 'node:events';
import http from 'node:http';
import { cleanUp } from '../../../support/clean-up';
import type { GatewayBench } from './gateway-bench';

/** What a node of the pack gets of a request. */
export interface NodeRedResult {
  readonly status: number;
  readonly payload?: unknown;
  readonly error?: string;
}

/** A request that fails in the pack; 404 does not. */
export class NodeRedError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Sends requests as the nodes of the Node-RED pack do, and takes answers as they do (`platform-api.md` sections 1.2 and
 * 8.1): five kept sockets, no header but the token and those of a body, texts sent raw as JSON, bytes with a misspelt
 * type; a 404 resolves, every other failure rejects; what an answer is goes by its content type.
 */
export class NodeRedClient {
  readonly #bench: GatewayBench;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 5, timeout: 30_000 });
  /** The local port of each request: those of the same port have shared a socket. */
  readonly ports: (number | undefined)[] = [];
  token: string;

  constructor(bench: GatewayBench) {
    this.#bench = bench;
    this.token = bench.token;
    cleanUp(() => this.#agent.destroy());
  }

  get(path: string): Promise<NodeRedResult> {
    return this.request('GET', path);
  }

  async request(method: string, path: string, data?: unknown): Promise<NodeRedResult> {
    const body = data === undefined || method === 'GET' ? undefined : bodyOf(data);
    const request = http.request(`http://127.0.0.1:${this.#bench.port}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, ...body?.headers },
      agent: this.#agent,
    });
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
    request.end(body?.bytes);
    const [response] = await answered;
    this.ports.push(request.socket?.localPort);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const { statusCode: status = 0, headers } = response;
    const payload = payloadOf(Buffer.concat(chunks), headers['content-type']);
    const message = messageOf(payload);
    if (status === 404) return { status, error: 'not found' };
    if (status < 200 || status > 299) throw new NodeRedError(status, message);
    return { status, payload };
  }
}

function bodyOf(data: unknown): { bytes: string | Buffer; headers: http.OutgoingHttpHeaders } {
  const bytes = Buffer.isBuffer(data) || typeof data === 'string' ? data : JSON.stringify(data);
  const type = Buffer.isBuffer(data) ? 'application/octec-stream;' : 'application/json; charset=utf-8';
  return { bytes, headers: { 'Content-Length': Buffer.byteLength(bytes), 'Content-Type': type } };
}

function payloadOf(bytes: Buffer, type: string | undefined): unknown {
  if (type === undefined) return bytes;
  if (type.startsWith('application/json')) return parsed(bytes.toString());
  if (type.startsWith('image')) return bytes.toString('base64');
  return /^(text|application\/(xml|rtf|xhtml|atom))/.test(type) ? bytes.toString() : bytes;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Of a success, too: whoever answers `{"error":null}` breaks the pack. */
function messageOf(payload: unknown): string {
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, 'error')) return '';
  return (payload as { error: { message: string } }).error.message;
}
