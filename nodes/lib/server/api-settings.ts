import type { NodeDef } from 'node-red';
import { IotmpError } from '../../../src';
import { booleanSetting, textSetting } from '../red/settings';

/** The properties of an `iotmp-server` node that are about the API for programs. */
export interface ApiConfig extends NodeDef {
  readonly api?: unknown;
  readonly apiPath?: unknown;
}

/** The API as a node describes it. */
export interface ApiSettings {
  readonly enabled: boolean;
  /** Below Node-RED's HTTP root, without a slash at its end; '' is the root itself. */
  readonly path: string;
  readonly secret: string | undefined;
}

/**
 * The origins whose pages may use the API in a browser: those that `httpNodeCors` of Node-RED's settings lists, `*` being
 * any. What is no text there, such as a pattern, counts as none: nothing is opened by mistake.
 */
export function allowedOrigins(httpNodeCors: unknown): string[] {
  if (typeof httpNodeCors !== 'object' || httpNodeCors === null) return [];
  const origins: unknown = Reflect.get(httpNodeCors, 'origin');
  return [origins].flat().filter((origin) => typeof origin === 'string');
}

/**
 * The settings of the API for programs.
 * @param secret the credential; empty is none
 * @throws IotmpError IOTMP_ERR_CONFIG for a path that no request can have
 */
export function apiSettings({ api, apiPath }: ApiConfig, secret: string | undefined): ApiSettings {
  const path = textSetting(apiPath).replace(/\/+$/, '');
  if (path !== '' && !/^\/[^\s?#%]*$/.test(path)) {
    throw new IotmpError(
      'IOTMP_ERR_CONFIG',
      'apiPath must begin with "/" and have no spaces, "?", "#" and "%"',
    );
  }
  return { enabled: booleanSetting(api, true), path, secret: secret === '' ? undefined : secret };
}
