import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IotmpError, TopicFilter, type ServerEvent } from '../src';
import { copyValue } from './lib/flow/copy-value';
import { followLink, setUpFlowNode } from './lib/flow/flow-node';
import type { LinkSettings } from './lib/flow/link';
import { ServerLink } from './lib/server/server-link';
import { textSetting } from './lib/red/settings';
import { translate } from './lib/red/translate';

interface EventsConfig extends NodeDef, LinkSettings {
  readonly events?: unknown;
  readonly device?: unknown;
  readonly topic?: unknown;
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
        link.server.events.listen((event) => {
          if (!wanted(event)) return;
          const { event: topic, user, device } = event;
          this.send({ payload: copyValue(event), topic, user, device });
        }),
      );
      followLink(context);
    });
  });
};

/**
 * No names mean all events, no device means every device; a device may be given as `user/device`, too. A topic filter
 * chooses among the messages of topics only.
 * @throws IotmpError IOTMP_ERR_PROTOCOL for a bad topic filter
 */
function eventFilter(config: EventsConfig): (event: ServerEvent) => boolean {
  const list: readonly unknown[] = Array.isArray(config.events) ? config.events : [];
  const names = new Set(list.filter((name) => typeof name === 'string'));
  const device = textSetting(config.device);
  const topic = textSetting(config.topic);
  const topics = topic === '' ? undefined : new TopicFilter(topic);
  const isWanted = ({ event, topic: name }: ServerEvent): boolean =>
    topics === undefined ||
    event !== 'device_topic_publish' ||
    (typeof name === 'string' && topics.matches(name));
  return (event) =>
    (names.size === 0 || names.has(event.event)) &&
    (device === '' || device === event.device || device === `${event.user}/${event.device}`) &&
    isWanted(event);
}
