// Logical plan → physical operators, for a grid of steps.
import { Absent, absentLabels } from '../functions/shape.ts'
import { RANGE_FUNCTIONS, VECTOR_FUNCTIONS } from '../functions/registry.ts'
import type { AggregateNode, BinaryNode, CallNode, MatrixNode, PlanNode } from '../plan/nodes.ts'
import { Aggregate } from './aggregate.ts'
import { MapRows, ScalarOperator, StepInvariant, negateRow, onlyRow } from './basic.ts'
import { ScalarBinary, VectorScalarBinary } from './binary-scalar.ts'
import { Intersection, Union } from './binary-set.ts'
import { VectorBinary } from './binary-vector.ts'
import type { QueryContext } from './context.ts'
import type { Grid, Operator } from './operator.ts'
import { FoldAggregate } from './fold-aggregate.ts'
import { foldInput, type FoldInput } from './fold-input.ts'
import { RangeCall } from './range-call.ts'
import { SelectorSource, SubquerySource, subqueryGrid, type RangeSource } from './range-source.ts'
import { CountValues, PickSamples, QuantileAggregate } from './selecting.ts'
import type { SelectionReader } from './selection-reader.ts'
import { InstantSelector } from './selector.ts'
import { SmoothedSelector } from './smoothed.ts'
import { UniqueSeries } from './unique.ts'

/** Operators of a plan node that gives instant vectors or scalars. */
export function buildOperator(node: PlanNode, context: QueryContext, grid: Grid): Operator {
  const build = (inner: PlanNode): Operator => buildOperator(inner, context, grid)
  const unique = (operator: Operator): Operator => new UniqueSeries(operator, context, grid)
  switch (node.kind) {
    case 'number':
      return new ScalarOperator(context, grid, () => node.value)
    case 'selector':
      return node.smoothed
        ? new SmoothedSelector(node, context, grid)
        : new InstantSelector(node, context, grid)
    case 'stepInvariant': {
      const once: Grid = { startMs: grid.startMs, stepMs: grid.stepMs, steps: Math.min(1, grid.steps) }
      return new StepInvariant(buildOperator(node.expr, context, once), context, grid)
    }
    case 'negate':
      return unique(new MapRows(build(node.expr), context, negateRow))
    case 'aggregate':
      return buildAggregate(node, context, grid)
    case 'binary':
      return buildBinary(node, context, grid)
    case 'call':
      return buildCall(node, context, grid)
    case 'string':
    case 'matrix':
    case 'subquery':
      throw new Error(`BUG: no operator for ${node.kind}`)
  }
}

function buildAggregate(node: AggregateNode, context: QueryContext, grid: Grid): Operator {
  const input = foldInput(node, context, grid)
  if (input !== undefined) {
    const plain = (reader: SelectionReader): Operator =>
      new Aggregate(node, buildFoldInput(input, reader, context, grid), context, grid)
    return new FoldAggregate({ node, input, context, grid, plain })
  }
  const inner = buildOperator(node.expr, context, grid)
  switch (node.op) {
    case 'topk':
    case 'bottomk':
    case 'limitk':
    case 'limit_ratio':
    case 'quantile': {
      const param = onlyRow(buildOperator(node.param!, context, grid), grid.steps)
      const options = { node, inner, param, context, grid }
      return node.op === 'quantile' ? new QuantileAggregate(options) : new PickSamples(options)
    }
    case 'count_values':
      return new CountValues({ node, inner, param: undefined, context, grid })
    default:
      return new Aggregate(node, inner, context, grid)
  }
}

/** What a fold takes, as operators of its own: it was found that a kernel cannot do it. */
function buildFoldInput(
  { node, selector }: FoldInput,
  reader: SelectionReader,
  context: QueryContext,
  grid: Grid,
): Operator {
  if (node.kind !== 'call') return new InstantSelector(selector, context, grid, 'sample', reader)
  const matrix = node.args[0] as MatrixNode
  const spec = RANGE_FUNCTIONS.get(node.name)!
  const source = new SelectorSource(matrix, context, grid, false, reader)
  const options = { name: node.name, spec, source, scalars: [], position: matrix.position }
  return new UniqueSeries(new RangeCall(options, context, grid), context, grid, true)
}

function buildBinary(node: BinaryNode, context: QueryContext, grid: Grid): Operator {
  const left = buildOperator(node.lhs, context, grid)
  const right = buildOperator(node.rhs, context, grid)
  if (node.type === 'scalar') return new ScalarBinary(node, left, right, grid)
  const unique = (operator: Operator): Operator => new UniqueSeries(operator, context, grid)
  if (node.matching !== undefined) {
    const { op, matching } = node
    if (op === 'and' || op === 'unless') return new Intersection({ left, right, matching }, op, context, grid)
    if (op === 'or') return unique(new Union({ left, right, matching }, context, grid))
    return unique(new VectorBinary(node, left, right, context, grid))
  }
  const swapped = node.lhs.type === 'scalar'
  const operands = swapped
    ? { vector: right, scalar: left, swapped }
    : { vector: left, scalar: right, swapped }
  return unique(new VectorScalarBinary(node, operands, context, grid))
}

function buildCall(node: CallNode, context: QueryContext, grid: Grid): Operator {
  const build = (inner: PlanNode): Operator => buildOperator(inner, context, grid)
  const spec = RANGE_FUNCTIONS.get(node.name)
  if (spec === undefined) {
    const builder = VECTOR_FUNCTIONS.get(node.name)
    if (builder === undefined) throw new Error(`BUG: function ${node.name} has no implementation`)
    return new UniqueSeries(builder({ node, grid, context, build }), context, grid)
  }
  const at = node.args.findIndex((arg) => arg.kind === 'matrix' || arg.kind === 'subquery')
  const useStarts = spec.usesStarts === true && context.features.useStartTimestamps === true
  const source = buildSource(node.args[at]!, context, grid, useStarts)
  const first = node.args[0]!
  const call = new RangeCall(
    {
      name: node.name,
      spec,
      source,
      scalars: node.args.filter((_, i) => i !== at).map(build),
      // A subquery's samples belong to no place of their own: they count as found at the query's start.
      position: first.kind === 'subquery' ? 0 : first.position,
    },
    context,
    grid,
  )
  if (node.name === 'absent_over_time')
    return new Absent(call, absentLabels(node.args[at]!), { node, grid, context, build })
  return new UniqueSeries(call, context, grid, true)
}

/** Samples of a range selector or subquery. */
export function buildSource(node: PlanNode, context: QueryContext, grid: Grid, starts: boolean): RangeSource {
  if (node.kind === 'matrix') return new SelectorSource(node, context, grid, starts)
  if (node.kind !== 'subquery') throw new Error(`BUG: ${node.kind} is no range vector`)
  const inner = subqueryGrid(node, grid)
  return new SubquerySource(node, context, inner, buildOperator(node.expr, context, inner))
}
