/** What a process of specs tells the runner, one line of JSON each. */
export type SpecEvent =
  | { readonly kind: 'start'; readonly tests: number }
  | BeginEvent
  | { readonly kind: 'passed' }
  | { readonly kind: 'skipped'; readonly name: string }
  | { readonly kind: 'failed'; readonly name: string; readonly error: string; readonly isTest: boolean }
  | { readonly kind: 'end' };

/** A test or a hook begins. */
export interface BeginEvent {
  readonly kind: 'begin';
  readonly name: string;
  readonly isTest: boolean;
  /** Its timeout in ms; 0 is none. */
  readonly limitMs: number;
}

/** The file descriptor on which a process of specs writes its events. */
export const EVENTS_DESCRIPTOR = 3;
