import type { IotmpServer } from '../../broker/broker';
import type { ConnectedDevice, DeviceCounters } from '../../broker/connected-device';

const COUNTERS = ['bytesIn', 'bytesOut', 'messagesIn', 'messagesOut'] as const;

/** Messages and bytes from and to devices. */
type Traffic = Pick<DeviceCounters, (typeof COUNTERS)[number]>;

/** Connections of devices and their traffic, with that of those who have gone. */
export class TrafficTotals {
  connections = 0;
  disconnections = 0;
  readonly #server: IotmpServer;
  readonly #gone = { bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0 };
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

  /** Traffic of all devices since the beginning. */
  get traffic(): Traffic {
    const total = { ...this.#gone };
    for (const { counters } of this.#server.devices) addTo(total, counters);
    return total;
  }

  close(): void {
    this.#server.off('connected', this.#onConnected).off('disconnected', this.#onDisconnected);
  }
}

function addTo(total: Record<(typeof COUNTERS)[number], number>, counters: Traffic): void {
  for (const name of COUNTERS) total[name] += counters[name];
}
