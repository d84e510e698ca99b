import type { NodeAPI } from 'node-red';
import { errorText, guarded, nodeFault } from '../src';
import { mountAdminApi } from './lib/server/admin-api';
import { mountDeviceTables, settleTable } from './lib/server/device-table';
import { ServerPool } from './lib/server/server-pool';
import { closeWith } from './lib/red/close-with';
import { FlowsStarted } from './lib/red/flows-started';
import { FlowsStopping } from './lib/red/flows-stopping';
import { HttpRouter } from './lib/server/http-router';
import { trackUsers } from './lib/flow/link';
import { statusReason } from './lib/red/node-error';
import type { ServerConfig, ServerCredentials } from './lib/server/server-settings';
import { mountRegistrationEndpoint } from './lib/server/registration-endpoint';
import { ServerRuntime, type ServerNode, type SharedByServers } from './lib/server/server-runtime';
import { StatusReporter } from './lib/red/status-reporter';
import { mountTokenEndpoint } from './lib/server/token-endpoint';
import { translate } from './lib/red/translate';
import { UpgradeRouter } from './lib/server/upgrade-router';
import { serverTable } from './settings/iotmp-server';
import { settingReader } from './settings/setting';

export = function register(RED: NodeAPI): void {
  const unfit = nodeFault();
  if (unfit !== undefined) RED.log.error(`IoTMP: ${unfit}`);
  const shared: SharedByServers = {
    pool: new ServerPool(RED),
    upgrades: new UpgradeRouter(RED),
    http: new HttpRouter(RED),
    started: FlowsStarted.of(RED),
    stopping: new FlowsStopping(RED),
  };

  RED.nodes.registerType<ServerNode, ServerConfig, object, ServerCredentials>(
    'iotmp-server',
    function (this: ServerNode, config) {
      settleTable(RED, credentialsId(config));
      RED.nodes.createNode(this, config);
      trackUsers(this);
      const status = new StatusReporter(this);
      try {
        if (settingReader(serverTable, config)('enabled')) {
          const runtime = new ServerRuntime(RED, this, config, status, shared);
          closeWith(this, (removed) => runtime.close(removed));
        } else idle(this, status, () => status.grey(translate(RED, 'status.disabled')));
      } catch (error) {
        this.error(errorText(error));
        idle(this, status, () => status.red(statusReason(error)));
      } finally {
        // The server has their hashes.
        delete this.credentials.devices;
      }
    },
    { credentials: { ...serverTable.credentials } },
  );
  mountAdminApi(RED);
  mountDeviceTables(RED);
  mountTokenEndpoint(RED);
  mountRegistrationEndpoint(RED);
};

/** A server that is switched off or cannot work: the nodes that use it have no link. */
function idle(node: ServerNode, status: StatusReporter, show: () => void): void {
  node.link = undefined;
  show();
  const onFault = (error: unknown): void => node.error(errorText(error));
  node.on(
    'close',
    guarded('idle server close', onFault, () => status.close()),
  );
}

/** The node whose credentials a node has: in an instance of a subflow it is the node of the subflow. */
function credentialsId(config: ServerConfig): string {
  const alias: unknown = Reflect.get(config, '_alias');
  return typeof alias === 'string' ? alias : config.id;
}
