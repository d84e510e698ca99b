import { ForeignProtocolError, IotmpError } from '../../errors';
import type { ConnectionOrigin } from '../../transport/waiting-place';
import type { DeviceId } from '../../types';
import { printable } from '../../printable';
import type { RefusalReason, RefusedLogin } from './refused-login';

const NOBODY: DeviceId = { user: '', device: '' };

/**
 * The record of a login that was refused just now.
 * @param id as the peer named itself, where it did
 */
export function refusedLogin(
  { kind, remoteAddress }: ConnectionOrigin,
  reason: RefusalReason,
  text: string,
  { user, device }: DeviceId = NOBODY,
): RefusedLogin {
  const names = { user: printable(user), device: printable(device) };
  return {
    time: Date.now(),
    reason,
    text: printable(text),
    ...names,
    address: remoteAddress,
    transport: kind,
  };
}

/** Why a CONNECT was refused, by what was thrown meanwhile. */
export function reasonOfRefusal(cause: unknown): RefusalReason {
  if (!(cause instanceof IotmpError)) return 'failed';
  if (cause.code === 'IOTMP_ERR_AUTH') return 'credentials';
  return isMalformed(cause) ? 'malformed' : 'failed';
}

/** Why a connection ended before its login. */
export function reasonOfEnd(reason: IotmpError): RefusalReason {
  if (reason instanceof ForeignProtocolError) return reason.protocol;
  return reason.code === 'IOTMP_ERR_TIMEOUT' ? 'timeout' : 'protocol';
}

function isMalformed({ code }: IotmpError): boolean {
  return code === 'IOTMP_ERR_PROTOCOL' || code === 'IOTMP_ERR_DECODE';
}
