import { IotmpError } from '../../../src';
import { serverTable } from '../../settings/iotmp-server';
import { settingReader } from '../../settings/setting';
import type { ServerConfig } from './server-settings';

/** The API as a node describes it. */
export interface ApiSettings {
  readonly enabled: boolean;
  /** Below Node-RED's HTTP root, without a slash at its end; '' is the root itself. */
  readonly path: string;
  readonly secret: string | undefined;
}

/**
 * The settings of the API for programs.
 * @param secret the credential; empty is none
 * @throws IotmpError IOTMP_ERR_CONFIG for a path that no request can have
 */
export function apiSettings(config: ServerConfig, secret: string | undefined): ApiSettings {
  const read = settingReader(serverTable, config);
  const path = read('apiPath').replace(/\/+$/, '');
  if (path !== '' && !/^\/[^\s?#%]*$/.test(path)) {
    throw new IotmpError(
      'IOTMP_ERR_CONFIG',
      'apiPath must begin with "/" and have no spaces, "?", "#" and "%"',
    );
  }
  return { enabled: read('api'), path, secret: secret === '' ? undefined : secret };
}
