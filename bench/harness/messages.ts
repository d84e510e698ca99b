/** Where a contender stands: differences of two of these are what a measurement is made of. */
export interface Mark {
  /** Of a monotonic clock, in ms. */
  readonly at: number;
  /** Messages received so far. */
  readonly count: number;
  /** Processor time so far, in µs. */
  readonly cpu: number;
  /** Resident memory, in bytes. */
  readonly rss: number;
  /** 99th percentile of the event loop's delay since the last mark, in ms. */
  readonly loopDelay: number;
  /** The longest such delay, in ms. */
  readonly longestDelay: number;
}

/** What a contender holds when its garbage has been collected, in bytes. */
export interface MemoryFigures {
  /** Resident memory. */
  readonly rss: number;
  /** JavaScript objects, and the bytes of their buffers outside the heap. */
  readonly objects: number;
}

/** What calls of one run took. */
export interface CallFigures {
  readonly calls: number;
  readonly seconds: number;
  /** Processor time, in s. */
  readonly cpu: number;
  /** Of single calls, in µs. */
  readonly median: number;
  readonly p99: number;
}

/** What the driver may ask of a contender; each is answered once. */
export type Request =
  | { readonly name: 'start'; readonly options: Readonly<Record<string, unknown>> }
  | { readonly name: 'mark' }
  | { readonly name: 'memory' }
  | { readonly name: 'token' }
  | { readonly name: 'calls'; readonly devices: number; readonly inFlight: number; readonly seconds: number }
  | { readonly name: 'codec'; readonly seconds: number }
  /** Without a pace, as fast as it gets. */
  | { readonly name: 'feed'; readonly seconds: number; readonly perSecond?: number | undefined };

/** What a contender answers, under the name of the request. */
export interface Responses {
  /** The port that it listens on; 0 for one without. */
  start: number;
  mark: Mark;
  /** For a contender that was started with `--expose-gc`. */
  memory: MemoryFigures;
  calls: CallFigures;
  /** What lets a program in; '' where there is no door. */
  token: string;
  /** Operations per second, by document and direction. */
  codec: Readonly<Record<string, number>>;
  /** It is over. */
  feed: undefined;
}

/** A request on its way. */
export interface Envelope {
  readonly id: number;
  readonly request: Request;
}

/** An answer on its way. */
export type ResponseEnvelope =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };
