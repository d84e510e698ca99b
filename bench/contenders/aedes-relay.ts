import { startAedes } from '../harness/aedes-broker';
import { serveContender } from '../harness/contender';

/** An aedes: calls between its clients are messages to a topic of the one and back to a topic of the other. */
serveContender({
  async start(options) {
    const { port } = await startAedes(options);
    return port;
  },
});
