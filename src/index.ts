/**
 * The public surface of the library. Nothing else is to be imported from outside.
 */
export { IotmpServer } from './broker/broker';
export type { ServerOptions } from './broker/broker-options';
export type { TlsOptions } from 'node:tls';
export type { FailedLogin, ListenerKind, ServerEvents } from './broker/broker-events';
export type { DeviceDirectory } from './broker/admission';
export type { Authenticator, RegisteredDevice } from './broker/authenticator';
export type { ConnectedDevice, DeviceCounters } from './broker/connected-device';
export type { DeviceDescription, ResourceDescription } from './broker/device-description';
export type { KnownState, LastKnownStates } from './broker/last-known';
export type { ListenerStatus } from './broker/listener';
export type { HubState, HubSubscriber, HubSubscription } from './broker/hub/stream-hub';
export { IotmpClient } from './client/client';
export type { ClientEvents, ClientState } from './client/client-events';
export type {
  ClientIdentity,
  ClientOptions,
  ClientTlsOptions,
  ReconnectDelays,
} from './client/client-options';
export type { LockOptions } from './client/services';
export type { ClientStream, ClientStreamListener, ClientStreamState } from './client/client-stream';
export type { ClientStreamOptions } from './client/client-stream-options';
export { Gateway } from './gateway/gateway';
export type { GatewayOptions, GatewayUser } from './gateway/gateway-options';
export type { GatewayLimits } from './gateway/limits/gateway-limits';
export type { Document, DocumentCollection, DocumentKey } from './gateway/accounts/document-collection';
export type { EventSource, ServerEvent } from './gateway/events/server-event';
export { decodeValue } from './codec/pson-decoder';
export { encodeValue } from './codec/pson-encoder';
export { DecodeError, ErrorStatus, IotmpError, RemoteError, type ErrorCode } from './errors';
export { Answer, type ResourceCall, type ResourceDefinition, type ResourceKind } from './session/resource';
export type { ResourceStream } from './session/resource';
export type { HostedResource } from './session/hosted-resource';
export type { Reply, RequestOptions } from './session/request-table';
export type { CallOptions } from './session/session';
export type { DeviceId, Value } from './types';
