import { createServer, type Socket } from 'node:net';
import { serveContender } from '../harness/contender';
import { listen } from '../harness/listen';
import { welcomeMessage } from '../wire/iotmp-wire';

const welcome = welcomeMessage();
let connections = 0;

/** Answers the first bytes of a connection with an OK and echoes what follows: the limit of idle connections. */
serveContender({
  start() {
    const take = (socket: Socket): void => {
      connections++;
      socket.once('data', () => {
        socket.write(welcome);
        socket.on('data', (chunk) => socket.write(chunk));
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => connections--);
    };
    return listen(createServer({ noDelay: true }, take));
  },
  received: () => connections,
});
