import { IotmpError } from '../../errors';
import { badRequest } from './request-error';

/** Longest path and query that are taken, in characters. */
const MAX_TARGET = 8192;

/** What a request asks for. */
export interface RequestTarget {
  /** The decoded segments of the path, without the leading slash. One that was `a%2Fb` holds a slash. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/**
 * Reads the target of a request: `/v1/users/anna/devices?name=p`. Each segment is percent-decoded once and only once.
 * @throws IotmpError IOTMP_ERR_REQUEST for what no client in good faith sends: `..`, NUL, broken escapes, an endless path
 */
export function parseTarget(target: string): RequestTarget {
  if (target.length > MAX_TARGET) {
    throw new IotmpError('IOTMP_ERR_TOO_LARGE', `a path has at most ${MAX_TARGET} characters`, {
      statusCode: 414,
    });
  }
  const [path = ''] = target.split('?', 1);
  const query = new URLSearchParams(target.slice(path.length));
  return { segments: path.replace(/^\//, '').split('/').map(decodeSegment), query };
}

function decodeSegment(segment: string): string {
  const decoded = percentDecoded(segment);
  if (decoded.includes('\0') || decoded.split('/').some((part) => part === '.' || part === '..')) {
    throw badRequest('the path is not usable');
  }
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
