import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { detached, IotmpError, type Value } from '../src';
import { setUpFlowNode, showLink, type FlowNodeContext } from './lib/flow/flow-node';
import type { LinkStream, StreamState, Target } from './lib/flow/link';
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

/** The stream of one node: opened at the start or by a message, closed with the node or by a message. */
class FlowStream {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #context: FlowNodeContext;
  readonly #settings: TargetSettings;
  readonly #intervalMs: number;
  /** What the node is to stream, as its fields say; `undefined` while it is stopped. */
  #wanted: Target | undefined;
  #target: Target | undefined;
  #stream: LinkStream | undefined;
  #state: StreamState = { kind: 'offline' };
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

  /** Opens the stream, or opens it anew. */
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
    this.#stream?.close();
    this.#stream = undefined;
    this.#wanted = undefined;
    this.#trouble = undefined;
    this.#context.status.grey(translate(this.#RED, 'status.stopped'));
  }

  #open(wanted: Target): void {
    const target = this.#context.link.resolve(wanted);
    this.#wanted = wanted;
    this.#target = target;
    this.#stream?.close();
    this.#stream = this.#context.link.stream(target, this.#intervalMs, {
      onSample: (payload) => this.#emit(target, payload),
      onState: (state) => this.#show(target, state),
    });
  }

  #handleLink(): void {
    if (this.#wanted === undefined) return;
    const { link } = this.#context;
    // A server without registered devices has no user to mean by a blank one, until its first device comes.
    if (this.#target?.user === '' && link.resolve(this.#wanted).user !== '') this.#open(this.#wanted);
    else if (this.#state.kind === 'offline') this.#showOffline();
  }

  #write(payload: unknown): void {
    if (this.#stream === undefined) {
      throw new IotmpError('IOTMP_ERR_CLOSED', translate(this.#RED, 'status.stopped'));
    }
    this.#stream.write(payload);
  }

  #emit(target: Target, payload: Value | undefined): void {
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
    if (state.kind === 'streaming') status.green(text('status.streaming'));
    else if (state.kind === 'waiting') status.yellow(text('status.waiting'));
    else if (state.kind === 'offline') this.#showOffline();
    else if (state.kind === 'stalled') status.yellow(text('status.stalled'));
    else if (state.kind === 'held') status.yellow(text('status.notReopened'));
    else status.red(state.error === undefined ? text('status.error') : statusReason(state.error));
    this.#report(target, state);
  }

  /** Through a server, it is the device that is not there; through a client, the connection itself. */
  #showOffline(): void {
    const { link, status } = this.#context;
    if (link.namesDevices) status.yellow(translate(this.#RED, 'status.offline'));
    else showLink(status, link.state);
  }

  /** Trouble goes to the log and to Catch nodes when it begins, not again while it lasts. */
  #report(target: Target, state: StreamState): void {
    const topic = topicOf(target);
    let trouble: string | undefined;
    if (state.kind === 'error') trouble = state.error?.message ?? state.kind;
    else if (state.kind === 'stalled') trouble = translate(this.#RED, 'errors.stalled', { topic });
    else if (state.kind === 'held') trouble = translate(this.#RED, 'errors.notReopened', { topic });
    if (trouble !== undefined && trouble !== this.#trouble) {
      const error = state.error ?? new IotmpError('IOTMP_ERR_TIMEOUT', trouble);
      if (state.kind === 'held') this.#node.warn(trouble);
      else this.#node.error(nodeError(error), { topic });
    }
    if (state.kind !== 'waiting') this.#trouble = trouble;
  }
}

function topicOf({ user, device, resource }: Target): string {
  return device === '' ? resource : `${user}/${device}/${resource}`;
}
