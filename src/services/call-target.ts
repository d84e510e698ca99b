import type { DeviceResource } from '../rights/device-request';
import type { DeviceId, Value } from '../types';
import { badRequest } from './service-name';

/**
 * Reads `[device, resource]` (`protocol.md` section 7). As everywhere, an array means its parts joined with `/`
 * (section 5): the resource may be in several parts, and `device/resource` in one string is the same. In an array the
 * device may be `user/device`; without a user it is one of the caller's own.
 * @throws IotmpError IOTMP_ERR_PROTOCOL
 */
export function callTarget(parameters: Value | undefined, { user }: DeviceId): DeviceResource {
  if (typeof parameters === 'string') {
    const [device, resource] = splitAtSlash(parameters);
    return checked({ user, device, resource });
  }
  if (!Array.isArray(parameters) || !parameters.every((part) => typeof part === 'string')) {
    throw badRequest('[device, resource] expected');
  }
  const [name = '', ...path] = parameters;
  const resource = path.join('/');
  if (!name.includes('/')) return checked({ user, device: name, resource });
  const [otherUser, device] = splitAtSlash(name);
  return checked({ user: otherUser, device, resource });
}

function checked(target: DeviceResource): DeviceResource {
  if (target.device === '' || target.resource === '') throw badRequest('[device, resource] expected');
  return target;
}

/** The parts of a text before and after its first slash. Without a slash, the whole text is the first part. */
function splitAtSlash(text: string): [string, string] {
  const slash = text.indexOf('/');
  return slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)];
}
