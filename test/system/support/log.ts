/** A line of Node-RED's log. */
export interface LogLine {
  readonly level: string;
  /** The node that said it, as `type:name` or `type:id`; empty where it was Node-RED itself. */
  readonly node: string;
  readonly text: string;
}

const LINE = /^\d+ \w+ [\d:]+ - \[(\w+)\] (?:\[([\w-]+:[^\]]*)\] )?(.*)$/;

/** Reads a line of output; what is no line of the log belongs to the one before. */
export function parseLogLine(line: string): LogLine | undefined {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const [, level = '', node = '', text = ''] = match;
  return { level, node, text };
}

/** Whether a line tells of a fault of the runtime or of a node. */
export function isErrorLine({ level }: LogLine): boolean {
  return level === 'error' || level === 'fatal';
}
