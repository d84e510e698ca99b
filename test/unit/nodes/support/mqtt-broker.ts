import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Aedes } from 'aedes' with { 'resolution-mode': 'import' };
import { cleanUp } from '../../../support/clean-up';
import { patiently } from './patience';
import { Recording } from './recording';

/** A message as the broker saw it. */
export interface MqttMessage {
  readonly topic: string;
  readonly text: string;
  readonly retain: boolean;
  /** Whether a client sent it, and not the test. */
  readonly isFromClient: boolean;
}

/** An MQTT broker in the process of the test. */
export class MqttBroker {
  readonly port: number;
  /** All messages that were published, by whomever. */
  readonly published = new Recording<MqttMessage>('a message at the MQTT broker');
  readonly #broker: Aedes;
  readonly #subscribed = new Recording<string>('a subscription at the MQTT broker');

  private constructor(broker: Aedes, port: number) {
    this.#broker = broker;
    this.port = port;
    broker.on('publish', ({ topic, payload, retain }, client) => {
      if (topic.startsWith('$SYS')) return;
      const isFromClient = client !== null;
      this.published.push({ topic, text: String(payload), retain, isFromClient });
    });
    broker.on('subscribe', (subscriptions) => {
      for (const { topic } of subscriptions) this.#subscribed.push(topic);
    });
  }

  static async start(): Promise<MqttBroker> {
    const { Aedes: Broker } = await import('aedes');
    const broker = await Broker.createBroker();
    const server = createServer((socket) => void broker.handle(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUp(async () => {
      const ends = [once(server, 'close'), new Promise<void>((resolve) => broker.close(resolve))];
      server.close();
      await Promise.all(ends);
    });
    return new MqttBroker(broker, (server.address() as AddressInfo).port);
  }

  /** Resolves when a client has subscribed to a filter. */
  async subscribed(filter: string): Promise<void> {
    await this.#subscribed.next((one) => one === filter);
  }

  /** Publishes in the name of nobody. */
  async publish(topic: string, text: string, retain = false): Promise<void> {
    const sent = new Promise<void>((resolve, reject) => {
      const packet = {
        cmd: 'publish',
        qos: 0,
        dup: false,
        topic,
        payload: Buffer.from(text),
        retain,
      } as const;
      this.#broker.publish(packet, (error) => (error instanceof Error ? reject(error) : resolve()));
    });
    await patiently(sent, () => `a message to ${topic}`);
  }
}
