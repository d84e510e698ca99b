import { eventKinds } from '../../src';
import { text, words } from './kinds';
import { nodeSettings } from './setting';
import { linkProperties } from './shared';

const { via, server, client } = linkProperties;

/** Settings of the `iotmp-events` node, which works through a server only. Without names, all events are meant. */
export const eventsTable = nodeSettings('iotmp-events', {
  via: { ...via, facts: { ...via.facts, check: 'serverOnly' } },
  server,
  client,
  events: words({ choices: eventKinds.map(({ event }) => event) }),
  device: text({ shared: true }),
  topic: text({ check: 'topicFilter' }),
});
