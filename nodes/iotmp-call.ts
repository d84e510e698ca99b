import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { IotmpError } from '../src';
import { callTask, type CallConfig, type CallTask } from './lib/call/call-task';
import { followLink, setUpFlowNode, showLink, type FlowNodeContext } from './lib/flow/flow-node';
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
      followLink(context);
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
    context.onClose(() => this.#abort.abort());
  }

  async handle(message: NodeMessageInFlow, send: Send): Promise<void> {
    const { link, status } = this.#context;
    try {
      const target = link.resolve(await this.#target.evaluate(message));
      const { payload, ...fields } = await this.#task.run(target, {
        payload: this.#task.takesPayload ? await this.#evaluate(this.#payload, message) : undefined,
        parameters: this.#task.takesParameters ? await this.#evaluate(this.#params, message) : undefined,
        timeoutMs: this.#timeoutMs,
        signal: this.#abort.signal,
      });
      showLink(status, link.state);
      message.payload = payload ?? null;
      Object.assign(message, fields);
      send(message);
    } catch (error) {
      this.#showFailure(error);
      throw error;
    }
  }

  /** A blank field of type text or JSON means that there is nothing to send. */
  async #evaluate(setting: TypedSetting, message: NodeMessageInFlow): Promise<unknown> {
    if (setting.value === '' && ['json', 'str', ''].includes(setting.type)) return undefined;
    return evaluate(this.#RED, this.#node, setting, message);
  }

  #showFailure(error: unknown): void {
    const code = error instanceof IotmpError ? error.code : undefined;
    if (code === 'IOTMP_ERR_ABORTED') return;
    if (code === 'IOTMP_ERR_OFFLINE') this.#context.status.yellow(translate(this.#RED, 'status.offline'));
    else if (code === 'IOTMP_ERR_TIMEOUT') this.#context.status.red(translate(this.#RED, 'status.timeout'));
    else this.#context.status.red(statusReason(error));
  }
}
