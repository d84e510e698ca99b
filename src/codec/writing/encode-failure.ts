import { IotmpError, errorText, type ErrorCode } from '../../errors';

/** Deepest part of a path that an error message shows: a cycle would fill the log. */
const SHOWN_PATH = 8;

/**
 * Why a value could not be written. It collects the path to the value on its way up through maps and arrays, so
 * that the path costs nothing while all goes well. It never leaves the codec.
 */
export class EncodeFailure extends Error {
  readonly code: ErrorCode;
  readonly #path: (string | number)[] = [];

  constructor(message: string, options?: { code?: ErrorCode; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'EncodeFailure';
    this.code = options?.code ?? 'IOTMP_ERR_ENCODE';
  }

  /** Adds the key or index under which the container at hand holds the value. */
  within(key: string | number): this {
    this.#path.push(key);
    return this;
  }

  /** The path as in a program: `payload.a[2]`. */
  path(root: string): string {
    const parts = this.#path.toReversed();
    const text = root + parts.slice(0, SHOWN_PATH).map(pathPart).join('');
    return parts.length > SHOWN_PATH ? `${text}...` : text;
  }
}

function pathPart(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/**
 * What was thrown while a container was written, with the key of the member at hand added to its path; there is none
 * where the container itself failed.
 */
export function failedWithin(key: string | number | undefined, error: unknown): EncodeFailure {
  return key === undefined ? asFailure(error) : asFailure(error).within(key);
}

/** The error for the caller of the codec; `root` names the value that was being written. */
export function encodeError(root: string, error: unknown): IotmpError {
  const failure = asFailure(error);
  if (failure.code === 'IOTMP_ERR_TOO_LARGE') return new IotmpError(failure.code, failure.message);
  const message = `cannot encode ${failure.path(root)}: ${failure.message}`;
  return new IotmpError(failure.code, message, { cause: failure.cause });
}

/** A getter, a proxy or a `toJSON()` may throw anything: it becomes the cause. */
function asFailure(error: unknown): EncodeFailure {
  return error instanceof EncodeFailure ? error : new EncodeFailure(errorText(error), { cause: error });
}
