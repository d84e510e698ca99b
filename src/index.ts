/**
 * The public surface of the library. Nothing else is to be imported from outside.
 */
import { nodeFault } from './util/node-floor';
export { IotmpServer } from './broker/broker';
export {
  clientCertificates,
  defaultServerOptions,
  serverRanges,
  type ClientCertificate,
  type ServerOptions,
} from './broker/broker-options';
export {
  defaultServerLimits,
  deviceMemory,
  deviceMemoryLimits,
  serverLimitRanges,
  type ServerLimits,
} from './broker/server-limits';
export { hostOf } from './transport/host-and-port';
export { networkOf } from './transport/network';
export { TrustedProxies } from './transport/trusted-proxies';
export type { TlsOptions } from 'node:tls';
export type { ListenerKind, ServerEvents } from './broker/broker-events';
export type { AddressBlock } from './broker/brake/address-blocks';
export type { RefusalReason, RefusedLogin } from './broker/refusals/refused-login';
export type { RefusedLogins } from './broker/refusals/refused-logins';
export type { ServerEvent } from './broker/event-feed';
export type { DeviceDirectory } from './broker/directory-authenticator';
export type { Login } from './broker/login';
export type { Authenticator } from './broker/authenticator';
export { isAddressable } from './broker/device-name';
export { hashedDevice, type HashedDevice, type RegisteredDevice } from './broker/registered-device';
export type { ConnectedDevice, DeviceCounters } from './broker/connected-device';
export { DeviceDescription, type ResourceDescription } from './broker/device-description';
export type { KnownState, LastKnownStates } from './broker/last-known';
export type { ListenerStatus } from './broker/listener';
export type { HubState, HubSubscriber, HubSubscription } from './broker/hub/stream-hub';
export { ServerServices, type ServicesOptions } from './services/server-services';
export type { Losses, LossKind } from './services/losses';
export type { Service, ServiceCall, ServiceOffer, ServiceStream } from './services/service';
export {
  ANONYMOUS_USER,
  deviceActions,
  type DeviceAction,
  type DeviceResource,
} from './rights/device-request';
export type { DeviceRights, RightsDecision } from './rights/device-rights';
export { type DeviceRule, type DeviceTraits } from './rights/device-rule';
export {
  deviceRules,
  readDeviceRules,
  type RuleFault,
  type RuleListOptions,
  type RuleReading,
} from './rights/rule-list';
export type { DeviceCallOptions, DeviceCalls } from './services/device-calls';
export type { Locks, LocksOptions } from './services/locks';
export type { Properties } from './services/properties/properties';
export type { PropertyListener } from './services/properties/property-watchers';
export type { PropertySource, PropertySubscription } from './services/properties/property-source';
export type { Buckets, BucketsOptions } from './services/buckets/buckets';
export { Directory, type DirectoryOptions } from './directory/directory';
export type { AcceptanceRequest, AcceptanceWindow } from './directory/provisioning/acceptance-windows';
export type {
  NamePattern,
  NamePatternChange,
  NamePatternDraft,
} from './directory/provisioning/name-patterns';
export type { ProvisionedDevice, Provisioning } from './directory/provisioning/provisioning';
export { DamagedRecordError } from './store/damaged-records';
export { openStore } from './store/open-store';
export { AuditLog, type AuditActor, type AuditEntry } from './services/audit-log';
export { Backups, type BackupReport, type BackupsOptions } from './store/backup/backups';
export { DiskFiles } from './store/files/disk-files';
export type { FileLimits, FileStore } from './store/files/file-store';
export type { Store } from './store/store';
export type { FileStoreOptions, MemoryStoreOptions, StoreOptions } from './store/store-options';
export type { StoreLimits } from './store/store-limits';
export type {
  DocumentBody,
  DocumentKey,
  DocumentStore,
  FoundDocument,
  StoredDocument,
} from './store/document-store';
export type { AssetKey, Outcome, Property, PropertyOwner } from './store/property-store';
export type { Bucket, BucketKey, BucketSettings, WrittenRows } from './store/bucket-store';
export type { BucketRow, NewRow, RowPage } from './store/bucket-row';
export type { BucketAggregation, BucketRange, LatestRows, RowSelection } from './store/bucket-query';
export { parseSpan } from './store/aggregation/span-name';
export { parseAggregationFunction } from './store/aggregation/aggregation-function';
export type { RetainedMessage } from './store/retained-store';
export type { Page } from './store/page';
export type {
  EndpointCall,
  EndpointCallOptions,
  EndpointHandler,
  EndpointHostOptions,
  EndpointReply,
  Endpoints,
  EndpointsOptions,
} from './services/endpoints';
export { eventKinds, type EventKind } from './services/event-names';
export type { EventStreams } from './services/event-streams';
export { EventFilter } from './services/events/event-filter';
export type { EventSource, EventSubscription } from './services/events/event-subscription';
export type { PublishOptions, Topics, TopicsOptions } from './services/topics/topics';
export type { RetainedMessages } from './services/topics/retained-messages';
export type { BridgeLink, BridgeOptions, TopicBridge } from './services/topics/topic-bridge';
export type { Handling, Qos, TopicMessage } from './services/topics/topic-message';
export type {
  SubscribeOptions,
  TopicListener,
  TopicSubscription,
} from './services/topics/topic-subscription';
export { TopicFilter } from './topic/topic-filter';
export { payloadFromBytes, payloadToBytes } from './services/topics/topic-payload';
export { IotmpClient } from './client/client';
export type { ClientEvents, ClientState } from './client/client-events';
export { clientRanges, defaultClientOptions } from './client/client-options';
export type {
  ClientIdentity,
  ClientOptions,
  ClientTlsOptions,
  ReconnectDelays,
} from './client/client-options';
export type { LockOptions } from './client/services';
export type { TopicPublishOptions } from './client/topic-publishers';
export type { ClientStream, ClientStreamListener, ClientStreamState } from './client/client-stream';
export type { ClientStreamOptions } from './client/client-stream-options';
export { Gateway } from './gateway/gateway';
export type { GatewayOptions, GatewayUser } from './gateway/gateway-options';
export { ServerHealth, type HealthReason } from './gateway/health/server-health';
export { serveHealth } from './gateway/health/serve-health';
export { gatewayLimits } from './gateway/limits/gateway-limits';
export type { GatewayLimits } from './gateway/limits/gateway-limits';
export { decodeValue } from './codec/reading/pson-decoder';
export { encodeValue } from './codec/writing/pson-encoder';
export { snapshot } from './codec/snapshot';
export { parseExactJson } from './codec/exact-json';
export {
  DecodeError,
  ErrorStatus,
  IotmpError,
  isError,
  RemoteError,
  StorageError,
  systemCode,
  errorText,
} from './errors';
export type { ErrorCode, StorageFault } from './errors';
export { systemClock } from './util/clock';
export { deviceKey } from './util/device-key';
export { BoundedMap } from './util/bounded-map';
export { SafeEmitter } from './util/safe-emitter';
export { printable } from './printable';
export { detached, guarded, warnProcess, type FaultHandler, type Guarded } from './util/guard';
export {
  Answer,
  FunctionCode,
  type ResourceCall,
  type ResourceDefinition,
  type ResourceKind,
} from './session/hosting/resource';
export type { ResourceStream } from './session/hosting/resource';
export type { Reading, ReadingHolder } from './session/wire/reading-gate';
export type { StreamKind } from './session/streams/stream-kind';
export type { SessionStream, StreamListener, StreamOptions } from './session/streams/session-stream';
export { MAX_INTERVAL_MS } from './session/streams/stream-interval';
export type { HostedResource } from './session/hosting/hosted-resource';
export type { CallOptions, Reply, RequestOptions } from './session/requests/reply';
export type { DeviceId, Value } from './types';
export { nodeFault };

const unfit = nodeFault();
if (unfit !== undefined) process.emitWarning(unfit, 'IotmpWarning');
