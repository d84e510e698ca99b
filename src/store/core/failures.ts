import { IotmpError } from '../../errors';

/** Nothing of that name is there. */
export function missing(what: string, name: string): IotmpError {
  return new IotmpError('IOTMP_ERR_NOT_FOUND', `no ${what} "${name}"`);
}

/** Refuses one more where so many are there already. */
export function checkQuota(what: string, count: number, limit: number): void {
  if (count < limit) return;
  throw new IotmpError('IOTMP_ERR_QUOTA', `the limit of ${limit} ${what} is reached`);
}

/** Refuses to make what is there, or to replace what is not, where the caller minds. */
export function checkExpected(
  what: string,
  name: string,
  isThere: boolean,
  expect: 'absent' | 'present' | undefined,
): void {
  if (expect === 'present' && !isThere) throw missing(what, name);
  if (expect === 'absent' && isThere) {
    throw new IotmpError('IOTMP_ERR_CONFLICT', `there is a ${what} "${name}" already`);
  }
}
