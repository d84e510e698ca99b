import { IotmpServer, ServerServices } from '../../src/index';
import { serveContender } from '../harness/contender';
import { iotmpOptions } from '../harness/iotmp-options';
import { serverPort } from '../harness/server-port';

/** An IotmpServer with the service that has devices call each other. */
serveContender({
  async start(options) {
    const server = new IotmpServer(iotmpOptions(options));
    new ServerServices(server);
    server.on('warning', (text) => console.error(`iotmp: ${text}`));
    await server.start();
    return serverPort(server);
  },
});
