import { IotmpServer } from '../../src/index';
import { serveContender } from '../harness/contender';
import { iotmpOptions } from '../harness/iotmp-options';
import { serverPort } from '../harness/server-port';
import { deviceName, USER } from '../wire/device-names';
import { OFFERED, RESOURCE } from '../wire/iotmp-wire';

let received = 0;

/** An IotmpServer that takes the samples of its first device and publishes them to all others. */
serveContender({
  async start(options) {
    const server = new IotmpServer(iotmpOptions(options));
    let last: unknown = null;
    const offered = server.offer(OFFERED, { kind: 'output', run: () => last });
    server.subscribe({ user: USER, device: deviceName(0) }, RESOURCE, {
      intervalMs: 0,
      onSample(sample) {
        received++;
        last = sample ?? null;
        offered.publish(last);
      },
    });
    server.on('warning', (text) => console.error(`iotmp: ${text}`));
    await server.start();
    return serverPort(server);
  },
  received: () => received,
});
