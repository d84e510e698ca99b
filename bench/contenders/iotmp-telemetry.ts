import { IotmpServer } from '../../src/index';
import { serveContender } from '../harness/contender';
import { serverPort } from '../harness/server-port';
import { iotmpOptions } from '../harness/iotmp-options';
import { RESOURCE } from '../wire/iotmp-wire';

let received = 0;

/** An IotmpServer with a subscriber in its process, which takes the samples of all devices. */
serveContender({
  async start(options) {
    const server = new IotmpServer(iotmpOptions(options));
    server.on('connected', (device) => {
      server.subscribe(device, RESOURCE, {
        intervalMs: 0,
        onSample: (sample) => {
          if (sample !== undefined) received++;
        },
      });
    });
    server.on('warning', (text) => console.error(`iotmp: ${text}`));
    await server.start();
    return serverPort(server);
  },
  received: () => received,
});
