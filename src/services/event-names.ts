/** A kind of event that a server publishes. */
export interface EventKind {
  readonly event: string;
  /** The fields that filters may name, beside `user` and `ts`. */
  readonly filters: readonly string[];
}

const DEVICE = ['device', 'product', 'asset_type', 'asset_group'] as const;

/** The events of an asset and of its properties. */
function ofAsset(asset: string): EventKind[] {
  return [
    { event: `${asset}_create`, filters: [asset] },
    { event: `${asset}_delete`, filters: [asset] },
    { event: `${asset}_property_delete`, filters: [asset, 'property'] },
    { event: `${asset}_property_update`, filters: [asset, 'property'] },
    { event: `${asset}_update`, filters: [asset] },
  ];
}

/**
 * The events that a server publishes, by the names that programs know (`protocol.md` section 7). This is the only list,
 * for the subscriptions of devices and for programs that ask for the events.
 */
export const eventKinds: readonly EventKind[] = [
  { event: 'audit_entry', filters: ['actor', 'by', 'action', 'target'] },
  { event: 'bucket_create', filters: ['bucket'] },
  { event: 'bucket_delete', filters: ['bucket'] },
  { event: 'bucket_export_completed', filters: ['bucket', 'file'] },
  { event: 'bucket_source_fault', filters: ['bucket', 'device', 'resource'] },
  { event: 'bucket_update', filters: ['bucket'] },
  { event: 'bucket_write', filters: ['bucket', 'device'] },
  { event: 'bucket_write_refused', filters: ['bucket', 'device', 'resource', 'topic'] },
  { event: 'device_authentication_failed', filters: [...DEVICE, 'type', 'address'] },
  { event: 'device_callback_call', filters: DEVICE },
  { event: 'device_create', filters: DEVICE },
  { event: 'device_credential_rotate', filters: DEVICE },
  { event: 'device_delete', filters: DEVICE },
  { event: 'device_property_delete', filters: [...DEVICE, 'property'] },
  { event: 'device_property_update', filters: [...DEVICE, 'property'] },
  { event: 'device_provision', filters: [...DEVICE, 'pattern', 'address'] },
  { event: 'device_service_refused', filters: [...DEVICE, 'service', 'target'] },
  { event: 'device_state_change', filters: [...DEVICE, 'state', 'address'] },
  { event: 'device_time_replaced', filters: DEVICE },
  { event: 'device_topic_publish', filters: [...DEVICE, 'topic'] },
  { event: 'device_update', filters: DEVICE },
  { event: 'endpoint_call', filters: ['endpoint', 'device'] },
  { event: 'endpoint_call_response', filters: ['endpoint', 'device'] },
  { event: 'endpoint_create', filters: ['endpoint'] },
  { event: 'endpoint_delete', filters: ['endpoint'] },
  { event: 'endpoint_update', filters: ['endpoint'] },
  ...ofAsset('group'),
  ...ofAsset('product'),
  ...ofAsset('project'),
  { event: 'storage_create', filters: ['storage'] },
  { event: 'storage_delete', filters: ['storage'] },
  { event: 'storage_fault', filters: ['reason'] },
  { event: 'storage_recovered', filters: [] },
  { event: 'storage_update', filters: ['storage'] },
  ...ofAsset('type'),
  { event: 'user_property_delete', filters: ['property'] },
  { event: 'user_property_update', filters: ['property'] },
];

const names: ReadonlySet<string> = new Set(eventKinds.map(({ event }) => event));

/** Whether the server publishes an event of this name. */
export function isEventName(name: string): boolean {
  return names.has(name);
}
