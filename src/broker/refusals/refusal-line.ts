import { hostOf } from '../../transport/host-and-port';
import type { RefusedLogin } from './refused-login';

/** Longest text of a peer in a line, in characters. */
const MAX_TEXT = 64;

/**
 * The line of the log for a refused login, for people and for programs such as fail2ban:
 *
 *     refused login: reason=credentials address=192.0.2.7 transport=tcp user="ada" device="pump" left_out=3
 *
 * Names and order of the parts are fixed. An IPv6 address has no brackets. What a peer wrote stands in quotes, after the address, and is escaped.
 * @param leftOut number of refusals of the same device, address and reason since the last line
 */
export function refusalLine(login: RefusedLogin, leftOut: number): string {
  const { reason, address, transport, user, device } = login;
  const from = `address=${hostOf(address)} transport=${transport}`;
  const names = `user=${quoted(user)} device=${quoted(device)}`;
  return `refused login: reason=${reason} ${from} ${names} left_out=${leftOut}`;
}

/** A text of a peer in quotes, in printable ASCII. A long one is cut. */
export function quoted(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
  return JSON.stringify(short).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
