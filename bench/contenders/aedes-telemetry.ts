import { startAedes } from '../harness/aedes-broker';
import { serveContender } from '../harness/contender';

let received = 0;

/** An aedes with a subscriber in its process, which takes the messages of all clients and does not look into them. */
serveContender({
  async start(options) {
    const { broker, port } = await startAedes(options);
    broker.subscribe(
      '#',
      (packet, done) => {
        if (packet.payload.length > 0 && packet.topic.startsWith('t')) received++;
        done();
      },
      () => undefined,
    );
    return port;
  },
  received: () => received,
});
