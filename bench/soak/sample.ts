/** What the server process tells of itself, for the time since its sample before. */
export interface ServerSample {
  /** Heap and external memory in bytes; after a collection where `collected` is set. */
  readonly heap: number;
  readonly external: number;
  readonly collected: boolean;
  readonly rss: number;
  /** Sockets, timers and whatever else keeps the event loop busy. */
  readonly handles: number;
  readonly devices: number;
  /** Messages of both directions since the start. */
  readonly messages: number;
  /** Longest time that the event loop stood still, in ms, and how much the process itself computed meanwhile, in ms. */
  readonly stallMs: number;
  readonly stallCpuMs: number;
  readonly faults: number;
}

/** A line of the result. */
export interface Sample extends ServerSample {
  /** Since the start, in minutes. */
  readonly minute: number;
  /** Calls of the good device since the sample before, in ms. */
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly calls: number;
  /** Calls of the good device that failed since the start. */
  readonly failed: number;
}

const COLUMNS: readonly (readonly [name: string, valueOf: (sample: Sample) => string])[] = [
  ['minute', ({ minute }) => minute.toFixed(2)],
  ['heap MiB', ({ heap }) => mebibytes(heap)],
  ['external MiB', ({ external }) => mebibytes(external)],
  ['after a collection', ({ collected }) => (collected ? '1' : '0')],
  ['resident MiB', ({ rss }) => mebibytes(rss)],
  ['handles', ({ handles }) => String(handles)],
  ['devices', ({ devices }) => String(devices)],
  ['messages', ({ messages }) => String(messages)],
  ['median ms', ({ medianMs }) => medianMs.toFixed(2)],
  ['p99 ms', ({ p99Ms }) => p99Ms.toFixed(2)],
  ['stall ms', ({ stallMs }) => stallMs.toFixed(0)],
  ['own CPU in the stall ms', ({ stallCpuMs }) => stallCpuMs.toFixed(0)],
];

/** All samples as comma-separated values, with a line of titles. */
export function csvOf(samples: readonly Sample[]): string {
  const lines = samples.map((sample) => COLUMNS.map(([, valueOf]) => valueOf(sample)).join(','));
  return [COLUMNS.map(([name]) => name).join(','), ...lines, ''].join('\n');
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(2);
}
