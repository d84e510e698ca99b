import type { IotmpServer } from './broker';
import type { ConnectedDevice, DeviceCounters } from './connected-device';

type Totals = { -readonly [Counter in keyof DeviceCounters]: number };

/** The connections of devices and the sums of their counters, with those of connections that have ended. */
export class DeviceTotals {
  connections = 0;
  disconnections = 0;
  readonly #server: IotmpServer;
  readonly #gone: Totals = {
    bytesIn: 0,
    bytesOut: 0,
    messagesIn: 0,
    messagesOut: 0,
    samplesDropped: 0,
    messagesDropped: 0,
    conversationsFailed: 0,
  };
  readonly #onConnected = (): void => {
    this.connections++;
  };
  readonly #onDisconnected = (device: ConnectedDevice): void => {
    this.disconnections++;
    addTo(this.#gone, device.counters);
  };

  constructor(server: IotmpServer) {
    this.#server = server;
    server.on('connected', this.#onConnected).on('disconnected', this.#onDisconnected);
  }

  /** The sums since the beginning. */
  get counters(): DeviceCounters {
    const total = { ...this.#gone };
    for (const { counters } of this.#server.devices) addTo(total, counters);
    return total;
  }

  close(): void {
    this.#server.off('connected', this.#onConnected).off('disconnected', this.#onDisconnected);
  }
}

function addTo(total: Totals, counters: DeviceCounters): void {
  total.bytesIn += counters.bytesIn;
  total.bytesOut += counters.bytesOut;
  total.messagesIn += counters.messagesIn;
  total.messagesOut += counters.messagesOut;
  total.samplesDropped += counters.samplesDropped;
  total.messagesDropped += counters.messagesDropped;
  total.conversationsFailed += counters.conversationsFailed;
}
