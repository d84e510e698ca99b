import { IotmpServer } from '../../src/index';
import { serveContender } from '../harness/contender';
import { driveCalls } from '../harness/drive-calls';
import { iotmpOptions } from '../harness/iotmp-options';
import { serverPort } from '../harness/server-port';
import { deviceName, forDevices, USER } from '../wire/device-names';
import { resourceName } from '../wire/iotmp-wire';

let server: IotmpServer | undefined;
let resources: readonly string[] = [];
let received = 0;

/** An IotmpServer that subscribes to every resource of its devices, and calls them in turn. */
serveContender({
  async start(options) {
    const broker = new IotmpServer(iotmpOptions(options));
    server = broker;
    resources = Array.from({ length: Number(options.resources) }, (_, index) => resourceName(index));
    broker.on('connected', (device) => {
      for (const resource of resources) {
        broker.subscribe(device, resource, {
          intervalMs: 0,
          onSample: (sample) => {
            if (sample !== undefined) received++;
          },
        });
      }
    });
    broker.on('warning', (text) => console.error(`iotmp: ${text}`));
    await broker.start();
    return serverPort(broker);
  },
  received: () => received,
  calls(request) {
    if (server === undefined) throw new Error('not started');
    const caller = server;
    const targets = forDevices(request.devices, (index) => ({ user: USER, device: deviceName(index) }));
    let turn = 0;
    const fail = (error: unknown): void => {
      throw error;
    };
    return driveCalls({
      ...request,
      call(device, done) {
        const target = targets[device];
        const resource = resources[turn++ % resources.length];
        if (target !== undefined && resource !== undefined) caller.call(target, resource).then(done, fail);
      },
    });
  },
});
