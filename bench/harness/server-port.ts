import type { IotmpServer, ListenerKind } from '../../src/index';

/** The port that a server listens on. */
export function serverPort(server: IotmpServer, kind: ListenerKind = 'tcp'): number {
  const status = server.listenerStatus.get(kind);
  if (status === undefined || !('port' in status)) throw new Error(`the ${kind} listener is not open`);
  return status.port;
}
