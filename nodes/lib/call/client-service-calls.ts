import type { IotmpClient } from '../../../src';
import type { ClientAction, ServiceAction } from '../../settings/iotmp-call';
import { flowValueOf } from '../flow/flow-value';
import { done, type FlowRequest, type ServiceReply } from './service-request';

type ClientServiceCall = (client: IotmpClient, request: FlowRequest) => Promise<ServiceReply>;

/** Asks the services of the server that a client is connected to: the actions that the protocol has. */
export const clientServiceCalls: Readonly<Partial<Record<ServiceAction, ClientServiceCall>>> = {
  'property.get': async (client, { name, ...options }) =>
    done(flowValueOf(await client.getProperty(name, waitOf(options)))),

  'property.set': async (client, { name, payload, ...options }) => {
    await client.setProperty(name, payload, waitOf(options));
    return done(payload);
  },

  'bucket.write': async (client, { name, payload, ...options }) => {
    await client.writeBucket(name, payload, waitOf(options));
    return done(payload);
  },

  'endpoint.call': async (client, { name, payload, ...options }) =>
    done(flowValueOf(await client.callEndpoint(name, payload, waitOf(options)))),

  'topic.publish': async (client, { name, payload = null, retain }) => {
    await client.publishTopic(name, payload, { retain });
    return done(payload);
  },
} satisfies Record<ClientAction, ClientServiceCall>;

type Wait = Pick<FlowRequest, 'timeoutMs' | 'signal'>;

function waitOf({ timeoutMs, signal }: Wait): Wait {
  return { timeoutMs, signal };
}
