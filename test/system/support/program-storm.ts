import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { NodeRed } from './node-red';

const USER = 'home';
const BASE = `/v1/users/${USER}`;
const STORAGE = `${BASE}/storages/storm`;

/** A kind of records that a program makes and removes. */
interface Kind {
  readonly name: string;
  readonly path: string;
  readonly body: (id: string) => object;
}

const KINDS: readonly Kind[] = [
  {
    name: 'devices',
    path: `${BASE}/devices`,
    body: (device) => ({ device, credentials: `secret of ${device}` }),
  },
  { name: 'tokens', path: `${BASE}/tokens`, body: (token) => ({ token, allow: { '*': { '*': '*' } } }) },
  { name: 'users', path: '/v1/users', body: (user) => ({ user }) },
  { name: 'endpoints', path: `${BASE}/endpoints`, body: (endpoint) => ({ endpoint }) },
  { name: 'buckets', path: `${BASE}/buckets`, body: (bucket) => ({ bucket }) },
];

/** A program that makes and removes records and files over the API, one after the other, until the server is gone. */
export class ProgramStorm {
  /** How many writes of each kind were answered with success. */
  readonly counts = new Map<string, number>();
  /** Resolves when nothing is on its way any more. */
  ended: Promise<void> = Promise.resolve();
  readonly #server: string;
  /** Whether each path is there, as far as was answered. What was on its way is not in it. */
  readonly #known = new Map<string, boolean>();
  /** Files by their paths, with all contents that were sent since the last one that was answered. */
  readonly #files = new Map<string, Set<string>>();
  #token = '';
  #last = 0;

  /** @param server id of the server node */
  constructor(server: string) {
    this.#server = server;
  }

  /** Begins, once a token is made and the storage is there. */
  async begin(nodeRed: NodeRed): Promise<void> {
    this.#known.clear();
    await this.#makeToken(nodeRed);
    const made = await this.#send(nodeRed, 'POST', `${BASE}/storages`, JSON.stringify({ storage: 'storm' }));
    assert.ok(made === 200 || made === 409, `the storage: ${made}`);
    const lanes = KINDS.map((kind) => this.#untilGone(() => this.#makeAndRemove(nodeRed, kind)));
    for (const lane of [0, 1]) lanes.push(this.#untilGone((turn) => this.#writeFile(nodeRed, lane, turn)));
    this.ended = Promise.all(lanes).then(() => undefined);
  }

  /** Whatever was answered is as it was answered, and each file is whole. */
  async check(nodeRed: NodeRed): Promise<void> {
    if (this.#token === '') return;
    const wrong: string[] = [];
    for (const [path, isThere] of this.#known) {
      const status = await this.#send(nodeRed, 'GET', path);
      if ((status === 200) !== isThere) wrong.push(`${path}: ${status}`);
    }
    for (const [path, contents] of this.#files) {
      const response = await this.#ask(nodeRed, 'GET', path);
      const bytes = Buffer.from(await response.arrayBuffer());
      if (response.status !== 200 || !contents.has(hashOf(bytes)))
        wrong.push(`${path}: ${bytes.length} bytes`);
      else this.#files.set(path, new Set([hashOf(bytes)]));
    }
    assert.deepEqual(wrong, [], 'answered with success, and otherwise after the kill');
  }

  async #makeToken(nodeRed: NodeRed): Promise<void> {
    const response = await nodeRed.request(`/iotmp/servers/${this.#server}/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user: USER, name: 'storm', admin: true }),
    });
    assert.equal(response.status, 200);
    const { token } = (await response.json()) as { token: string };
    this.#token = token;
  }

  /** Of two records that are made, the first is removed. */
  async #makeAndRemove(nodeRed: NodeRed, { name, path, body }: Kind): Promise<void> {
    const ids = [0, 1].map(() => `s${this.#last++}`);
    for (const id of ids) {
      await this.#done(nodeRed, 'POST', path, JSON.stringify(body(id)));
      this.#note(name, `${path}/${id}`, true);
    }
    const gone = `${path}/${ids[0]}`;
    await this.#done(nodeRed, 'DELETE', gone);
    this.#note(name, gone, false);
  }

  /** Each file is written again and again, and then has one of the contents that were sent last. */
  async #writeFile(nodeRed: NodeRed, lane: number, turn: number): Promise<void> {
    const path = `${STORAGE}/files/folder${lane}/file${turn % 3}`;
    const content = Buffer.alloc(1 + ((this.#last++ * 7919) % 60_000), `${this.#last} `);
    // Before it is answered it may be there or not; a file of which nothing was answered may be missing, too.
    this.#files.get(path)?.add(hashOf(content));
    await this.#done(nodeRed, 'PUT', path, content);
    this.#files.set(path, new Set([hashOf(content)]));
    this.counts.set('files', (this.counts.get('files') ?? 0) + 1);
  }

  #note(name: string, path: string, isThere: boolean): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    this.#known.set(path, isThere);
  }

  async #done(nodeRed: NodeRed, method: string, path: string, body?: string | Buffer): Promise<void> {
    // What is on its way may be there or not.
    this.#known.delete(path);
    const response = await this.#ask(nodeRed, method, path, body);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }

  async #send(nodeRed: NodeRed, method: string, path: string, body?: string): Promise<number> {
    const response = await this.#ask(nodeRed, method, path, body);
    await response.arrayBuffer();
    return response.status;
  }

  #ask(nodeRed: NodeRed, method: string, path: string, body?: string | Buffer): Promise<Response> {
    const type = typeof body === 'string' ? 'application/json' : 'application/octet-stream';
    return nodeRed.request(path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body !== undefined && { 'content-type': type }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    });
  }

  async #untilGone(write: (turn: number) => Promise<void>): Promise<void> {
    for (let turn = 0; ; turn++) {
      try {
        await write(turn);
      } catch (error) {
        // The connection has ended without an answer; any answer but success fails the storm.
        if (error instanceof TypeError || (error instanceof Error && error.name === 'AbortError')) return;
        throw error;
      }
    }
  }
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
