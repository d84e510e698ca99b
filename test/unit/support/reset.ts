import type { Socket } from 'node:net';

/**
 * Cuts a TCP connection with RST; without it where the socket is just being ended.
 *
 * Node.js fails to reset a socket whose end is on its way to the system: libuv refuses (EINVAL), yet Node.js takes the
 * handle for closed. It never emits 'close', the peer never hears of it, and the process either goes on for ever or
 * spins at its end, where it waits for that handle.
 */
export function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
