/** Where a session stands: before CONNECT was answered with OK, until it ends, and after that. */
export type SessionState = 'connecting' | 'open' | 'closed';
