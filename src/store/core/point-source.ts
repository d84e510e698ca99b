/** Where a row stands among those of its bucket. */
export interface PointKey {
  readonly ts: number;
  /** Number of the device in its bucket, by first appearance. */
  readonly series: number;
}

/** A row as it is kept. */
export interface Point extends PointKey {
  /** Empty for none. */
  readonly device: string;
  /** A map. */
  readonly value: Uint8Array;
}

/** A device that has written to a bucket. */
export interface Series {
  readonly series: number;
  readonly device: string;
}

/** Some rows of a bucket. */
export interface PointRange {
  readonly bucket: number;
  /** Earliest and latest time, included. */
  readonly minTs: number;
  readonly maxTs: number;
  readonly ascending: boolean;
  /** Only after this one, in the order asked for. */
  readonly after?: PointKey | undefined;
  /** Only of one device. */
  readonly series?: number | undefined;
  /** How many at most. */
  readonly limit: number;
}

/** Rows that can be read. */
export interface PointSource {
  /**
   * The first rows of a range, by time and then by series: up to the limit, or fewer if they are large. None only if
   * there are none.
   */
  read(range: PointRange): Point[];
  /** The devices of a bucket, by their numbers, also those of which no row is left. */
  seriesOf(bucket: number): Series[];
  /** The number of a device, or undefined. */
  findSeries(bucket: number, device: string): number | undefined;
}
