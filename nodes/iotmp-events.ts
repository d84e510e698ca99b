import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IotmpError, type ConnectedDevice, type FailedLogin, type IotmpServer } from '../src';
import { followLink, setUpFlowNode } from './lib/flow-node';
import type { LinkSettings } from './lib/link';
import { ServerLink } from './lib/server-link';
import { textSetting } from './lib/settings';
import { translate } from './lib/translate';

interface EventsConfig extends NodeDef, LinkSettings {
  readonly events?: unknown;
  readonly device?: unknown;
}

/** What happened on the server: the names and fields that programs for the protocol know. */
interface ServerEvent extends Record<string, unknown> {
  readonly event: string;
  readonly user: string;
  readonly device: string;
  /** When, in ms since 1970. */
  readonly ts: number;
}

export = function register(RED: NodeAPI): void {
  RED.nodes.registerType('iotmp-events', function (this: Node, config: EventsConfig) {
    RED.nodes.createNode(this, config);
    setUpFlowNode(RED, this, config, (context) => {
      const { link } = context;
      if (!(link instanceof ServerLink)) {
        throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.noServer'));
      }
      const wanted = eventFilter(config);
      context.onClose(
        followEvents(link.server, (event) => {
          if (!wanted(event)) return;
          const { event: topic, user, device } = event;
          this.send({ payload: event, topic, user, device });
        }),
      );
      followLink(context);
    });
  });
};

/** Tells of every event; returns the function that ends it. */
function followEvents(server: IotmpServer, tell: (event: ServerEvent) => void): () => void {
  const stateChange = (state: string, { user, device, address }: ConnectedDevice, reason?: string): void =>
    tell({
      event: 'device_state_change',
      user,
      device,
      ts: Date.now(),
      state,
      address,
      ...(reason === undefined ? {} : { reason }),
    });
  const onConnected = (device: ConnectedDevice): void => stateChange('connected', device);
  const onDisconnected = (device: ConnectedDevice, reason: IotmpError): void =>
    stateChange('disconnected', device, reason.message);
  const onRefused = ({ user, device, address, error }: FailedLogin): void =>
    tell({
      event: 'device_authentication_failed',
      user,
      device,
      ts: Date.now(),
      type: 'credentials',
      address,
      reason: error.message,
    });
  server.on('connected', onConnected);
  server.on('disconnected', onDisconnected);
  server.on('authenticationFailed', onRefused);
  return () => {
    server.off('connected', onConnected);
    server.off('disconnected', onDisconnected);
    server.off('authenticationFailed', onRefused);
  };
}

/** No names mean all events, no device means every device; a device may be given as `user/device`, too. */
function eventFilter(config: EventsConfig): (event: ServerEvent) => boolean {
  const list: readonly unknown[] = Array.isArray(config.events) ? config.events : [];
  const names = new Set(list.filter((name) => typeof name === 'string'));
  const device = textSetting(config.device);
  return (event) =>
    (names.size === 0 || names.has(event.event)) &&
    (device === '' || device === event.device || device === `${event.user}/${event.device}`);
}
