// Functions of single float samples: arithmetic, trigonometry, clamping, rounding, calendar. Histograms are
// left out.
import { MapRows, ScalarOperator, dropHistograms, onlyRow } from '../exec/basic.ts'
import type { Operator, Row, SeriesMeta } from '../exec/operator.ts'
import { daysBefore, momentOf, type Moment } from './calendar.ts'
import type { CallBuilder, CallContext } from './call.ts'
import { goMax, goMin } from './go-math.ts'

type Unary = (value: number) => number

const UNARY: Readonly<Record<string, Unary>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  sqrt: Math.sqrt,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  rad: (value) => (value * Math.PI) / 180,
  deg: (value) => (value * 180) / Math.PI,
  sgn: (value) => (value < 0 ? -1 : value > 0 ? 1 : value),
}

const CALENDAR: Readonly<Record<string, (moment: Moment) => number>> = {
  minute: ({ second }) => Math.floor(second / 60) % 60,
  hour: ({ second }) => Math.floor(second / 3600),
  day_of_week: ({ day }) => (((day + 4) % 7) + 7) % 7,
  day_of_month: ({ date }) => date.day,
  day_of_year: ({ day, date }) => day - daysBefore(date.year, 1) + 1,
  days_in_month: ({ date: { year, month } }) =>
    month === 12 ? 31 : daysBefore(year, month + 1) - daysBefore(year, month),
  month: ({ date }) => date.month,
  year: ({ date }) => date.year,
}

export const MATH_FUNCTIONS: ReadonlyMap<string, CallBuilder> = new Map<string, CallBuilder>([
  ...Object.entries(UNARY).map(([name, f]): [string, CallBuilder] => [name, (call) => mapFloats(call, f)]),
  ...Object.entries(CALENDAR).map(([name, f]): [string, CallBuilder] => [name, (call) => calendar(call, f)]),
  ['round', round],
  ['clamp', (call) => clamp(call, 1, 2)],
  ['clamp_min', (call) => clamp(call, 1, undefined)],
  ['clamp_max', (call) => clamp(call, undefined, 1)],
  ['min_of', (call) => pairwise(call, goMin)],
  ['max_of', (call) => pairwise(call, goMax)],
  ['pi', (call) => new ScalarOperator(call.context, call.grid, () => Math.PI)],
  ['time', (call) => new ScalarOperator(call.context, call.grid, (timeMs) => timeMs / 1000)],
])

function mapFloats(call: CallContext, f: Unary): Operator {
  return new MapRows(call.build(call.node.args[0]!), call.context, (row) => {
    dropHistograms(row)
    const { values } = row
    for (let i = 0; i < values.length; i++) values[i] = f(values[i]!)
  })
}

function calendar(call: CallContext, f: (moment: Moment) => number): Operator {
  const ofSeconds = (seconds: number): number => f(momentOf(seconds))
  if (call.node.args.length > 0) return mapFloats(call, ofSeconds)
  return new ScalarOperator(call.context, call.grid, (timeMs) => ofSeconds(timeMs / 1000))
}

/** A function whose further arguments are scalars: `change` gets their rows. */
function mapWithScalars(call: CallContext, change: (row: Row, scalars: readonly Row[]) => void): Operator {
  const [vector, ...rest] = call.node.args
  const scalars = rest.map((arg) => call.build(arg))
  let rows: Row[] | undefined
  return new MapRows(call.build(vector!), call.context, (row) => {
    rows ??= scalars.map((operator) => onlyRow(operator, call.grid.steps))
    dropHistograms(row)
    change(row, rows)
  })
}

/** To the nearest multiple, ties up. */
function round(call: CallContext): Operator {
  return mapWithScalars(call, ({ values }, [nearest]) => {
    for (let i = 0; i < values.length; i++) {
      const inverse = 1 / (nearest?.values[i] ?? 1)
      values[i] = Math.floor(values[i]! * inverse + 0.5) / inverse
    }
  })
}

/** `minArg` and `maxArg` are positions of arguments. */
function clamp(call: CallContext, minArg: number | undefined, maxArg: number | undefined): Operator {
  return mapWithScalars(call, ({ values, kinds }, scalars) => {
    for (let i = 0; i < values.length; i++) {
      const min = minArg === undefined ? -Infinity : scalars[minArg - 1]!.values[i]!
      const max = maxArg === undefined ? Infinity : scalars[maxArg - 1]!.values[i]!
      if (max < min) kinds[i] = 0
      else values[i] = goMax(min, goMin(max, values[i]!))
    }
  })
}

/** min_of and max_of of two scalars. */
function pairwise(call: CallContext, f: (a: number, b: number) => number): Operator {
  const [left, right] = call.node.args.map((arg) => call.build(arg))
  return {
    distinct: true,
    open: (): readonly SeriesMeta[] => left!.open(),
    next: (row) => {
      left!.next(row)
      const other = onlyRow(right!, call.grid.steps)
      for (let i = 0; i < row.values.length; i++) row.values[i] = f(row.values[i]!, other.values[i]!)
    },
  }
}
