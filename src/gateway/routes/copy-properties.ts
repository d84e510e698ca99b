import type { Properties } from '../../services/properties/properties';
import { MAX_PAGE } from '../../store/page';
import type { PropertyOwner } from '../../store/property-store';

/** Gives an owner the properties that another one has, with their attributes. */
export async function copyProperties(
  properties: Properties,
  from: PropertyOwner,
  to: PropertyOwner,
): Promise<void> {
  for (let offset = 0; ; offset += MAX_PAGE) {
    const page = await properties.list(from, { offset, limit: MAX_PAGE });
    await Promise.all(page.map(({ name, value, attributes }) => properties.set(to, name, value, attributes)));
    // A page is shorter by what cannot be read.
    if (page.length === 0) return;
  }
}
