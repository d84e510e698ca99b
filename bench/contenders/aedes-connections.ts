import { startAedes } from '../harness/aedes-broker';
import { serveContender } from '../harness/contender';

let connectedClients = (): number => 0;

/** An aedes that lets everybody in. */
serveContender({
  async start(options) {
    const { broker, port } = await startAedes({ ...options, anonymous: true });
    connectedClients = () => broker.connectedClients;
    return port;
  },
  received: () => connectedClients(),
});
