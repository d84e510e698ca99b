import { readFileSync } from 'node:fs';

/** What a process has open beside its connections, generously. */
const OTHERS = 100;

/** How many connections a contender, and the load generator, can have open on this machine (Linux). */
export function possibleConnections(): number {
  // The hard limit: Node.js and the generator raise theirs to it.
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const limit = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  return Math.max(0, limit - OTHERS);
}

/** What a suite says that measures fewer connections than it wants. */
export function tooFewDescriptors(possible: number): string {
  return `This machine allows a process no more than ${possible} connections (hard limit of \`ulimit -n\`).`;
}
