import { z } from 'zod';
import type { Value } from '../../types';

/** What PSON and JSON carry; what was kept has been checked when it came. */
export const anyValue = z.custom<Value>((value) => value !== undefined);
