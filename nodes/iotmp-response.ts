import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { Answer, encodeValue, IotmpError } from '../src';
import { onInput } from './lib/flow/run-input';
import { ReplyStore, replyToken } from './lib/flow/reply-store';
import { translate } from './lib/red/translate';

/** Types of values that can be sent, whatever the value. */
const ALWAYS_SENDABLE: readonly string[] = ['undefined', 'boolean', 'number', 'string'];

export = function register(RED: NodeAPI): void {
  RED.nodes.registerType('iotmp-response', function (this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
    onInput(this, (message) => {
      reply(RED, message);
    });
  });
};

function reply(RED: NodeAPI, message: NodeMessageInFlow): void {
  const token = replyToken(message._iotmp);
  if (token === undefined) throw new IotmpError('IOTMP_ERR_REPLY', translate(RED, 'errors.noToken'));
  const node: unknown = RED.nodes.getNode(token.node);
  if (!hasReplies(node)) throw new IotmpError('IOTMP_ERR_REPLY', translate(RED, 'errors.unknownToken'));
  node.replies.reply(token, new Answer(message.payload, statusCodeOf(RED, message)));
  // The session tells the caller of a value that cannot be sent; this tells the flow.
  if (!ALWAYS_SENDABLE.includes(typeof message.payload)) encodeValue(message.payload);
}

function hasReplies(node: unknown): node is { replies: ReplyStore } {
  return typeof node === 'object' && node !== null && 'replies' in node && node.replies instanceof ReplyStore;
}

function statusCodeOf(RED: NodeAPI, message: NodeMessageInFlow): number | undefined {
  const code = message.statusCode;
  if (code === undefined || code === null || code === '') return undefined;
  const number = Number(code);
  if (Number.isInteger(number) && number >= 100 && number <= 599) return number;
  throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.invalidStatusCode'));
}
