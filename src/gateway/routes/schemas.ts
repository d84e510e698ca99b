import { z } from 'zod';

/** Ids as the platform takes them (`platform-api.md` section 1.2). */
export const assetId = z.string().regex(/^[a-zA-Z0-9_-]{1,32}$/, 'has 1 to 32 letters, digits, "_" or "-"');
export const tokenId = z.string().regex(/^[a-zA-Z0-9_]{1,50}$/, 'has 1 to 50 letters, digits or "_"');
export const shortText = z.string().max(255);
export const longText = z.string().max(4096);
/** Of what may be left empty. */
export const optionalId = z.union([z.literal(''), assetId]);

/** A client in the field writes a `}` too much at the end of its query. */
const filter = z
  .string()
  .max(255)
  .transform((text) => text.replace(/\}$/, ''))
  .optional();

/** A count in a query; an empty one is as good as none. */
const wholeNumber = z
  .string()
  .regex(/^\d{0,9}$/, 'is a whole number')
  .transform((text) => Number(text))
  .optional();

/** What a list may be asked for. */
export const listQuery = z.object({
  count: wholeNumber.describe('the most rows to give; 0 = all'),
  index: wholeNumber.describe('how many rows to leave out at the beginning'),
  id: filter.describe('the id, or several with commas between them'),
  name: filter.describe('a part of the id or of the name'),
  type: filter,
  product: filter,
  asset_type: filter,
  asset_group: filter,
  project: filter,
  sort: filter.describe('the field to sort by'),
  order: filter.describe('asc or desc'),
});

export type ListQuery = z.infer<typeof listQuery>;

/** The body of every failure. */
export const errorBody = z.object({
  error: z.object({
    message: z.string(),
    code: z.string().describe('stable: compare this, not the message'),
    payload: z.unknown().optional().describe('what a device sent with its error'),
  }),
});

/** Projects by name, `project` or `user@project`. */
export const projects = z.array(z.string().regex(/^([\w-]{1,32}@)?[\w-]{1,32}$/)).max(100);

/** The same with their users. */
export function projectNames(user: string, names: readonly string[]): string[] {
  return names.map((name) => (name.includes('@') ? name : `${user}@${name}`));
}
