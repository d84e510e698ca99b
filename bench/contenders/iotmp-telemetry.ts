import { IotmpServer } from '../../src/index';
import { serveContender } from '../harness/contender';
import { iotmpOptions } from '../harness/iotmp-options';
import { listenerOptions, startOn } from '../harness/iotmp-port';
import { RESOURCE } from '../wire/iotmp-wire';

let received = 0;

/** An IotmpServer with a subscriber in its process, which takes the samples of all devices. */
serveContender({
  start(options) {
    const transport = options.transport === 'ws' || options.transport === 'tls' ? options.transport : 'tcp';
    const server = new IotmpServer({ ...iotmpOptions(options), ...listenerOptions(transport) });
    server.on('connected', (device) => {
      server.subscribe(device, RESOURCE, {
        intervalMs: 0,
        onSample: (sample) => {
          if (sample !== undefined) received++;
        },
      });
    });
    server.on('warning', (text) => console.error(`iotmp: ${text}`));
    return startOn(server, transport);
  },
  received: () => received,
});
