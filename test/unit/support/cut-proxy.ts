import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { cleanUp } from '../../support/clean-up';
import { reset } from './reset';

/** Which way a network has lost; what was sent into it is gone, a FIN included. */
export type Loss = 'toServer' | 'toDevice' | 'both';

/** A network between devices and a server, that can lose what goes one way without a word to either end. */
export class CutProxy {
  readonly #server: net.Server;
  readonly #links: Link[] = [];

  private constructor(serverPort: number) {
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
      const far = net.connect({ port: serverPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
      this.#links.push(new Link(near, far));
    });
  }

  /** Listens until the end of the test. */
  static async listen(serverPort: number): Promise<CutProxy> {
    const proxy = new CutProxy(serverPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    cleanUp(() => proxy.#close());
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts the connections that there are, until the end of the test; later ones are whole. */
  cut(loss: Loss): void {
    for (const link of this.#links) link.cut(loss);
  }

  async #close(): Promise<void> {
    for (const link of this.#links) link.end();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }
}

/** One connection through the network. */
class Link {
  readonly #ends: readonly net.Socket[];
  #toServer = true;
  #toDevice = true;

  constructor(near: net.Socket, far: net.Socket) {
    this.#ends = [near, far];
    pass(near, far, () => this.#toServer);
    pass(far, near, () => this.#toDevice);
  }

  cut(loss: Loss): void {
    if (loss !== 'toDevice') this.#toServer = false;
    if (loss !== 'toServer') this.#toDevice = false;
  }

  end(): void {
    for (const socket of this.#ends) reset(socket);
  }
}

/** Hands bytes and their end on for as long as the way is open, and reads them otherwise, too. */
function pass(from: net.Socket, to: net.Socket, isOpen: () => boolean): void {
  const whileOpen = (act: () => void) => () => {
    if (isOpen()) act();
  };
  from.on('data', (chunk) => {
    if (isOpen()) to.write(chunk);
  });
  from.on(
    'end',
    whileOpen(() => to.end()),
  );
  from.on('error', () => undefined);
  from.on(
    'close',
    whileOpen(() => to.destroy()),
  );
}
