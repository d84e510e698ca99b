import { IotmpServer } from '../../src/index';
import { serveContender } from '../harness/contender';
import { driveCalls } from '../harness/drive-calls';
import { iotmpOptions } from '../harness/iotmp-options';
import { serverPort } from '../harness/server-port';
import { deviceName, forDevices, USER } from '../wire/device-names';
import { RESOURCE } from '../wire/iotmp-wire';

let server: IotmpServer | undefined;

/** An IotmpServer that reads an output of its devices. */
serveContender({
  async start(options) {
    server = new IotmpServer(iotmpOptions(options));
    server.on('warning', (text) => console.error(`iotmp: ${text}`));
    await server.start();
    return serverPort(server);
  },
  calls(request) {
    if (server === undefined) throw new Error('not started');
    const caller = server;
    const targets = forDevices(request.devices, (index) => ({ user: USER, device: deviceName(index) }));
    const fail = (error: unknown): void => {
      throw error;
    };
    return driveCalls({
      ...request,
      call(device, done) {
        const target = targets[device];
        if (target !== undefined) caller.call(target, RESOURCE).then(done, fail);
      },
    });
  },
});
