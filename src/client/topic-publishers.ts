import { ServiceCode } from '../codec/constants';
import { IotmpError } from '../errors';
import { BoundedMap } from '../util/bounded-map';
import { detached, warnProcess } from '../util/guard';
import type { ClientStream, ClientStreamListener } from './client-stream';
import type { ClientStreamOptions } from './client-stream-options';

/** How a message is published. */
export interface TopicPublishOptions {
  /** Has the server keep it for those who subscribe later; a payload that is null or empty forgets what was kept. */
  readonly retain?: boolean;
}

/** What publishing needs of a client. */
export interface PublishersPort {
  isOnline(): boolean;
  stream(resource: unknown, options: ClientStreamOptions, listener: ClientStreamListener): ClientStream;
}

/** A message that waits for its stream to open. */
type WaitingMessage = (failure?: IotmpError) => void;

/** A topic that messages were published to: its stream stays open for the next message. */
interface Publisher {
  readonly stream: ClientStream;
  readonly waiting: WaitingMessage[];
}

/** Maximum number of topics whose streams stay open. The stream that was used longest ago is closed for another. */
const MAX_PUBLISHERS = 64;
/** Maximum number of messages that wait for one stream to open. */
const MAX_WAITING = 256;

/** Publishes a client's messages to topics, through one stream for each topic (`protocol.md` section 7). */
export class TopicPublishers {
  readonly #port: PublishersPort;
  /** The publisher that was used last comes last. */
  readonly #publishers = new BoundedMap<string, Publisher>(MAX_PUBLISHERS, {
    isPinned: ({ waiting }) => waiting.length > 0,
    onForget: ({ stream }) => detached('publisher closed', warnProcess, stream.close()),
  });

  constructor(port: PublishersPort) {
    this.#port = port;
  }

  /**
   * Resolves when the message was sent, or waits for a slow server.
   * @throws IotmpError (as a rejection) IOTMP_ERR_OFFLINE, IOTMP_ERR_BUSY, and as a stream is refused and written
   */
  async publish(
    topic: string,
    payload: unknown,
    { retain = false }: TopicPublishOptions = {},
  ): Promise<void> {
    if (!this.#port.isOnline()) throw offlineError();
    const { stream, waiting } = this.#publisher(topic, retain);
    if (stream.state === 'streaming') {
      stream.write(payload);
      return;
    }
    if (waiting.length >= MAX_WAITING) throw new IotmpError('IOTMP_ERR_BUSY', 'too many messages wait');
    await new Promise<void>((resolve, reject) => {
      waiting.push((failure) => {
        if (failure !== undefined) reject(failure);
        else attempt(() => stream.write(payload), resolve, reject);
      });
    });
  }

  #publisher(topic: string, retain: boolean): Publisher {
    const key = `${retain} ${topic}`;
    let publisher = this.#publishers.get(key);
    this.#publishers.delete(key);
    if (publisher === undefined || publisher.stream.closed) publisher = this.#open(topic, retain);
    this.#publishers.set(key, publisher);
    return publisher;
  }

  #open(topic: string, retain: boolean): Publisher {
    const waiting: WaitingMessage[] = [];
    const settle = (failure?: IotmpError): void => {
      for (const done of waiting.splice(0)) done(failure);
    };
    const event = 'device_topic_publish';
    const parameters = { event, scope: 'publish', topic, ...(retain && { retained: true }) };
    const listener: ClientStreamListener = {
      onSample: () => undefined,
      onState: (state, error) => {
        if (state === 'streaming') settle();
        else if (state !== 'starting') settle(error ?? offlineError());
        // The next message asks for the topic again.
        if (state === 'failed') detached('publisher failed', warnProcess, stream.close());
      },
    };
    const stream = this.#port.stream(ServiceCode.SUBSCRIBE_EVENT, { parameters }, listener);
    return { stream, waiting };
  }
}

function attempt(action: () => unknown, resolve: () => void, reject: (error: unknown) => void): void {
  try {
    action();
    resolve();
  } catch (error) {
    reject(error);
  }
}

function offlineError(): IotmpError {
  return new IotmpError('IOTMP_ERR_OFFLINE', 'the client is not connected');
}
