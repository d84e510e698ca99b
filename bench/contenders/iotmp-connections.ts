import { IotmpServer } from '../../src/index';
import { serveContender } from '../harness/contender';
import { iotmpOptions } from '../harness/iotmp-options';
import { serverPort } from '../harness/server-port';

let server: IotmpServer | undefined;

/** An IotmpServer that checks the credentials of its devices and otherwise leaves them alone. */
serveContender({
  async start(options) {
    server = new IotmpServer(iotmpOptions(options));
    server.on('warning', (text) => console.error(`iotmp: ${text}`));
    await server.start();
    return serverPort(server);
  },
  received: () => server?.deviceCount ?? 0,
});
