import assert from 'node:assert/strict';
import { MessageType } from '../../../src/codec/constants';
import type { Message } from '../../../src/codec/message';
import { decodeMessage } from '../../../src/codec/reading/message-decoder';
import { encodeMessage, type OutgoingMessage } from '../../../src/codec/writing/message-encoder';
import type { IotmpError } from '../../../src/errors';
import { FrameDecoder } from '../../../src/framing/frame-decoder';
import { ResourceRegistry } from '../../../src/session/hosting/resource-registry';
import type { SessionHooks } from '../../../src/session/session';
import type { SessionOptions } from '../../../src/session/base/session-options';
import { createMemoryPair, type MemoryPairOptions } from '../../../src/transport/memory-transport';
import type { Transport } from '../../../src/transport/transport';
import { FakeClock } from './fake-clock';
import { PeerSession } from '../../../src/session/peer-session';

/** What a test may set. */
export interface SessionSetup {
  /** Options of the session under test; of both where there are two. */
  readonly options?: Partial<SessionOptions>;
  readonly hooks?: SessionHooks;
  readonly memory?: MemoryPairOptions;
  readonly clock?: FakeClock;
}

/** A session and what it told its owner. */
export class SessionEnd {
  readonly session: PeerSession;
  readonly host = new ResourceRegistry();
  readonly warnings: string[] = [];
  /** Reasons of `onClose`; more than one is a bug. */
  readonly closes: IotmpError[] = [];

  constructor(transport: Transport, clock: FakeClock, setup: SessionSetup, isServer: boolean) {
    const { hooks = {}, options } = setup;
    this.session = new PeerSession(
      transport,
      this.host,
      {
        ...(isServer ? { onConnect: () => undefined } : {}),
        ...hooks,
        onWarning: (text) => this.warnings.push(text),
        onClose: (reason) => {
          this.closes.push(reason);
          hooks.onClose?.(reason);
        },
      },
      { clock, ...options },
    );
  }
}

/** The bare other end of a connection, which says what the test wants, right or wrong. */
export class RawPeer {
  /** Everything that arrived. */
  readonly chunks: Buffer[] = [];
  readonly messages: Message[] = [];
  ended = false;
  readonly #transport: Transport;
  readonly #frames = new FrameDecoder(1 << 24, {
    handleFrame: (type, bytes, start, end) => this.messages.push(decodeMessage(type, bytes, start, end)),
  });

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.start({
      onData: (chunk) => {
        this.chunks.push(chunk);
        this.#frames.push(chunk);
      },
      onDrain: () => undefined,
      onClose: () => {
        this.ended = true;
      },
    });
  }

  /** All bytes that arrived, in hex. */
  get hex(): string {
    return Buffer.concat(this.chunks).toString('hex');
  }

  send(...messages: OutgoingMessage[]): void {
    this.sendBytes(Buffer.concat(messages.map((message) => encodeMessage(message))));
  }

  /** Sends bytes as they are; a string is hex, with spaces where it is easier to read. */
  sendBytes(bytes: Buffer | string): void {
    this.#transport.send(typeof bytes === 'string' ? Buffer.from(bytes.replaceAll(' ', ''), 'hex') : bytes);
  }

  /** Stops to read, and goes on. */
  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  /** Ends the connection without a word. */
  hangUp(): void {
    this.#transport.close();
  }

  /** The messages that arrived since the last call, as plain objects without their absent fields. */
  take(): object[] {
    return this.messages.splice(0).map(plain);
  }
}

/** A message as a plain object without its absent fields. */
export function plain(message: Message): object {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined));
}

/** A session of either kind against a bare peer. */
export interface Rig extends SessionEnd {
  readonly clock: FakeClock;
  readonly peer: RawPeer;
}

/** CONNECT as every device of the field sends it first (`protocol.md` section 4). */
export const CONNECT: OutgoingMessage = {
  type: MessageType.CONNECT,
  streamId: 17767,
  payload: ['user1', 'sensor1', 'secret123'],
};

/** A server's session that waits for CONNECT. */
export function startServer(setup: SessionSetup = {}): Rig {
  const clock = setup.clock ?? new FakeClock();
  const [near, far] = createMemoryPair({ clock, ...setup.memory });
  return Object.assign(new SessionEnd(near, clock, setup, true), { clock, peer: new RawPeer(far) });
}

/** A server's open session. */
export async function openServer(setup: SessionSetup = {}): Promise<Rig> {
  const rig = startServer(setup);
  rig.peer.send(CONNECT);
  await rig.clock.settle();
  assert.equal(rig.session.state, 'open');
  assert.deepEqual(rig.peer.take(), [{ type: MessageType.OK, streamId: 17767 }]);
  rig.peer.chunks.length = 0;
  return rig;
}

/** A client's session that has said nothing yet. */
export function startClient(setup: SessionSetup = {}): Rig {
  const clock = setup.clock ?? new FakeClock();
  const [near, far] = createMemoryPair({ clock, ...setup.memory });
  return Object.assign(new SessionEnd(near, clock, setup, false), { clock, peer: new RawPeer(far) });
}

/** A client's open session. */
export async function openClient(setup: SessionSetup = {}): Promise<Rig> {
  const rig = startClient(setup);
  const connected = rig.session.connect(['u', 'd', 'c'], undefined, 10_000);
  await rig.clock.settle();
  rig.peer.send({ type: MessageType.OK, streamId: 1 });
  await connected;
  assert.equal(rig.session.state, 'open');
  rig.peer.take();
  rig.peer.chunks.length = 0;
  return rig;
}

/** Two sessions that talk to each other. */
export interface SessionPair {
  readonly clock: FakeClock;
  readonly server: SessionEnd;
  readonly device: SessionEnd;
}

/** A server's and a device's session, connected and open. */
export async function openPair(setup: SessionSetup = {}): Promise<SessionPair> {
  const clock = setup.clock ?? new FakeClock();
  const [near, far] = createMemoryPair({ clock, ...setup.memory });
  const server = new SessionEnd(near, clock, setup, true);
  const device = new SessionEnd(far, clock, setup, false);
  await device.session.connect(['user1', 'sensor1', 'secret123'], undefined, 10_000);
  assert.equal(server.session.state, 'open');
  return { clock, server, device };
}

/** Ends a session and checks that it left nothing behind. */
export async function endQuietly({ session, closes, clock }: Rig): Promise<void> {
  session.close();
  await clock.settle();
  assert.equal(closes.length, 1);
  assert.equal(session.requestCount, 0);
  assert.equal(session.streamCount, 0);
  assert.equal(clock.pending, 0, 'a timer was left behind');
}

/** The code of the error that a promise rejects with. */
export async function rejectionCode(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no rejection',
    (error: unknown) => (error as IotmpError).code,
  );
}

/** The code of the reason for which a session has ended by itself, and left nothing behind. */
export async function ended(rig: Rig): Promise<string> {
  await rig.clock.settle();
  assert.equal(rig.session.state, 'closed');
  assert.equal(rig.closes.length, 1);
  assert.equal(rig.peer.ended, true);
  assert.equal(rig.clock.pending, 0);
  return rig.closes[0]?.code ?? '';
}
