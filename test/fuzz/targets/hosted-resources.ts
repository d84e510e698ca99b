import { Answer } from '../../../src/session/hosting/resource';
import { ResourceRegistry } from '../../../src/session/hosting/resource-registry';

/** Resources of every temper, under the names that captured messages and mutations use. All of them answer soon. */
export function hostedResources(): ResourceRegistry {
  const host = new ResourceRegistry();
  const boom = (): never => {
    throw new Error('boom');
  };
  host.host('t', { kind: 'output', run: () => ({ temperature: 23.5 }), id: 9 });
  host.host('now', { kind: 'inout', run: ({ payload, parameters }) => payload ?? parameters ?? null, id: 5 });
  host.host('in/:n', { kind: 'input', run: ({ payload }) => payload, id: 8 });
  host.host('led', { kind: 'input', run: () => undefined, describe: () => ({ in: true }) });
  host.host('reset', { kind: 'run', run: () => undefined });
  host.host('later', { kind: 'inout', run: ({ payload }) => Promise.resolve(payload) });
  host.host('fails', { kind: 'output', run: boom, describe: boom, open: boom });
  host.host('odd', { kind: 'inout', run: ({ payload }) => new Answer(payload, 409) });
  host.host('bad', { kind: 'output', run: () => () => 1 });
  host.host('$fs/*path', {
    kind: 'inout',
    run: ({ captures }) => captures,
    streams: 'conversation',
    open(stream) {
      stream.onData = (payload) => void stream.write(payload ?? null);
      return undefined;
    },
  });
  host.host('events', {
    kind: 'inout',
    run: boom,
    open(stream) {
      stream.onData = (payload) => (payload === null ? stream.close() : void stream.write([payload]));
      stream.onClose = boom;
      stream.write('early');
      return Promise.resolve('opened');
    },
  });
  return host;
}
