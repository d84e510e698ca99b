import { startAedes } from '../harness/aedes-broker';
import { serveContender } from '../harness/contender';
import { driveCalls } from '../harness/drive-calls';
import { callTopic, CORRELATION_DIGITS, REPLY_TOPIC } from '../wire/mqtt-wire';

type Broker = Awaited<ReturnType<typeof startAedes>>['broker'];

let broker: Broker | undefined;
let lastCall = 0;
const pending = new Map<string, () => void>();

/** An aedes with a requester in its process: calls go out under a topic of the device, answers come under one for all. */
serveContender({
  async start(options) {
    const started = await startAedes(options);
    broker = started.broker;
    broker.subscribe(
      REPLY_TOPIC,
      (packet, done) => {
        const key = packet.payload.toString('latin1', 0, CORRELATION_DIGITS);
        const settle = pending.get(key);
        pending.delete(key);
        done();
        settle?.();
      },
      () => undefined,
    );
    return started.port;
  },
  calls(request) {
    return driveCalls({ ...request, call });
  },
});

function call(device: number, done: () => void): void {
  const key = String(++lastCall).padStart(CORRELATION_DIGITS, '0');
  pending.set(key, done);
  broker?.publish(
    { cmd: 'publish', topic: callTopic(device), payload: key, qos: 0, retain: false, dup: false },
    (error) => {
      if (error) throw error;
    },
  );
}
