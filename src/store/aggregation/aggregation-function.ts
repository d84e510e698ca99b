import { IotmpError } from '../../errors';

/** How the numbers of a span become one. */
export type AggregationFunction =
  'mean' | 'median' | 'min' | 'max' | 'count' | 'sum' | 'mode' | 'spread' | 'stddev';

const FUNCTIONS: readonly AggregationFunction[] = [
  'mean',
  'median',
  'min',
  'max',
  'count',
  'sum',
  'mode',
  'spread',
  'stddev',
];

/** The function that a program means by a text; `avg` is `mean`. `IOTMP_ERR_CONFIG` if there is none of that name. */
export function parseAggregationFunction(text: string): AggregationFunction {
  const wanted = text === 'avg' ? 'mean' : text;
  const found = FUNCTIONS.find((name) => name === wanted);
  if (found !== undefined) return found;
  throw new IotmpError(
    'IOTMP_ERR_CONFIG',
    `no aggregation "${text}": it has to be one of ${FUNCTIONS.join(', ')}`,
  );
}
