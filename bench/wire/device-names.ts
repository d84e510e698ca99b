/** The user of all devices of the benchmark. */
export const USER = 'bench';

/** Name of a device; all are of one length, so that all messages are, too. */
export function deviceName(index: number): string {
  return `d${String(index).padStart(6, '0')}`;
}

/** What a device logs in with. */
export function credentialOf(index: number): string {
  return `secret-${deviceName(index)}`;
}

/** One value for each device. */
export function forDevices<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
