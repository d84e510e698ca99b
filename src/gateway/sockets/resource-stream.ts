import { streamKind } from '../../session/streams/stream-kind';
import type { DeviceId } from '../../types';
import { notFound } from '../http/request-error';
import { parametersOf } from '../devices/parameters';
import { connectedDevice } from '../devices/resource-access';
import { openConversation } from './conversation';
import { errorFrame, frameWriter } from './frame-writer';
import { sampleFrame } from './frames';
import type { SocketCall, SocketRoute, SocketService } from './socket-route';
import { guarded, warnProcess } from '../../util/guard';

/** Query keys that are for the gateway, not for the device. */
const OWN_KEYS: readonly string[] = ['authorization', 'raw'];

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
    const { interval = 0 } = parameters ?? {};
    const isShared = !isRaw && streamKind(resource, parameters) === 'samples';
    if (isShared && typeof interval === 'number') return openShared(call, device, resource, interval);
    return openConversation(call, { ...device, resource, parameters, isRaw });
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
    socket.listen(frameWriter(socket, resource, subscription, false));
  };
}
