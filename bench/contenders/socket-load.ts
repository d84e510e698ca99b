import { once } from 'node:events';
import { WebSocket } from 'ws';
import { serveContender } from '../harness/contender';
import { forDevices } from '../wire/device-names';

let received = 0;

/** The readers of WebSockets: they count frames, on the core of the load. It answers nothing itself. */
serveContender({
  async start({ port, path, token, connections }) {
    const open = forDevices(Number(connections), async () => {
      const headers = { Authorization: `Bearer ${String(token)}` };
      const url = `ws://127.0.0.1:${Number(port)}${String(path)}`;
      const socket = new WebSocket(url, { perMessageDeflate: false, headers });
      socket.on('message', () => received++);
      await once(socket, 'open');
    });
    await Promise.all(open);
    return 0;
  },
  received: () => received,
});
