import { errorText, IotmpError } from '../errors';

/** Maximum number of records that are told apart, and of lines that name one. */
const MAX_KNOWN = 1000;
const MAX_LINES = 20;

/** A record that was kept and cannot be read. The store works, and so does all else in it. */
export class DamagedRecordError extends IotmpError {
  constructor(name: string, cause: unknown) {
    super('IOTMP_ERR_STORAGE', `${name} cannot be read: ${errorText(cause)}`, { cause });
    this.name = 'DamagedRecordError';
  }
}

/**
 * The records that were found and cannot be read. They stay in the file as they are, for a person to look at or to remove,
 * and are left out of all lists. Each is told once.
 */
export class DamagedRecords {
  readonly #known = new Set<string>();
  readonly #onFound: (name: string) => void;

  /** @param onFound gets the name of each record once; it must not throw */
  constructor(onFound: (name: string) => void) {
    this.#onFound = onFound;
  }

  /** Number of records found so far; 1,000 is 1,000 or more. */
  get count(): number {
    return this.#known.size;
  }

  /**
   * Reads a record.
   * @throws DamagedRecordError
   */
  read<Result>(name: string, decode: () => Result): Result {
    try {
      return decode();
    } catch (error) {
      this.note(name);
      throw new DamagedRecordError(name, error);
    }
  }

  /** Reads the records of a list, but for those that cannot be read. */
  readAll<Row, Result>(
    rows: readonly Row[],
    nameOf: (row: Row) => string,
    decode: (row: Row) => Result,
  ): Result[] {
    return rows.flatMap((row) => {
      try {
        return [decode(row)];
      } catch {
        this.note(nameOf(row));
        return [];
      }
    });
  }

  /** Notes that a record cannot be read. */
  note(name: string): void {
    if (this.#known.has(name) || this.#known.size >= MAX_KNOWN) return;
    this.#known.add(name);
    this.#onFound(name);
  }
}

/** Tells of damaged records in lines of a log, the first of them by their names. */
export function damageTeller(write: (line: string) => void): (name: string) => void {
  let lines = 0;
  return (name) => {
    lines++;
    if (lines > MAX_LINES + 1) return;
    write(
      lines > MAX_LINES
        ? 'more records cannot be read'
        : `${name} cannot be read: it is set aside, and stays in the file as it is until it is deleted or written anew`,
    );
  };
}
