import { errorText, guarded, type FaultHandler, type IotmpServer } from '../../../src';
import type { TlsSource } from '../red/tls-source';

/** Time after a change in which other files may change, too, in ms: key and certificate are written one by one. */
const SETTLE_MS = 400;
/** Time after which files that do not fit together are read once more, in ms. */
const AGAIN_MS = 3000;

/** What a renewal tells its server node. */
export interface TlsRenewalPort {
  /** Another certificate is shown from now on. */
  onRenewed(): void;
  /** The files that have changed cannot be used: the former ones stay. */
  onRefused(reason: string): void;
  readonly onFault: FaultHandler;
}

/** Has a server show the certificate that is in the files of its `tls-config` node, also after they have changed. */
export class TlsRenewal {
  readonly #server: IotmpServer;
  readonly #source: TlsSource;
  readonly #port: TlsRenewalPort;
  readonly #unwatch: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(server: IotmpServer, source: TlsSource, port: TlsRenewalPort) {
    this.#server = server;
    this.#source = source;
    this.#port = port;
    this.#unwatch = source.watch(() => this.#readIn(SETTLE_MS, false));
  }

  /** Looks at the files no more. */
  close(): void {
    this.#unwatch();
    clearTimeout(this.#timer);
  }

  #readIn(ms: number, isLast: boolean): void {
    clearTimeout(this.#timer);
    const read = guarded('TLS renewal', this.#port.onFault, () => this.#read(isLast));
    this.#timer = setTimeout(read, ms);
  }

  #read(isLast: boolean): void {
    try {
      this.#server.renewTls(this.#source.options());
    } catch (error) {
      if (isLast) this.#port.onRefused(errorText(error));
      else this.#readIn(AGAIN_MS, true);
      return;
    }
    this.#port.onRenewed();
  }
}
