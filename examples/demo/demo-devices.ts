import { defaultClientOptions } from '../../src';

/** A device that the server of the demo flow lets in. */
export interface DemoDevice {
  readonly user: string;
  readonly device: string;
  readonly credential: string;
}

/** Address and port on which the server of the demo flow listens by default. */
export const DEMO_HOST = '127.0.0.1';
export const DEMO_PORT = defaultClientOptions.port.tcp;

/**
 * The devices of the demo. The credentials are no secrets: the server of the demo flow listens on the loopback
 * interface only.
 */
export const DEMO_DEVICES = {
  /** A program of its own. */
  weatherStation: { user: 'demo', device: 'weather-station', credential: 'demo-weather' },
  /** A program of its own. */
  relayBoard: { user: 'demo', device: 'relay-board', credential: 'demo-relay' },
  /** A device that the flow itself is, through its client node. */
  greenhouse: { user: 'demo', device: 'greenhouse', credential: 'demo-greenhouse' },
} as const satisfies Record<string, DemoDevice>;
