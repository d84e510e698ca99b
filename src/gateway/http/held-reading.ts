import type { Socket } from 'node:net';

/** How many hold a socket's reading. */
const holds = new WeakMap<Socket, number>();

/**
 * Reads nothing from the connection of an HTTP request until the returned function is called, by each of those who hold it.
 * Requests that have come by then are not held up by that.
 */
export function holdReading(socket: Socket): () => void {
  holds.set(socket, (holds.get(socket) ?? 0) + 1);
  socket.pause();
  return () => {
    const left = (holds.get(socket) ?? 1) - 1;
    holds.set(socket, left);
    if (left === 0) socket.resume();
  };
}
