import { choiceSetting } from './readers';
import { choice, toggle, typed } from './kinds';
import { nodeSettings, type Setting } from './setting';
import { answerTime, linkProperties, MAX_REQUEST_TIMEOUT_S, targetProperties } from './shared';

/** A field of the node that an action of a service may use. */
export type ServiceField = 'device' | 'resource' | 'payload' | 'params' | 'retain';

/**
 * The actions of the services of a server, with the fields that each uses. The first action of a service is its default.
 * Those with `client` work through a client, too.
 */
export const SERVICE_ACTIONS = {
  'property.get': { uses: ['device', 'resource'], client: true },
  'property.set': { uses: ['device', 'resource', 'payload'], client: true },
  'property.list': { uses: ['device', 'params'] },
  'property.delete': { uses: ['device', 'resource'] },
  'bucket.write': { uses: ['device', 'resource', 'payload'], client: true },
  'bucket.read': { uses: ['device', 'resource', 'params'] },
  'bucket.aggregate': { uses: ['device', 'resource', 'params'] },
  'endpoint.call': { uses: ['resource', 'payload'], client: true },
  'topic.publish': { uses: ['resource', 'payload', 'retain'], client: true },
  'server.backup': { uses: [] },
} as const satisfies Record<string, { uses: readonly ServiceField[]; client?: true }>;

/** A service and its action, such as `property.get`. */
export type ServiceAction = keyof typeof SERVICE_ACTIONS;

/** An action that works through a client, too. */
export type ClientAction = {
  [Action in ServiceAction]: (typeof SERVICE_ACTIONS)[Action] extends { client: true } ? Action : never;
}[ServiceAction];

const serviceActions = Object.keys(SERVICE_ACTIONS).filter((key) => isServiceAction(key));

function isServiceAction(key: string): key is ServiceAction {
  return Object.hasOwn(SERVICE_ACTIONS, key);
}

/** The service that is asked; '' calls a resource. */
const service = choice({ choices: ['', 'property', 'bucket', 'endpoint', 'topic', 'server'], default: '' });

/** What is asked of the service; `undefined` where a resource is called. */
const action: Setting<ServiceAction | undefined> = {
  facts: { field: 'choice', choices: [], default: '', check: 'action', more: { actions: SERVICE_ACTIONS } },
  read: (config, name) => {
    const asked = service.read(config, 'service');
    if (asked === '') return undefined;
    const own = serviceActions.filter((key) => key.startsWith(`${asked}.`));
    const actions = new Map(own.map((key) => [key.slice(asked.length + 1), key]));
    const [usual = ''] = actions.keys();
    return actions.get(choiceSetting(name, Reflect.get(config, name), [...actions.keys()], usual));
  },
};

/** Settings of the `iotmp-call` node. */
export const callTable = nodeSettings('iotmp-call', {
  via: linkProperties.via,
  service,
  action,
  server: linkProperties.server,
  client: linkProperties.client,
  user: targetProperties.user,
  device: typed({ defaultType: 'str', check: 'field', shared: true }),
  resource: typed({ defaultType: 'str', check: 'field', shared: true }),
  payload: typed({ default: 'payload', defaultType: 'msg', check: 'field' }),
  params: typed({ defaultType: 'json', check: 'field' }),
  retain: toggle({ default: false }),
  timeout: answerTime({ max: MAX_REQUEST_TIMEOUT_S, shared: true }),
});
