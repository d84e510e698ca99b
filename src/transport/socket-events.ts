import type { Socket } from 'node:net';
import { guardedListener, warnProcess, type FaultOwner } from '../util/guard';

/** Hears of the events of one socket. What it throws goes to its `handleFault`. */
export interface SocketListener extends FaultOwner {
  handleData(chunk: Buffer): void;
  handleEnd(): void;
  handleError(error: Error): void;
  handleClose(): void;
}

const LISTENER = Symbol('listener');

interface OwnedSocket extends Socket {
  [LISTENER]?: SocketListener;
}

/** Names the one that hears of all events of the socket from now on. */
export function listenTo(socket: Socket, listener: SocketListener): void {
  const owned: OwnedSocket = socket;
  owned[LISTENER] = listener;
  owned.on('data', onData);
  owned.on('end', onEnd);
  owned.on('error', onError);
  owned.on('close', onClose);
}

function onFault(error: unknown, socket: OwnedSocket): void {
  const listener = socket[LISTENER];
  if (listener === undefined) warnProcess(error);
  else listener.handleFault(error);
}

const onData = guardedListener('socket data', onFault, (socket: OwnedSocket, chunk: Buffer) =>
  socket[LISTENER]?.handleData(chunk),
);
const onEnd = guardedListener('socket end', onFault, (socket: OwnedSocket) => socket[LISTENER]?.handleEnd());
const onError = guardedListener('socket error', onFault, (socket: OwnedSocket, error: Error) =>
  socket[LISTENER]?.handleError(error),
);
const onClose = guardedListener('socket close', onFault, (socket: OwnedSocket) =>
  socket[LISTENER]?.handleClose(),
);
