import type { NodeAPI, NodeDef } from 'node-red';
import { errorText, guarded, IotmpError } from '../../../src';
import { translate } from '../red/translate';
import { AdminRoutes } from './admin-route';

/** A row of the table as the editor may see it. */
export interface TableRow {
  readonly user: string;
  readonly device: string;
  /** Whether the row has a credential. */
  readonly isSet: boolean;
  /** The credential where it is `${NAME}`, which is no secret but the name of one. */
  readonly variable?: string;
}

/** What the editor may see of a table: its rows, or the name of the variable that holds it; blank where it cannot be read. */
export type TableView = { readonly rows: readonly TableRow[] } | { readonly variable: string };

/** A row of the table that is changed: where it was, and its user and device id there. */
type RowPlace = readonly [index: number, user: string, device: string];

/** A row that is new, or takes the place of the one at `from`. Without `credential` it keeps the one that it had. */
interface RowChange {
  readonly from?: RowPlace;
  readonly user: string;
  readonly device: string;
  readonly credential?: string;
}

/** What the dialog sends in the credential `devicesChange`: changes of rows, or the whole table. */
type TableChange =
  { readonly set: readonly RowChange[]; readonly remove: readonly RowPlace[] } | { readonly all: string };

type RowFields = Readonly<Record<string, unknown>>;

const VARIABLE = /^\$\{[^}\s]+\}$/;
const TYPE = 'iotmp-server';

/** The emitters of events that have the listener. */
const watched = new WeakSet<object>();

/** What the editor may see of the text of a table. It holds no credential. */
export function viewOfTable(text: string): TableView {
  const rows = rowsOf(text);
  if (rows === undefined) return { variable: VARIABLE.test(text) ? text : '' };
  return {
    rows: rows.map((row) => {
      const { user, device, credential } = fieldsOf(row);
      const isVariable = typeof credential === 'string' && VARIABLE.test(credential);
      return {
        user: textOf(user),
        device: textOf(device),
        isSet: textOf(credential) !== '',
        ...(isVariable && { variable: credential }),
      };
    }),
  };
}

/**
 * The text of a table after a change of its dialog. Rows that the change does not name stay as they are, also those that
 * were added since the dialog was opened.
 * @param text JSON, see the credential `devices` of an `iotmp-server` node
 * @param change JSON, see its credential `devicesChange`
 * @throws IotmpError IOTMP_ERR_CONFIG when it is no change, or one of rows where a variable holds the table
 */
export function changedTable(text: string, change: string): string {
  const wanted = readChange(change);
  if ('all' in wanted) return wanted.all;
  const rows = rowsOf(text);
  if (rows === undefined) throw unfit();
  // All places are those of the table before the change.
  const find = (place: RowPlace): number => placeOf(rows, place);
  const next = new Map(rows.entries());
  for (const place of wanted.remove) next.delete(find(place));
  for (const { from, ...fields } of wanted.set) {
    const index = from === undefined ? -1 : find(from);
    if (index >= 0) next.set(index, changedRow(rows[index], fields));
    else if (![...next.values()].some((row) => holds(row, fields))) next.set(rows.length + next.size, fields);
  }
  return next.size === 0 ? '' : JSON.stringify([...next].sort(([a], [b]) => a - b).map(([, row]) => row));
}

/**
 * Puts a change that the dialog of a server left in its credentials into its table. It is on the disk with the next
 * deploy; until then table and change are there, which give the same table again after a restart.
 */
export function settleTable(RED: NodeAPI, id: string): void {
  const { devicesChange, ...rest } = fieldsOf(RED.nodes.getCredentials(id));
  if (typeof devicesChange !== 'string') return;
  let { devices } = rest;
  try {
    devices = changedTable(textOf(devices), devicesChange);
  } catch (error) {
    RED.log.error(`[${TYPE}:${id}] ${translate(RED, 'errors.changeLost', { reason: errorText(error) })}`);
  }
  void RED.nodes.addCredentials(id, { ...rest, devices });
}

