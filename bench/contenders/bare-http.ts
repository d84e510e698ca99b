import { createServer, type ServerResponse } from 'node:http';
import { createServer as createSocketServer, type Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { serveContender } from '../harness/contender';
import { listen } from '../harness/listen';
import { RawFrames } from '../harness/raw-frames';
import { RawRequester } from '../harness/raw-requester';
import { RESOURCE_PATH } from '../wire/http-wire';
import { MessageType } from '../wire/iotmp-wire';
import { answer, sample } from '../wire/sample';

const BODY = JSON.stringify(answer);
const FRAME = JSON.stringify({ resource: 'temperature', signal: 'data', payload: sample });

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
let device: RawRequester | undefined;

/**
 * A bare HTTP server, the limit of the API: it asks a device over a bare socket for the resource, answers all else at once, and
 * sends a text to all WebSockets for each sample.
 */
serveContender({
  start({ devicePort }) {
    createSocketServer({ noDelay: true }, takeDevice).listen(Number(devicePort), '127.0.0.1');
    const server = createServer((request, response) => {
      if (request.url === RESOURCE_PATH) device?.request(() => send(response));
      else send(response);
    });
    server.on('upgrade', (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, () => undefined),
    );
    return listen(server);
  },
});

function takeDevice(socket: Socket): void {
  const frames = new RawFrames();
  const requester = new RawRequester(socket, true);
  device = requester;
  const take = (bytes: Buffer, start: number): void => {
    if (bytes[start] === MessageType.STREAM_DATA) for (const client of sockets.clients) client.send(FRAME);
    else requester.settle(bytes, start);
  };
  socket.on('data', (chunk) => frames.push(chunk, take));
  socket.on('error', () => socket.destroy());
}

function send(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': BODY.length });
  response.end(BODY);
}
