import type { IotmpClient } from '../../../src';
import type { ClientAction, ServiceAction } from '../../settings/iotmp-call';
import { done, type ServiceReply, type ServiceRequest } from './service-request';

type Ask = (client: IotmpClient, request: ServiceRequest) => Promise<ServiceReply>;

/** Asks the services of the server that a client is connected to: the actions that the protocol has. */
export const clientServiceCalls: Readonly<Partial<Record<ServiceAction, Ask>>> = {
  'property.get': async (client, { name, ...options }) =>
    done(await client.getProperty(name, waitOf(options))),

  'property.set': async (client, { name, payload, ...options }) => {
    await client.setProperty(name, payload, waitOf(options));
    return done(payload);
  },

  'bucket.write': async (client, { name, payload, ...options }) => {
    await client.writeBucket(name, payload, waitOf(options));
    return done(payload);
  },

  'endpoint.call': async (client, { name, payload, ...options }) =>
    done(await client.callEndpoint(name, payload, waitOf(options))),

  'topic.publish': async (client, { name, payload = null, retain }) => {
    await client.publishTopic(name, payload, { retain });
    return done(payload);
  },
} satisfies Record<ClientAction, Ask>;

type Wait = Pick<ServiceRequest, 'timeoutMs' | 'signal'>;

function waitOf({ timeoutMs, signal }: Wait): Wait {
  return { timeoutMs, signal };
}
