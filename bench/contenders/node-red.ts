import { startAedes } from '../harness/aedes-broker';
import { serveContender } from '../harness/contender';
import { driveCalls } from '../harness/drive-calls';
import { freePort } from '../harness/listen';
import { runNodeRed } from '../node-red/embedded-node-red';
import { feedFlow } from '../node-red/flow-feed';
import { FlowProbe } from '../node-red/flow-probe';
import { aloneFlow, httpFlow, iotmpFlow, mqttFlow, type FlowFiles } from '../node-red/flows';
import { CORRELATION_DIGITS } from '../wire/mqtt-wire';

const probe = new FlowProbe();

/** A Node-RED with one of the flows, and for MQTT with an aedes in its process where no other broker is named. */
serveContender({
  async start(options) {
    const { port, files } = await flowFor(options);
    const httpPort = await runNodeRed(String(options.directory), files, probe);
    return files.servesHttp === true ? httpPort : port;
  },
  received: () => probe.received,
  calls: (request) =>
    driveCalls({ ...request, call: (_device, done) => probe.begin(done, CORRELATION_DIGITS) }),
  feed: ({ seconds, perSecond }) => feedFlow(probe, seconds, perSecond),
});

/** The flow, and the port that its devices connect to. */
async function flowFor(
  options: Readonly<Record<string, unknown>>,
): Promise<{ port: number; files: FlowFiles }> {
  const devices = Number(options.devices);
  if (options.flow === 'alone') return { port: 0, files: aloneFlow() };
  if (options.flow === 'http') return { port: 0, files: httpFlow(devices, Number(options.devicePort)) };
  if (options.flow === 'iotmp') {
    const port = await freePort();
    return { port, files: iotmpFlow(devices, port) };
  }
  const outside = Number(options.brokerPort ?? 0);
  const port = outside === 0 ? (await startAedes({ devices: devices + 1 })).port : outside;
  return { port, files: mqttFlow(devices, port) };
}
