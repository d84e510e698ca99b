import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { detached, IotmpError, type Value } from '../src';
import { AutoStream } from './lib/flow/auto-stream';
import { flowLoad } from './lib/flow/flow-load';
import { setUpFlowNode, showLink, type FlowNodeContext } from './lib/flow/flow-node';
import type { LinkStream, LinkStreamListener, StreamState, Target } from './lib/flow/link';
import { SampleAge, type Silence } from './lib/flow/sample-age';
import { namedError } from './lib/red/named-error';
import { nodeError, statusReason } from './lib/red/node-error';
import { onInput } from './lib/flow/run-input';
import { resourceFields, targetSettings, type TargetSettings } from './lib/flow/target-settings';
import { translate } from './lib/red/translate';
import { streamTable } from './settings/iotmp-stream';
import { settingReader, type ConfigOf } from './settings/setting';

type StreamConfig = ConfigOf<typeof streamTable>;

export = function register(RED: NodeAPI): void {
  RED.nodes.registerType('iotmp-stream', function (this: Node, config: StreamConfig) {
    RED.nodes.createNode(this, config);
    setUpFlowNode(RED, this, config, (context) => {
      const flow = new FlowStream(RED, this, config, context);
      context.onClose(() => flow.stop());
      onInput(this, (message) => flow.handle(message));
      if (settingReader(streamTable, config)('autostart')) {
        detached('stream at the start', (error) => this.error(nodeError(error)), flow.start());
      }
    });
  });
};

/** The stream of one node. It opens at the start or by a message, and closes with the node or by a message. */
class FlowStream {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #context: FlowNodeContext;
  readonly #settings: TargetSettings;
  /** `undefined`: it follows from the kind of the resource. */
  readonly #intervalMs: number | undefined;
  readonly #age = new SampleAge((silence) => this.#showSilence(silence));
  /** The target from the fields of the node; `undefined` while the stream is stopped. */
  #wanted: Target | undefined;
  #target: Target | undefined;
  #stream: LinkStream | undefined;
  #state: StreamState = { kind: 'offline' };
  #unwatch: (() => void) | undefined;
  #run = 0;
  #trouble: string | undefined;

