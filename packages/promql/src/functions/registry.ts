// Function name → implementation.
import { HISTOGRAM_FUNCTIONS } from './histogram.ts'
import { QUANTILE_FUNCTIONS } from './histogram-quantile.ts'
import { INFO_FUNCTIONS } from './info.ts'
import { LABEL_FUNCTIONS } from './labels.ts'
import { MATH_FUNCTIONS } from './math.ts'
import { SHAPE_FUNCTIONS } from './shape.ts'
import { COUNTING_FUNCTIONS } from './counting.ts'
import { OVER_TIME_FUNCTIONS } from './over-time.ts'
import { RATE_FUNCTIONS } from './rate.ts'
import { REGRESSION_FUNCTIONS } from './regression.ts'
import type { CallBuilder } from './call.ts'
import type { RangeSpec } from './range.ts'

/** Functions over range vectors. */
export const RANGE_FUNCTIONS: ReadonlyMap<string, RangeSpec> = new Map([
  ...RATE_FUNCTIONS,
  ...OVER_TIME_FUNCTIONS,
  ...COUNTING_FUNCTIONS,
  ...REGRESSION_FUNCTIONS,
])

/** All other functions. `start`, `end`, `range` and `step` are folded by the planner. */
export const VECTOR_FUNCTIONS: ReadonlyMap<string, CallBuilder> = new Map([
  ...MATH_FUNCTIONS,
  ...SHAPE_FUNCTIONS,
  ...LABEL_FUNCTIONS,
  ...HISTOGRAM_FUNCTIONS,
  ...QUANTILE_FUNCTIONS,
  ...INFO_FUNCTIONS,
])
