import type { Message } from '../../../src/codec/message';
import { IotmpClient } from '../../../src/client/client';
import type { ClientOptions } from '../../../src/client/client-options';
import { IotmpError } from '../../../src/errors';
import { ResourceRegistry } from '../../../src/session/hosting/resource-registry';
import type { ConnectOptions, ConnectTarget } from '../../../src/transport/connect';
import { createMemoryPair } from '../../../src/transport/memory-transport';
import type { Transport } from '../../../src/transport/transport';
import { FakeClock } from '../support/fake-clock';
import { PeerSession } from '../../../src/session/peer-session';

/** How a {@link TestServer} deals with one CONNECT; what it throws is the refusal. */
export type Doorman = (session: PeerSession, message: Message) => void | Promise<void>;

/** A server end that is made of a session and nothing else, reached in memory. */
export class TestServer {
  readonly clock: FakeClock;
  readonly resources = new ResourceRegistry();
  /** Where each attempt wanted to go, with its options. */
  readonly targets: ConnectTarget[] = [];
  readonly connectOptions: ConnectOptions[] = [];
  /** The server's side of each connection. */
  readonly sessions: PeerSession[] = [];
  readonly connects: Message[] = [];
  doorman: Doorman = () => undefined;
  /** Thrown at those who connect. */
  outage: Error | undefined;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  /** For the client's option of that name. */
  readonly connectTransport = (target: ConnectTarget, options: ConnectOptions = {}): Promise<Transport> => {
    this.targets.push(target);
    this.connectOptions.push(options);
    if (this.outage !== undefined) return Promise.reject(this.outage);
    const [near, far] = createMemoryPair({ clock: this.clock });
    this.accept(far);
    return Promise.resolve(near);
  };

  /** Serves a connection. */
  accept(transport: Transport): void {
    const session: PeerSession = new PeerSession(
      transport,
      this.resources,
      {
        onConnect: ({ message }) => {
          this.connects.push(message);
          return this.doorman(session, message);
        },
      },
      { clock: this.clock },
    );
    this.sessions.push(session);
  }

  /** The server's side of the latest connection. */
  get session(): PeerSession {
    const session = this.sessions.at(-1);
    if (session === undefined) throw new Error('nobody has connected');
    return session;
  }
}

/** A client, the server that it connects to, and the clock of both. The jitter is none: delays are at their longest. */
export class Scene {
  readonly clock = new FakeClock();
  readonly server = new TestServer(this.clock);
  readonly client: IotmpClient;
  /** The states that were told, in order, with the error's text where there was one. */
  readonly states: string[] = [];
  readonly errors: (IotmpError | undefined)[] = [];
  readonly warnings: string[] = [];

  constructor(options: Partial<ClientOptions> = {}) {
    this.client = new IotmpClient({
      host: 'server.test',
      user: 'user1',
      device: 'sensor1',
      credential: 'secret123',
      clock: this.clock,
      random: () => 1,
      connectTransport: this.server.connectTransport,
      ...options,
    });
    this.client.on('state', (state, error) => {
      this.states.push(state);
      this.errors.push(error);
    });
    this.client.on('warning', (text) => this.warnings.push(text));
  }

  /** Connects and waits until the client is open. */
  async open(): Promise<void> {
    this.client.connect();
    await this.client.ready();
    await this.clock.settle();
  }

  /** Connects and lets everything happen that needs no time. */
  async connect(): Promise<void> {
    this.client.connect();
    await this.clock.settle();
  }

  /** Attempts to connect so far. */
  get attempts(): number {
    return this.server.targets.length;
  }

  /** Ends the client and the server. */
  async close(): Promise<void> {
    const closed = this.client.close();
    await this.clock.settle();
    // Those that have not decided on a CONNECT yet do not see the client's end.
    for (const session of this.server.sessions)
      session.destroy(new IotmpError('IOTMP_ERR_CLOSED', 'test ends'));
    await closed;
    await this.clock.settle();
  }
}
