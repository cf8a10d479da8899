// The signatures of all functions of PromQL. A function's name, arguments and result are all that the parser, the
// engine and the editor need to know of each other.
import type { ValueType } from './ast.ts'

export interface FunctionSignature {
  readonly name: string
  readonly argTypes: readonly ValueType[]
  /**
   * 0: exactly the arguments of `argTypes`. n > 0: the last of `argTypes` is optional and may occur up to n times.
   * -1: optional and as often as wanted.
   */
  readonly variadic: number
  readonly returnType: ValueType
  /** Needs `experimentalFunctions`. */
  readonly experimental: boolean
}

const V = 'vector'
const M = 'matrix'
const S = 'scalar'
const T = 'string'

type Row = readonly [
  names: string,
  argTypes: readonly ValueType[],
  options?: { variadic?: number; returns?: ValueType; experimental?: boolean },
]

const ROWS: readonly Row[] = [
  ['abs ceil exp floor ln log10 log2 sgn sqrt', [V]],
  ['acos acosh asin asinh atan atanh cos cosh deg rad sin sinh tan tanh', [V]],
  ['absent sort sort_desc timestamp', [V]],
  ['histogram_avg histogram_count histogram_stddev histogram_stdvar histogram_sum', [V]],
  ['changes delta deriv idelta increase irate rate resets', [M]],
  ['absent_over_time avg_over_time count_over_time first_over_time last_over_time max_over_time', [M]],
  ['min_over_time present_over_time stddev_over_time stdvar_over_time sum_over_time', [M]],
  ['mad_over_time ts_of_first_over_time ts_of_last_over_time', [M], { experimental: true }],
  ['ts_of_max_over_time ts_of_min_over_time', [M], { experimental: true }],
  ['clamp', [V, S, S]],
  ['clamp_max clamp_min', [V, S]],
  ['day_of_month day_of_week day_of_year days_in_month hour minute month year', [V], { variadic: 1 }],
  ['double_exponential_smoothing', [M, S, S], { experimental: true }],
  ['end range start step', [], { returns: S, experimental: true }],
  ['histogram_fraction', [S, S, V]],
  ['histogram_quantile', [S, V]],
  ['histogram_quantiles', [V, T, S, S], { variadic: 9, experimental: true }],
  ['info', [V, V], { variadic: 1, experimental: true }],
  ['label_join', [V, T, T, T], { variadic: -1 }],
  ['label_replace', [V, T, T, T, T]],
  ['max_of min_of', [S, S], { returns: S, experimental: true }],
  ['pi time', [], { returns: S }],
  ['predict_linear', [M, S]],
  ['quantile_over_time', [S, M]],
  ['round', [V, S], { variadic: 1 }],
  ['scalar', [V], { returns: S }],
  ['sort_by_label sort_by_label_desc', [V, T], { variadic: -1, experimental: true }],
  ['start_timestamp', [V], { experimental: true }],
  ['vector', [S]],
]

/** All functions by name. */
export const FUNCTIONS: ReadonlyMap<string, FunctionSignature> = new Map(
  ROWS.flatMap(([names, argTypes, options]) =>
    names.split(' ').map((name): [string, FunctionSignature] => [
      name,
      {
        name,
        argTypes,
        variadic: options?.variadic ?? 0,
        returnType: options?.returns ?? V,
        experimental: options?.experimental ?? false,
      },
    ]),
  ),
)
