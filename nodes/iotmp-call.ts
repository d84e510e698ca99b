import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { detached, IotmpError } from '../src';
import { callTask, type CallConfig, type CallTask } from './lib/call/call-task';
import { setUpFlowNode, showLink, type FlowNodeContext } from './lib/flow/flow-node';
import type { Target } from './lib/flow/link';
import { namedError } from './lib/red/named-error';
import { statusReason } from './lib/red/node-error';
import { onInput, type Send } from './lib/flow/run-input';
import { targetSettings, type TargetSettings } from './lib/flow/target-settings';
import { translate } from './lib/red/translate';
import { evaluate } from './lib/flow/typed-value';
import { callTable } from './settings/iotmp-call';
import type { TypedSetting } from './settings/kinds';
import { settingReader } from './settings/setting';

export = function register(RED: NodeAPI): void {
  RED.nodes.registerType('iotmp-call', function (this: Node, config: CallConfig) {
    RED.nodes.createNode(this, config);
    setUpFlowNode(RED, this, config, (context) => {
      const caller = new Caller(RED, this, config, context);
      caller.followTarget();
      onInput(this, (message, send) => caller.handle(message, send));
    });
  });
};

/** Calls a resource, or asks a service, for each message, and sends the answer on. */
class Caller {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #context: FlowNodeContext;
  readonly #task: CallTask;
  readonly #target: TargetSettings;
  readonly #payload: TypedSetting;
  readonly #params: TypedSetting;
  readonly #timeoutMs: number;
  readonly #abort = new AbortController();
  /** What was called last, or will be by every message: its device is what the status shows. */
  #shown: Target | undefined;
  /** Whether the status tells of something else than how the device stands now: to translate it costs more than a call. */
  #isStale = false;
  #unwatch: () => void;

  constructor(RED: NodeAPI, node: Node, config: CallConfig, context: FlowNodeContext) {
    this.#RED = RED;
    this.#node = node;
    this.#context = context;
    this.#task = callTask(RED, context.link, config);
    this.#target = targetSettings(RED, node, config, this.#task.fields);
    const read = settingReader(callTable, config);
    this.#payload = read('payload');
    this.#params = read('params');
    this.#timeoutMs = 1000 * read('timeout');
    this.#unwatch = context.link.watch(() => this.#show());
    context.onClose(() => {
      this.#unwatch();
      this.#abort.abort();
    });
  }

  /** Shows how the device stands that the fields name, or the connection where they depend on messages. */
  followTarget(): void {
    this.#show();
    if (!this.#target.isFixed || !this.#task.callsDevice) return;
    const onFault = (error: unknown): void => this.#context.status.red(statusReason(error));
    detached('target of a call', onFault, this.#followFixed());
  }

  async #followFixed(): Promise<void> {
    this.#follow(this.#context.link.resolve(await this.#target.evaluate()));
    this.#show();
  }

  async handle(message: NodeMessageInFlow, send: Send): Promise<void> {
    const { link } = this.#context;
    let name = '';
    try {
      const target = link.resolve(await this.#target.evaluate(message));
      name = nameOf(target);
      this.#follow(target);
      const { payload, ...fields } = await this.#task.run(target, {
        payload: this.#task.takesPayload ? await this.#evaluate(this.#payload, message) : undefined,
        parameters: this.#task.takesParameters ? await this.#evaluate(this.#params, message) : undefined,
        timeoutMs: this.#timeoutMs,
        signal: this.#abort.signal,
      });
      if (this.#isStale) this.#show();
      message.payload = payload ?? null;
      Object.assign(message, fields);
      send(message);
    } catch (error) {
      this.#showFailure(error);
      throw namedError(error, name);
    }
  }

  /** The status is about this target from now on. */
  #follow(target: Target): void {
    if (!this.#task.callsDevice || isSameDevice(target, this.#shown)) return;
    this.#shown = target;
    this.#isStale = true;
    this.#unwatch();
    this.#unwatch = this.#context.link.watchDevice(target, () => this.#show());
  }

  #show(): void {
    const { link, status } = this.#context;
    // A server without registered devices has no user to mean by a blank one, until its first device comes.
    if (this.#shown?.user === '' && link.namesDevices) this.#follow(link.resolve(this.#shown));
    this.#isStale = false;
    showLink(status, this.#shown === undefined ? link.state : link.deviceState(this.#shown));
  }

  /** A blank field of type text or JSON means that there is nothing to send. */
  async #evaluate(setting: TypedSetting, message: NodeMessageInFlow): Promise<unknown> {
    if (setting.value === '' && ['json', 'str', ''].includes(setting.type)) return undefined;
    return evaluate(this.#RED, this.#node, setting, message);
  }

  #showFailure(error: unknown): void {
    const code = error instanceof IotmpError ? error.code : undefined;
    if (code === 'IOTMP_ERR_ABORTED') return;
    this.#isStale = true;
    if (code === 'IOTMP_ERR_OFFLINE') this.#show();
    else if (code === 'IOTMP_ERR_TIMEOUT') this.#context.status.red(translate(this.#RED, 'status.timeout'));
    else this.#context.status.red(statusReason(error));
  }
}

/** What a call was for, as errors name it. */
function nameOf({ user, device, resource }: Target): string {
  return device === '' ? resource : `${user}/${device}/${resource}`.replace(/\/$/, '');
}

function isSameDevice(one: Target, other: Target | undefined): boolean {
  return one.user === other?.user && one.device === other.device;
}