  constructor(RED: NodeAPI, node: Node, config: StreamConfig, context: FlowNodeContext) {
    this.#RED = RED;
    this.#node = node;
    this.#context = context;
    this.#settings = targetSettings(RED, node, config, resourceFields(context.link.namesDevices));
    this.#intervalMs = settingReader(streamTable, config)('interval');
    context.status.grey(translate(RED, 'status.stopped'));
    context.onClose(context.link.watch(() => this.#handleLink()));
  }

  async handle(message: NodeMessageInFlow): Promise<void> {
    const action = message.action;
    if (action === 'start') await this.start();
    else if (action === 'stop') this.stop();
    else if (action !== undefined) {
      const text = translate(this.#RED, 'errors.unknownAction', { action: JSON.stringify(action) });
      throw new IotmpError('IOTMP_ERR_CONFIG', text);
    } else this.#write(message.payload);
  }

  /** Opens the stream, and closes an earlier one first. */
  async start(): Promise<void> {
    this.stop();
    const run = this.#run;
    try {
      const wanted = await this.#settings.evaluate();
      // Another message may have stopped or started it while the target was evaluated.
      if (run === this.#run) this.#open(wanted);
    } catch (error) {
      if (run === this.#run) this.#context.status.red(statusReason(error));
      throw error;
    }
  }

  stop(): void {
    this.#run++;
    this.#close();
    this.#wanted = undefined;
    this.#trouble = undefined;
    this.#context.status.grey(translate(this.#RED, 'status.stopped'));
  }

  #open(wanted: Target): void {
    const { link } = this.#context;
    const target = link.resolve(wanted);
    this.#wanted = wanted;
    this.#target = target;
    this.#close();
    this.#unwatch = link.watchDevice(target, () => this.#handleDevice());
    const listener: LinkStreamListener = {
      onSample: (payload) => this.#emit(target, payload),
      onState: (state) => this.#show(target, state),
    };
    const intervalMs = this.#intervalMs;
    this.#stream =
      intervalMs === undefined
        ? new AutoStream(link, target, listener)
        : link.stream(target, { intervalMs }, listener);
  }

  #close(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#stream?.close();
    this.#stream = undefined;
    this.#age.end();
  }

  #handleLink(): void {
    if (this.#wanted === undefined) return;
    const { link } = this.#context;
    // Before its first device connects, a server without registered devices has no user that a blank field could mean.
    if (this.#target?.user === '' && link.resolve(this.#wanted).user !== '') this.#open(this.#wanted);
  }

  #handleDevice(): void {
    if (this.#target !== undefined && this.#state.kind === 'offline') this.#showOffline(this.#target);
  }

  #write(payload: unknown): void {
    if (this.#stream === undefined) {
      throw new IotmpError('IOTMP_ERR_CLOSED', translate(this.#RED, 'status.stopped'));
    }
    try {
      this.#stream.write(payload);
    } catch (error) {
      throw namedError(error, this.#target === undefined ? '' : topicOf(this.#target));
    }
  }

  #emit(target: Target, payload: Value | undefined): void {
    this.#age.heard();
    flowLoad.note(this.#context.link, target);
    this.#node.send({
      payload: payload ?? null,
      topic: topicOf(target),
      ...(this.#context.link.namesDevices ? { user: target.user, device: target.device } : {}),
      resource: target.resource,
      timestamp: Date.now(),
    });
  }

  #show(target: Target, state: StreamState): void {
    const { status } = this.#context;
    const text = (key: string): string => translate(this.#RED, key);
    this.#state = state;
    if (state.kind === 'streaming') this.#age.begin(this.#stream?.intervalMs ?? 0);
    else this.#age.end();
    if (state.kind === 'streaming') status.green(text('status.streaming'));
    else if (state.kind === 'waiting') status.yellow(text('status.waiting'));
    else if (state.kind === 'offline') this.#showOffline(target);
    else if (state.kind === 'stalled') status.yellow(text('status.stalled'));
    else if (state.kind === 'held') status.yellow(text('status.notReopened'));
    else status.red(state.error === undefined ? text('status.error') : statusReason(state.error));
    this.#report(target, state);
  }

  /** Why there is no stream: the device is away or unknown, or the server or client itself does not work. */
  #showOffline(target: Target): void {
    const { link, status } = this.#context;
    const state = link.deviceState(target);
    // The stream of a device that has just come is told of in a moment.
    if (state.kind !== 'up') showLink(status, state);
  }

  /** A stream that is open looks well: its status says how long nothing has come. */
  #showSilence(silence: Silence | undefined): void {
    const { status } = this.#context;
    if (silence === undefined) status.green(translate(this.#RED, 'status.streaming'));
    else if (silence.isFirst) status.green(translate(this.#RED, 'status.noSample'));
    else status.green(translate(this.#RED, 'status.silent', { age: silence.age }));
  }

  /** Reports trouble to the log and to Catch nodes when it begins, and not again while it lasts. */
  #report(target: Target, state: StreamState): void {
    const topic = topicOf(target);
    let trouble: string | undefined;
    if (state.kind === 'error') trouble = namedError(state.error ?? state.kind, topic).message;
    else if (state.kind === 'stalled') trouble = translate(this.#RED, 'errors.stalled', { topic });
    else if (state.kind === 'held') trouble = translate(this.#RED, 'errors.notReopened', { topic });
    if (trouble !== undefined && trouble !== this.#trouble) {
      const error = state.error ?? new IotmpError('IOTMP_ERR_TIMEOUT', trouble);
      if (state.kind === 'held') this.#node.warn(trouble);
      else this.#node.error(namedError(error, topic), { topic });
    }
    if (state.kind !== 'waiting') this.#trouble = trouble;
  }
}

function topicOf({ user, device, resource }: Target): string {
  return device === '' ? resource : `${user}/${device}/${resource}`;
}
