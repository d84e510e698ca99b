/** What a flow asks of a service: whose, which, and with what. */
export interface FlowRequest {
  readonly user: string;
  /** Blank where none is meant. */
  readonly device: string;
  /** The property, bucket, endpoint or topic. */
  readonly name: string;
  readonly payload: unknown;
  readonly parameters: unknown;
  /** Whether a message to a topic is to be kept for those who subscribe later. */
  readonly retain: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What came of it. */
export interface ServiceReply {
  readonly payload: unknown;
  readonly statusCode: number;
  /** Where the next page of rows begins, if there is one. */
  readonly cursor?: string | undefined;
}

/** The reply of a service that tells no code of its own. */
export function done(payload: unknown): ServiceReply {
  return { payload, statusCode: 200 };
}
