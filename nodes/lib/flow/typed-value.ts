import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { guarded, IotmpError, parseExactJson } from '../../../src';
import type { TypedSetting } from '../../settings/kinds';

/**
 * Evaluates a typed input, which may depend on a message.
 * @throws IotmpError (as a rejection) IOTMP_ERR_CONFIG with the name of the property if it cannot be evaluated
 */
export function evaluate(
  RED: NodeAPI,
  node: Node,
  { name, value, type }: TypedSetting,
  message: NodeMessage = {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(new IotmpError('IOTMP_ERR_CONFIG', `${name}: ${reasonOf(cause)}`, { cause }));
    const settle = guarded('typed input', fail, (error: unknown, result: unknown) => {
      if (error === null || error === undefined) resolve(result);
      else fail(error);
    });
    try {
      const text = String(value);
      if (isJson(type, text)) resolve(parseExactJson(text));
      else RED.util.evaluateNodeProperty(text, type, node, message, settle);
    } catch (error) {
      fail(error);
    }
  });
}

/**
 * Evaluates a typed input as text, without space around it.
 * @throws IotmpError (as a rejection) IOTMP_ERR_CONFIG if the value is neither a text nor a number
 */
export async function evaluateText(
  RED: NodeAPI,
  node: Node,
  setting: TypedSetting,
  message?: NodeMessage,
): Promise<string> {
  const value = await evaluate(RED, node, setting, message);
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  throw new IotmpError('IOTMP_ERR_CONFIG', `${setting.name} must be a text`);
}

/** Whether a field is JSON with whole numbers past 2^53, which Node-RED would round. */
function isJson(type: string, text: string): boolean {
  return type === 'json' || (type === 'num' && /^\s*-?[1-9]\d{15,}\s*$/.test(text));
}

/** JSONata rejects with plain objects that have a message. */
function reasonOf(cause: unknown): string {
  if (typeof cause === 'object' && cause !== null && 'message' in cause) return String(cause.message);
  return String(cause);
}
