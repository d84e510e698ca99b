import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { IotmpError, type Value } from '../src';
import { setUpFlowNode, type FlowNodeContext } from './lib/flow-node';
import type { LinkSettings, LinkStream, StreamState, Target } from './lib/link';
import { nodeError } from './lib/node-error';
import { onInput } from './lib/run-input';
import { booleanSetting, numberSetting } from './lib/settings';
import { targetSettings, type TargetSettings } from './lib/target-settings';
import { translate } from './lib/translate';

interface StreamConfig extends NodeDef, LinkSettings {
  readonly interval?: unknown;
  readonly autostart?: unknown;
}

export = function register(RED: NodeAPI): void {
  RED.nodes.registerType('iotmp-stream', function (this: Node, config: StreamConfig) {
    RED.nodes.createNode(this, config);
    setUpFlowNode(RED, this, config, (context) => {
      const flow = new FlowStream(RED, this, config, context);
      context.onClose(() => flow.stop());
      onInput(this, (message) => flow.handle(message));
      if (booleanSetting(config.autostart, true)) {
        flow.start().catch((error: unknown) => this.error(nodeError(error)));
      }
    });
  });
};

/** The stream of one node: opened at the start or by a message, closed with the node or by a message. */
class FlowStream {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #context: FlowNodeContext;
  readonly #target: TargetSettings;
  readonly #intervalMs: number;
  #stream: LinkStream | undefined;
  #run = 0;
  #error: string | undefined;

  constructor(RED: NodeAPI, node: Node, config: StreamConfig, context: FlowNodeContext) {
    this.#RED = RED;
    this.#node = node;
    this.#context = context;
    this.#target = targetSettings(RED, node, config, context.link.namesDevices);
    this.#intervalMs = numberSetting('interval', config.interval, { min: 0, max: 86_400_000, fallback: 0 });
    context.status.grey(translate(RED, 'status.stopped'));
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

  /** Opens the stream, or asks once more for one that is not open. */
  async start(): Promise<void> {
    this.stop();
    const run = this.#run;
    const target = this.#context.link.resolve(await this.#target.evaluate());
    // Another message may have stopped or started it while the target was evaluated.
    if (run !== this.#run) return;
    this.#stream = this.#context.link.stream(target, this.#intervalMs, {
      onSample: (payload) => this.#emit(target, payload),
      onState: (state) => this.#show(target, state),
    });
  }

  stop(): void {
    this.#run++;
    this.#stream?.close();
    this.#stream = undefined;
    this.#context.status.grey(translate(this.#RED, 'status.stopped'));
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
    if (state.kind === 'streaming') status.green(text('status.streaming'));
    else if (state.kind === 'waiting') status.yellow(text('status.waiting'));
    else if (state.kind === 'offline') status.yellow(text('status.offline'));
    else if (state.kind === 'stalled') status.yellow(text('status.stalled'));
    else if (state.kind === 'held') status.yellow(text('status.notReopened'));
    else status.red((state.error?.message ?? text('status.error')).slice(0, 40));
    this.#report(target, state);
  }

  /** Trouble goes to the log and to Catch nodes when it begins, not again while it lasts. */
  #report(target: Target, state: StreamState): void {
    const topic = topicOf(target);
    let trouble: string | undefined;
    if (state.kind === 'error') trouble = state.error?.message ?? state.kind;
    else if (state.kind === 'stalled') trouble = translate(this.#RED, 'errors.stalled', { topic });
    else if (state.kind === 'held') trouble = translate(this.#RED, 'errors.notReopened', { topic });
    if (trouble !== undefined && trouble !== this.#error) {
      const error = state.error ?? new IotmpError('IOTMP_ERR_TIMEOUT', trouble);
      if (state.kind === 'held') this.#node.warn(trouble);
      else this.#node.error(nodeError(error), { topic });
    }
    if (state.kind !== 'waiting') this.#error = trouble;
  }
}

function topicOf({ user, device, resource }: Target): string {
  return device === '' ? resource : `${user}/${device}/${resource}`;
}
