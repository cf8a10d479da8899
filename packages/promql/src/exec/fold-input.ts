// Which aggregations a fold can do: sum, avg, min, max, count or group over a selector, or over a range function
// that has a kernel.
import { METRIC_NAME } from '@watchfire/datamodel'
import { FOLD, FOLD_INSTANT, type FoldOp } from '@watchfire/kernels'
import { RANGE_FUNCTIONS } from '../functions/registry.ts'
import type { AggregateNode, CallNode, SelectorNode } from '../plan/nodes.ts'
import type { QueryContext } from './context.ts'
import type { Grid } from './operator.ts'

export interface FoldInput {
  readonly op: FoldOp
  /** Of the kernel: one of WINDOW or FOLD_INSTANT. */
  readonly func: number
  readonly node: CallNode | SelectorNode
  readonly selector: SelectorNode
  /** 0 for an instant selector. */
  readonly rangeMs: number
  /** The function drops the metric's name. */
  readonly dropsName: boolean
  readonly wantsCounter: boolean
  /** Where annotations say the samples stand. */
  readonly position: number
}

const OPS: ReadonlyMap<string, FoldOp> = new Map<string, FoldOp>([
  ['sum', FOLD.sum],
  ['avg', FOLD.avg],
  ['min', FOLD.min],
  ['max', FOLD.max],
  ['count', FOLD.count],
  ['group', FOLD.count],
])
const METADATA = [METRIC_NAME, '__type__', '__unit__']

/** What to fold, or undefined when operators have to do it. */
export function foldInput(
  aggregate: AggregateNode,
  context: QueryContext,
  grid: Grid,
): FoldInput | undefined {
  const op = OPS.get(aggregate.op)
  const node = aggregate.expr
  if (op === undefined || grid.steps === 0 || !context.allows('fold') || context.perStep !== undefined) return
  if (node.kind === 'selector') {
    if (!isPlain(node, grid)) return
    const none = { rangeMs: 0, dropsName: false, wantsCounter: false, position: node.position }
    return { op, func: FOLD_INSTANT, node, selector: node, ...none }
  }
  if (node.kind !== 'call' || node.args.length !== 1) return
  if (node.name === 'absent_over_time') return // turns round what its kernel finds
  const spec = RANGE_FUNCTIONS.get(node.name)
  const matrix = node.args[0]!
  if (spec?.kernel === undefined || matrix.kind !== 'matrix' || !isPlain(matrix.selector, grid)) return
  if (spec.usesStarts === true && context.features.useStartTimestamps === true) return
  const dropsName = spec.keepsName !== true
  // The function takes these away before they could group.
  if (dropsName && !aggregate.without && aggregate.grouping.some((name) => METADATA.includes(name))) return
  const { selector, rangeMs } = matrix
  const wantsCounter = spec.wantsCounter === true
  const { position } = matrix
  return { op, func: spec.kernel, node, selector, rangeMs, dropsName, wantsCounter, position }
}

function isPlain(selector: SelectorNode, grid: Grid): boolean {
  return !selector.anchored && !selector.smoothed && (selector.atMs === undefined || grid.steps === 1)
}
