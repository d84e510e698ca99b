import { createServer } from 'node:http';
import { Gateway, IotmpServer, ServerServices } from '../../src/index';
import { serveContender } from '../harness/contender';
import { iotmpOptions } from '../harness/iotmp-options';
import { listen } from '../harness/listen';
import { deviceName, USER } from '../wire/device-names';
import { API_SECRET, BUCKET, NO_LIMITS, PROPERTY } from '../wire/http-wire';
import { sample } from '../wire/sample';

let gateway: Gateway | undefined;

/** The API of an IotmpServer on a bare HTTP server. */
serveContender({
  async start({ devicePort, devices }) {
    const server = new IotmpServer({ ...iotmpOptions({ devices }), tcpPort: Number(devicePort) });
    const services = new ServerServices(server);
    const api = new Gateway(server, services, {
      secret: API_SECRET,
      limits: NO_LIMITS,
      onWarning: (text) => console.error(`iotmp: ${text}`),
    });
    server.on('warning', (text) => console.error(`iotmp: ${text}`));
    await server.start();
    await api.start();
    await services.properties.set({ user: USER, device: deviceName(0) }, PROPERTY, sample);
    await services.buckets.define({ user: USER, bucket: BUCKET }, {});
    await services.buckets.write({ user: USER, bucket: BUCKET }, [{ value: sample }]);
    const http = createServer((request, response) => {
      api.handle(request, response);
    });
    http.on('upgrade', (request, socket, head) => api.handleUpgrade(request, socket, head));
    gateway = api;
    return listen(http);
  },
  async token() {
    if (gateway === undefined) throw new Error('not started');
    return gateway.createToken(USER, 'bench', { allow: { '*': { '*': '*' } } });
  },
});
