const LOG_LINE = /^\d+ \w+ [\d:]+ - \[(\w+)\] (\[[\w-]+:)?/;

/**
 * Tells which lines of Node-RED's output are worth showing: what nodes say, and every error. Lines that begin no entry
 * of the log belong to the entry before.
 */
export function relevantLines(): (line: string) => boolean {
  let isRelevant = false;
  return (line) => {
    const match = LOG_LINE.exec(line);
    if (match !== null) isRelevant = match[2] !== undefined || ['error', 'fatal'].includes(match[1] ?? '');
    return isRelevant && line !== '';
  };
}
