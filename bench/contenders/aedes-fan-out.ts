import { startAedes } from '../harness/aedes-broker';
import { serveContender } from '../harness/contender';

let received = 0;

/** An aedes: it takes what its first client publishes to all others by itself. */
serveContender({
  async start(options) {
    const { broker, port } = await startAedes(options);
    broker.on('publish', (_packet, client) => {
      if (client !== null) received++;
    });
    return port;
  },
  received: () => received,
});
