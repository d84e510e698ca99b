import type { NodeAPI } from 'node-red';
import { IotmpError } from '../../../src';
import type { ServiceAction } from '../../settings/iotmp-call';
import { ClientLink } from '../flow/client-link';
import { clientServiceCalls } from './client-service-calls';
import { inTime } from './in-time';
import type { Link } from '../flow/link';
import { ServerLink } from '../server/server-link';
import { serverServiceCalls } from './server-service-calls';
import type { FlowRequest, ServiceReply } from './service-request';
import { translate } from '../red/translate';

/** Asks something of a service, and waits no longer than the request says. */
export type ServiceCaller = (request: FlowRequest) => Promise<ServiceReply>;

/**
 * How a node asks a service through its link.
 * @throws IotmpError IOTMP_ERR_CONFIG for what works through a server only
 */
export function serviceCaller(RED: NodeAPI, link: Link, action: ServiceAction): ServiceCaller {
  if (link instanceof ServerLink) {
    const { properties, buckets, endpoints, topics } = link.services;
    const services = { properties, buckets, endpoints, topics, backups: link.backups, audit: link.audit };
    const ask = serverServiceCalls[action];
    return (request) => inTime(request, (signal) => ask(services, { ...request, signal }));
  }
  const ask = clientServiceCalls[action];
  if (ask === undefined || !(link instanceof ClientLink)) {
    throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.throughServer', { what: action }));
  }
  const { client } = link;
  return (request) => inTime(request, (signal) => ask(client, { ...request, signal }));
}
