import type { Node, NodeAPI } from 'node-red';
import { IotmpError, TopicFilter, type ServerEvent } from '../src';
import { flowValue } from './lib/flow/flow-value';
import { flowLoad } from './lib/flow/flow-load';
import { followLink, setUpFlowNode } from './lib/flow/flow-node';
import { ServerLink } from './lib/server/server-link';
import { translate } from './lib/red/translate';
import { eventsTable } from './settings/iotmp-events';
import { settingReader, type ConfigOf } from './settings/setting';

type EventsConfig = ConfigOf<typeof eventsTable>;

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
          flowLoad.note(link, device === undefined ? undefined : { user, device });
          this.send({ payload: flowValue(event), topic, user, device });
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
  const read = settingReader(eventsTable, config);
  const names = new Set(read('events'));
  const device = read('device');
  const topic = read('topic');
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
