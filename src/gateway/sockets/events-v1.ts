import { IotmpError } from '../../errors';
import { listenToUser } from '../events/user-events';
import { toJson } from '../http/json-text';
import { CloseCode } from './client-socket';
import { filterByPatterns, patternFilter, type EventPredicate } from './event-predicates';
import { readFrame } from './frames';
import { MessageFeeds } from './message-feed';
import type { SocketRoute } from './socket-route';
import { guarded, warnProcess } from '../../util/guard';

/**
 * Events, version 1: the client sends its filter once, and gets bare events and nothing else, as clients of this version
 * take every frame for an event (`platform-api.md` section 2.2).
 */
export const eventsV1Route: SocketRoute = {
  method: 'SOCKET',
  path: '/v1/users/:user/events',
  action: 'SubscribeUserEvents',
  access: 'token',
  asset: 'User',
  id: 'user',
  summary: 'Events: send one object of regular expressions by field, get the events whose fields they match',
  open({ context, param, principal: { permissions }, signal }) {
    const user = param('user');
    return (socket) => {
      let isWanted: EventPredicate = () => false;
      socket.listen((data) => {
        try {
          isWanted = filterByPatterns(readFrame(data, patternFilter));
        } catch (error) {
          if (!(error instanceof IotmpError)) throw error;
          socket.close(CloseCode.BAD_DATA, error.message.slice(0, 100));
        }
      });
      const feeds = new MessageFeeds(socket, (count) => context.metrics.samplesDropped.add({}, count));
      const feed = feeds.open((lost) => toJson({ event: 'events_lost', user, ts: Date.now(), lost }));
      const leave = listenToUser(context, { user, permissions }, (event) => {
        if (isWanted(event)) feed.send(toJson(event));
      });
      signal.addEventListener('abort', guarded('events left', warnProcess, leave));
    };
  },
};
