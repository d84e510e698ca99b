import { printable } from '../../printable';

/** How the lines begin that programs such as fail2ban act on. */
const RESERVED = /^(?:refused login|address blocked)/;

/** A warning as a line. It may begin with the name of a device, which must not make it look like the line of a refusal. */
export function ownLine(text: string): string {
  const line = printable(text);
  return RESERVED.test(line) ? `warning: ${line}` : line;
}
