import { WebSocketServer } from 'ws';
import { createServer } from 'node:http';
import { serveContender } from '../harness/contender';
import { listen } from '../harness/listen';

let received = 0;

/** Counts the frames of bare WebSockets: the limit of telemetry over them, as long as `ws` reads the frames. */
serveContender({
  start() {
    const server = createServer();
    const webSockets = new WebSocketServer({ server, perMessageDeflate: false, clientTracking: false });
    webSockets.on('connection', (webSocket) => {
      webSocket.on('message', () => received++);
      webSocket.on('error', () => webSocket.terminate());
    });
    return listen(server);
  },
  received: () => received,
});
