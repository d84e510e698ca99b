import { IotmpError } from '../../errors';
import { badRequest } from './request-error';

/** Longest path and query that are accepted, in characters. */
const MAX_TARGET = 8192;

/** Paths of the gateway, whoever else is there. */
const OWN_PATHS = /^\/(v[123]\/(users|server)|oauth)(\/|\?|$)/;
/** Paths of the gateway, unless somebody else serves them. */
const VERSIONS = /^\/v[123](\/|\?|$)/;

/** What no segment may be, or hold: files are named by segments. */
const UNUSABLE = /\0|(?:^|\/)\.\.?(?:\/|$)/;

/** The path and the query of a request. */
export interface RequestTarget {
  /** The decoded segments of the path, without the leading slash. A segment `a%2Fb` holds a slash. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/**
 * Reads the target of a request: `/v1/users/anna/devices?name=p`. Each segment is percent-decoded once and only once.
 * @throws IotmpError IOTMP_ERR_REQUEST for `..`, NUL and broken escapes; IOTMP_ERR_TOO_LARGE for a path that is too long
 */
export function parseTarget(target: string): RequestTarget {
  if (target.length > MAX_TARGET) {
    throw new IotmpError('IOTMP_ERR_TOO_LARGE', `a path has at most ${MAX_TARGET} characters`, {
      statusCode: 414,
    });
  }
  const queryAt = target.indexOf('?');
  const path = target.slice(target.startsWith('/') ? 1 : 0, queryAt < 0 ? undefined : queryAt);
  const query = new URLSearchParams(queryAt < 0 ? '' : target.slice(queryAt));
  return { segments: path.split('/').map(decodeSegment), query };
}

/** Whether a path is one of the gateway, even if nothing is found there. Other paths may be served by other handlers. */
export function isOwnPath(target: string, isServedElsewhere: (target: string) => boolean): boolean {
  return OWN_PATHS.test(target) || (VERSIONS.test(target) && !isServedElsewhere(target));
}

function decodeSegment(segment: string): string {
  const decoded = percentDecoded(segment);
  if (UNUSABLE.test(decoded)) throw badRequest('the path is not usable');
  return decoded;
}

function percentDecoded(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    throw badRequest('the path has broken escapes', error);
  }
}