/**
 * Serves the tables of devices to their dialogs, without credentials, and settles their changes after each deploy: also
 * those of servers that are not started.
 */
export function mountDeviceTables(RED: NodeAPI): void {
  new AdminRoutes(RED).read('/iotmp/servers/:id/table', 'admin table', (request, response) => {
    const { id } = request.params;
    if (typeof id !== 'string' || !serverIds(RED).includes(id)) {
      response.sendStatus(404);
      return;
    }
    settleTable(RED, id);
    response.json(viewOfTable(textOf(fieldsOf(RED.nodes.getCredentials(id)).devices)));
  });
  if (watched.has(RED.events)) return;
  watched.add(RED.events);
  const onFault = (error: unknown): void => RED.log.error(`[iotmp] device tables: ${errorText(error)}`);
  RED.events.on(
    'runtime-event',
    guarded('device tables', onFault, (event: { readonly id?: unknown }) => {
      if (event.id !== 'runtime-deploy') return;
      for (const id of serverIds(RED)) settleTable(RED, id);
    }),
  );
}

/** The ids of all server nodes of the flows that are deployed, whether they run or not. */
function serverIds(RED: NodeAPI): string[] {
  const ids: string[] = [];
  const onFault = (error: unknown): void => RED.log.error(`[iotmp] servers: ${errorText(error)}`);
  RED.nodes.eachNode(
    guarded('servers of device tables', onFault, ({ id, type }: NodeDef) => {
      if (type === TYPE) ids.push(id);
    }),
  );
  return ids;
}

/** Where a row is now, -1 where it is no more. Another editor may have moved it. */
function placeOf(rows: readonly unknown[], [index, user, device]: RowPlace): number {
  const isIt = (row: unknown): boolean => {
    const fields = fieldsOf(row);
    return textOf(fields.user) === user && textOf(fields.device) === device;
  };
  return index < rows.length && isIt(rows[index]) ? index : rows.findIndex(isIt);
}

/** Whether a row has what a change asks for: a change may come twice, where its first answer was lost. */
function holds(row: unknown, { user, device, credential }: RowChange): boolean {
  const fields = fieldsOf(row);
  const isIt = fields.user === user && fields.device === device;
  return isIt && (credential === undefined || fields.credential === credential);
}

/** A credential that is typed anew is the only one: the next one of the row was to follow another. */
function changedRow(row: unknown, change: Pick<RowChange, 'user' | 'device' | 'credential'>): RowFields {
  const kept = Object.entries(fieldsOf(row)).filter(
    ([name]) => name !== 'next' || change.credential === undefined,
  );
  return { ...Object.fromEntries(kept), ...change };
}

/** The rows of a table; `undefined` when the text is no table. */
function rowsOf(text: string): unknown[] | undefined {
  if (text.trim() === '') return [];
  const rows = parsed(text);
  return Array.isArray(rows) ? rows : undefined;
}

function readChange(text: string): TableChange {
  const { all, set, remove } = fieldsOf(parsed(text));
  if (typeof all === 'string') return { all };
  const isChange = Array.isArray(set) && set.every(isRowChange);
  if (!isChange || !Array.isArray(remove) || !remove.every(isPlace)) throw unfit();
  return { set, remove };
}

function isRowChange(value: unknown): value is RowChange {
  const { from, user, device, credential } = fieldsOf(value);
  const isNamed = typeof user === 'string' && typeof device === 'string';
  return (
    isNamed && ['string', 'undefined'].includes(typeof credential) && (from === undefined || isPlace(from))
  );
}

function isPlace(value: unknown): value is RowPlace {
  if (!Array.isArray(value)) return false;
  const [index, user, device] = value as unknown[];
  return Number.isInteger(index) && typeof user === 'string' && typeof device === 'string';
}

function unfit(): IotmpError {
  return new IotmpError('IOTMP_ERR_CONFIG', 'the change does not fit the device table');
}

/** What a text holds as JSON. A reason must not be told: it quotes the text, which has secrets. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const fieldsOf = (value: unknown): RowFields => Object(value) as RowFields;
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
