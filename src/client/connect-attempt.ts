import { DEFAULT_KEEP_ALIVE_S } from '../codec/constants';
import { IotmpError } from '../errors';
import { compactOffer } from '../session/samples/compact-form';
import type { IdSequence } from '../session/requests/id-sequence';
import type { ResourceHost } from '../session/hosting/resource-registry';
import type { Session } from '../session/session';
import { defaultSessionOptions } from '../session/base/session-options';
import type { ConnectTarget } from '../transport/connect';
import { maxPayloadFor } from '../transport/web-socket-settings';
import type { ClientIdentity, ClientSettings, ClientTlsOptions } from './client-options';
import { connectVerdict, type ConnectVerdict } from './connect-answer';
import type { LooseEnds } from './loose-ends';
import { redirectTarget } from './redirect';
import { guarded, warnProcess } from '../util/guard';
import { PeerSession } from '../session/peer-session';

/** What an attempt to connect needs to know. */
export interface AttemptContext {
  readonly settings: ClientSettings;
  readonly identity: ClientIdentity;
  /** Runs on over all connections of the client (`protocol.md` section 4.7). */
  readonly ids: IdSequence;
  readonly resources: ResourceHost;
  /** Gets the end of each connection that the attempt makes. */
  readonly connections: LooseEnds;
  readonly onWarning: (text: string) => void;
}

/** A session that is open, or was until a moment ago. */
export interface OpenedSession {
  readonly session: Session;
  /** Aborts when the session ends, with the reason. */
  readonly ended: AbortSignal;
}

/** How an attempt came out, unless it failed. */
export type AttemptResult =
  ({ readonly kind: 'open' } & OpenedSession) | { readonly kind: 'refused'; readonly error: IotmpError };

/** Redirects that are followed in a row. */
const MAX_REDIRECTS = 5;

/**
 * Connects, says CONNECT and follows redirects, until a server lets this device in or refuses it
 * (`protocol.md` section 4.1-2). The session is open and kept alive then.
 * @param signal gives up; whatever was begun is ended
 * @throws IotmpError (as a rejection) when the attempt failed in a way that may pass
 */
export async function openSession(context: AttemptContext, signal: AbortSignal): Promise<AttemptResult> {
  let { target } = context.settings;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const session = await beginSession(target, context, signal);
    const ended = session.signal;
    const verdict = await sayConnect(session, context, signal);
    if (verdict.kind === 'accepted') return { kind: 'open', session, ended };
    session.close();
    if (verdict.kind === 'refused') return verdict;
    if (verdict.kind === 'failed') throw verdict.error;
    target = redirectTarget(verdict.payload, target);
  }
  throw new IotmpError('IOTMP_ERR_CONNECT', `more than ${MAX_REDIRECTS} redirects in a row`);
}

async function beginSession(
  target: ConnectTarget,
  { settings, ids, resources, connections, onWarning }: AttemptContext,
  signal: AbortSignal,
): Promise<Session> {
  const { clock, requestTimeoutMs } = settings;
  const maxBodySize = settings.maxMessageSize ?? defaultSessionOptions.maxBodySize;
  const transport = await settings.connectTransport(target, {
    tls: tlsFor(target, settings),
    timeoutMs: settings.connectTimeoutMs,
    maxPayload: maxPayloadFor(maxBodySize),
    clock,
    signal,
  });
  const gone = Promise.withResolvers<undefined>();
  const hooks = { onWarning, onGone: (): void => gone.resolve(undefined) };
  const session = new PeerSession(transport, resources, hooks, { clock, requestTimeoutMs, maxBodySize });
  session.ids = ids;
  connections.add(gone.promise);
  return session;
}

/** A name that the certificate is checked for belongs to the configured server, not to one redirected to. */
function tlsFor(target: ConnectTarget, settings: ClientSettings): ClientTlsOptions | undefined {
  const tls = typeof settings.tls === 'function' ? settings.tls() : settings.tls;
  if (target.host === settings.target.host || tls === undefined) return tls;
  return { ...tls, servername: undefined };
}

async function sayConnect(
  session: Session,
  { settings, identity }: AttemptContext,
  signal: AbortSignal,
): Promise<ConnectVerdict> {
  const giveUp = guarded('attempt given up', warnProcess, () =>
    session.destroy(new IotmpError('IOTMP_ERR_ABORTED', 'the attempt was given up')),
  );
  if (signal.aborted) giveUp();
  else signal.addEventListener('abort', giveUp);
  try {
    const payload = [identity.user, identity.device, identity.credential];
    const answer = await session.connect(payload, connectParameters(settings), settings.connectTimeoutMs);
    const verdict = connectVerdict(answer);
    if (verdict.kind === 'accepted') {
      session.keepAlive({ intervalMs: settings.keepAliveS * 1000, sends: true });
    }
    return verdict;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** Only what is not the default: no device in the field sends any (`protocol.md` section 4.2). */
function connectParameters({ keepAliveS, maxMessageSize, compactStreams }: ClientSettings): unknown {
  const parameters: Record<string, number> = compactStreams ? { ...compactOffer } : {};
  if (keepAliveS !== DEFAULT_KEEP_ALIVE_S) parameters.ka = keepAliveS;
  if (maxMessageSize !== undefined) parameters.mm = maxMessageSize;
  return Object.keys(parameters).length > 0 ? parameters : undefined;
}
