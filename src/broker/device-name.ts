/** Longest user or device id that a device can log in with, in characters (`protocol.md` section 4.1). */
export const MAX_NAME_LENGTH = 255;

/** Characters that no address of the API can have. */
const CONTROL = /\p{Cc}/u;

/** Whether this can be a user or a device id: 1 to 255 characters, none of which is a control character. */
export function isName(name: string): boolean {
  return name !== '' && name.length <= MAX_NAME_LENGTH && !CONTROL.test(name);
}

/** Whether a device can also be addressed by this user or device id, in paths of the API. The dialog has the same rule. */
export function isAddressable(name: string): boolean {
  if (!isName(name) || name !== name.trim()) return false;
  return !name.split('/').some((part) => part === '.' || part === '..');
}
