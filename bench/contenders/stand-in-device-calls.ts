import { ServiceCode } from '../../src/codec/constants';
import { Answer, IotmpError, type IotmpServer } from '../../src/index';

/** A stand-in for service 3 (`protocol.md` section 7) with the least that does it, until the server has its own. */
export function offerDeviceCalls(server: IotmpServer): void {
  server.host.offer(ServiceCode.CALL_DEVICE, {
    kind: 'run',
    async run({ parameters, payload, caller }) {
      const [device, resource] = Array.isArray(parameters) ? parameters : [];
      if (caller === undefined || typeof device !== 'string' || typeof resource !== 'string') {
        throw new IotmpError('IOTMP_ERR_NOT_FOUND', 'a device and a resource are expected');
      }
      const reply = await server.call({ user: caller.user, device }, resource, { payload });
      return new Answer(reply.payload, reply.statusCode === 200 ? undefined : reply.statusCode);
    },
  });
}
