import { startAedes } from '../harness/aedes-broker';
import { serveContender } from '../harness/contender';

/** An aedes for clients that all run elsewhere. */
serveContender({
  start: async (options) => (await startAedes(options)).port,
});
