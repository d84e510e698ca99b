import { z } from 'zod';
import { errorText, IotmpError } from '../../errors';
import type { DeviceId, Value } from '../../types';
import { toJson } from '../http/json-text';
import { notFound } from '../http/request-error';
import { parametersOf } from '../devices/parameters';
import { connectedDevice } from '../devices/resource-access';
import { CloseCode, type ClientSocket } from './client-socket';
import { frameValue, rawSample, readFrame, sampleFrame } from './frames';
import type { SocketCall, SocketRoute, SocketService } from './socket-route';
import { detached, guarded, warnProcess } from '../../util/guard';

/** Query keys that are for the gateway, not for the device. */
const OWN_KEYS: readonly string[] = ['authorization', 'raw'];
/** Samples that may come before the handshake is done. */
const MAX_EARLY = 64;

const input = z.object({ resource: z.string().optional(), payload: z.unknown() });

/** Something that is written into, and that ends. */
interface Channel {
  write(payload: unknown): void;
}

/** One resource in a socket of its own, in both directions (`platform-api.md` section 2.1). */
export const resourceStreamRoute: SocketRoute = {
  method: 'SOCKET',
  path: '/v3/users/:user/devices/:device/resources/*resource',
  action: 'AccessDeviceResources',
  access: 'token',
  asset: 'Device',
  id: 'device',
  summary: 'A stream on one resource, with the query as its parameters; raw=1 makes all frames plain bytes',
  open(call) {
    const { context, param, principal, query } = call;
    const device = { user: param('user'), device: param('device') };
    const resource = param('resource');
    if (resource === '') throw notFound('a resource needs a name');
    const isRaw = query.get('raw') === '1';
    const parameters = parametersOf(query, OWN_KEYS);
    connectedDevice({ context, principal, device }, resource);
    const { interval = 0, ...others } = parameters ?? {};
    const isShared = !isRaw && typeof interval === 'number' && Object.keys(others).length === 0;
    if (isShared) return openShared(call, device, resource, interval);
    return openOwn(call, device, resource, parameters, isRaw);
  },
};

/** A plain stream is shared with all others who want it. */
function openShared(
  { context, signal }: SocketCall,
  device: DeviceId,
  resource: string,
  intervalMs: number,
): SocketService {
  return (socket) => {
    const subscription = context.server.subscribe(device, resource, {
      intervalMs,
      onSample: (sample) => void socket.send(sampleFrame(resource, sample)),
      onState: (state) => {
        if (state.kind === 'failed') socket.send(errorFrame(resource, state.error));
      },
    });
    signal.addEventListener(
      'abort',
      guarded('shared stream left', warnProcess, () => subscription.close()),
    );
    socket.listen(writer(socket, resource, subscription, false));
  };
}

/** One with parameters, such as a terminal, is a conversation: nothing of it may be missing, nobody else has it. */
async function openOwn(
  { context, principal, signal }: SocketCall,
  device: DeviceId,
  resource: string,
  parameters: Record<string, Value> | undefined,
  isRaw: boolean,
): Promise<SocketService> {
  const early: (Value | undefined)[] = [];
  let socket: ClientSocket | undefined;
  const pass = (sample: Value | undefined): void => {
    if (socket === undefined) {
      if (early.length < MAX_EARLY) early.push(sample);
    } else if (!socket.send(isRaw ? rawSample(sample) : sampleFrame(resource, sample))) {
      socket.close(CloseCode.BUSY, 'the client reads too slowly');
    }
  };
  const connected = connectedDevice({ context, principal, device }, resource);
  const stream = await connected.openStream(
    resource,
    { onData: pass, onClose: () => socket?.close(CloseCode.NORMAL, 'the stream has ended') },
    { parameters, signal },
  );
  const stop = guarded('own stream left', warnProcess, () =>
    detached('own stream stop', warnProcess, stream.stop()),
  );
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop);
  return (opened) => {
    socket = opened;
    for (const sample of early.splice(0)) pass(sample);
    opened.listen(writer(opened, resource, stream, isRaw));
    if (stream.closed) opened.close(CloseCode.NORMAL, 'the stream has ended');
  };
}

/** Writes what the client sends into the resource: binary frames as bytes, text frames as what their `payload` says. */
function writer(
  socket: ClientSocket,
  resource: string,
  channel: Channel,
  isRaw: boolean,
): (data: Buffer, isBinary: boolean) => void {
  return (data, isBinary) => {
    try {
      channel.write(isRaw || isBinary ? data : frameValue(readFrame(data, input).payload));
    } catch (error) {
      if (!(error instanceof IotmpError)) throw error;
      if (isRaw) socket.close(CloseCode.BAD_DATA, errorText(error).slice(0, 100));
      else socket.send(errorFrame(resource, error));
    }
  };
}

function errorFrame(resource: string, error: IotmpError): string {
  return toJson({ resource, signal: 'error', payload: { message: errorText(error), code: error.code } });
}
