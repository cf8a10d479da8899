import { describe, expect, it } from 'vitest'
import { ALL_EXPERIMENTS, parseExpr } from '../parser/index.ts'
import { buildPlan } from './build.ts'
import type { PlanNode } from './nodes.ts'

const OPTIONS = {
  startMs: 1_000_000,
  endMs: 2_000_000,
  stepMs: 10_000,
  lookbackMs: 300_000,
  subqueryStepMs: 60_000,
}

function plan(expr: string) {
  return buildPlan(parseExpr(expr, ALL_EXPERIMENTS), OPTIONS)
}

/** The plan in short: kinds and names, `!` before what is evaluated once. */
function shape(node: PlanNode): string {
  switch (node.kind) {
    case 'number':
      return String(node.value)
    case 'string':
      return JSON.stringify(node.value)
    case 'selector':
      return node.matchers.find(({ name }) => name === '__name__')!.value
    case 'matrix':
      return `${shape(node.selector)}[${node.rangeMs}]`
    case 'subquery':
      return `(${shape(node.expr)})[${node.rangeMs}:${node.stepMs}]`
    case 'call':
      return `${node.name}(${node.args.map(shape).join(', ')})`
    case 'aggregate':
      return `${node.op}(${[node.param, node.expr].flatMap((part) => (part ? [shape(part)] : [])).join(', ')})`
    case 'binary':
      return `(${shape(node.lhs)} ${node.op} ${shape(node.rhs)})`
    case 'negate':
      return `-${shape(node.expr)}`
    case 'stepInvariant':
      return `!${shape(node.expr)}`
  }
}

describe('plans', () => {
  it.each([
    ['a + b', '(a + b)'],
    ['((a))', 'a'],
    ['a @ 10', '!a'],
    ['rate(a[5m] @ 10) + b', '(!rate(a[300000]) + b)'],
    [
      'sum(rate(a[5m] @ end())) / sum(rate(a[5m] @ start()))',
      '!(sum(rate(a[300000])) / sum(rate(a[300000])))',
    ],
    ['predict_linear(a[5m] @ 10, 60)', 'predict_linear(a[300000], 60)'],
    ['timestamp(a @ 10)', '!timestamp(a)'],
    ['timestamp(abs(a @ 10))', 'timestamp(!abs(a))'],
    ['max_over_time(a[10m:])', 'max_over_time((a)[600000:60000])'],
    ['max_over_time((a @ 10)[10m:1s])', 'max_over_time((!a)[600000:1000])'],
    ['vector(end() - start())', '!vector((2000 - 1000))'],
    ['topk(scalar(b), a @ 10)', 'topk(scalar(b), !a)'],
    ['a[step() * 2 + 1m]', 'a[80000]'],
    ['-a', '-a'],
    ['1 + 2', '!(1 + 2)'],
  ])('of %s', (expr, want) => {
    expect(shape(plan(expr).root)).toBe(want)
  })

  it.each([
    ['a', 700_001, 2_000_000],
    ['a offset 1m', 640_001, 1_940_000],
    ['a[5m]', 700_001, 2_000_000],
    ['rate(a[10m] @ 500)', -99_999, 500_000],
    ['max_over_time(a[10m:1m] offset 5m)', -199_999, 1_700_000],
    ['rate(a[5m] smoothed)', 400_001, 2_300_000],
    ['rate(a[5m] anchored)', 400_001, 2_000_000],
    ['1', 0, 0],
  ])('know which samples %s can need', (expr, minTime, maxTime) => {
    expect(plan(expr)).toMatchObject({ minTime, maxTime })
  })

  it('tell the storage what will be done with the samples', () => {
    const { root } = plan('sum by (x) (rate(a[5m]))')
    const call = root.kind === 'aggregate' && root.expr.kind === 'call' ? root.expr : undefined
    const matrix = call?.args[0]?.kind === 'matrix' ? call.args[0] : undefined
    expect(matrix?.selector.hints).toEqual({
      start: 700_001,
      end: 2_000_000,
      step: 10_000,
      range: 300_000,
      func: 'rate',
      by: false,
    })
  })

  it.each([
    ['a[1m - 2m]', 'duration must be greater than 0'],
    ['a[5m / 0]', 'division by zero'],
    ['a offset (5m % 0)', 'modulo by zero'],
    ['a[9e9 ^ 2]', 'duration is out of range'],
  ])('refuse %s', (expr, text) => {
    expect(() => plan(expr)).toThrow(text)
  })
})
