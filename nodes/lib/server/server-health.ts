import { ServerHealth, systemClock, type HealthReason } from '../../../src';
import type { HostedServer } from './hosted-server';
import type { UpgradeMount } from './upgrade-mount';

/** The health of a hosted server; its path for WebSockets counts as one of its listeners. */
export function serverHealth(
  { server, services }: HostedServer,
  webSockets: Pick<UpgradeMount, 'fault'>,
): ServerHealth {
  const around = (): HealthReason[] =>
    webSockets.fault === undefined
      ? []
      : [{ part: 'listener', reason: 'path', message: 'the path for WebSockets is not served' }];
  return new ServerHealth({ server, services, clock: systemClock, around });
}
