import { IotmpError, StorageError, type ErrorCode, type StorageFault } from '../../errors';

/** An error on its way between two threads, which keep only the text of one. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly statusCode: number;
  /** Only of a StorageError. */
  readonly reason: StorageFault | undefined;
}

export function toFailure(error: IotmpError): Failure {
  const { code, message, statusCode } = error;
  return { code, message, statusCode, reason: error instanceof StorageError ? error.reason : undefined };
}

/** The error again. */
export function fromFailure({ code, message, statusCode, reason }: Failure): IotmpError {
  return reason === undefined
    ? new IotmpError(code, message, { statusCode })
    : new StorageError(reason, message);
}
