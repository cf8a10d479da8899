// info(): adds labels of info series (target_info by default) that share instance and job with a series.
import { Labels, Matcher } from '@watchfire/datamodel'
import { SERIES_BYTES, drain, loadRow, type Block } from '../exec/block.ts'
import { duplicateLabelsError, executionError } from '../exec/context.ts'
import { KIND, type Operator, type Row, type SeriesMeta } from '../exec/operator.ts'
import { InstantSelector } from '../exec/selector.ts'
import type { PlanNode, SelectorNode, TimeShift } from '../plan/nodes.ts'
import { unwrapped, type CallBuilder, type CallContext } from './call.ts'

export const INFO_FUNCTIONS: ReadonlyMap<string, CallBuilder> = new Map([['info', (call) => new Info(call)]])

/** Labels that tell which info series belongs to a series. */
const IDENTIFYING = ['instance', 'job'] as const
const NAME = '__name__'

/** Output series: what a base series becomes at the steps where it gets these labels. */
interface Output {
  readonly meta: SeriesMeta
  readonly kinds: Uint8Array
  readonly base: number
}

class Info implements Operator {
  readonly distinct = true
  readonly #call: CallContext
  readonly #nameMatchers: readonly Matcher[]
  /** Matchers of other labels, by label. */
  readonly #dataMatchers: ReadonlyMap<string, readonly Matcher[]>
  #outputs: { meta: SeriesMeta; rows: Output[] }[] = []
  #base: Block | undefined
  #at = 0

  constructor(call: CallContext) {
    this.#call = call
    const second = call.node.args[1]
    const selector = second === undefined ? undefined : unwrapped(second)
    const matchers = selector?.kind === 'selector' ? selector.matchers : []
    this.#nameMatchers = effectiveNameMatchers(matchers.filter(({ name }) => name === NAME))
    const data = new Map<string, Matcher[]>()
    for (const matcher of matchers) {
      if (matcher.name === NAME) continue
      data.set(matcher.name, [...(data.get(matcher.name) ?? []), matcher])
    }
    this.#dataMatchers = data
  }

  open(): readonly SeriesMeta[] {
    const { build, context, grid, node } = this.#call
    const base = drain(build(node.args[0]!), context, grid.steps)
    this.#base = base
    const ignored = base.series.map(({ labels }) =>
      this.#nameMatchers.every((matcher) => matcher.matches(labels.metricName)),
    )
    const info = this.#fetch(base, ignored)
    const byKey = new Map<string, { meta: SeriesMeta; rows: Output[] }>()
    for (let i = 0; i < base.series.length; i++) {
      context.poll()
      for (const output of this.#enrich(base, i, ignored[i]!, info)) {
        const key = output.meta.labels.key()
        const known = byKey.get(key)
        if (known) known.rows.push(output)
        else byKey.set(key, { meta: output.meta, rows: [output] })
      }
    }
    this.#outputs = [...byKey.values()]
    return this.#outputs.map(({ meta }) => meta)
  }

  next(row: Row): void {
    const base = this.#base!
    const { rows } = this.#outputs[this.#at++]!
    loadRow(base, rows[0]!.base, row)
    row.kinds.set(rows[0]!.kinds)
    for (const { base: series, kinds } of rows.slice(1))
      for (let i = 0; i < kinds.length; i++) {
        if (kinds[i] === KIND.absent) continue
        if (row.kinds[i] !== KIND.absent) throw duplicateLabelsError()
        row.kinds[i] = kinds[i]!
        row.values[i] = base.values[series * base.steps + i]!
        if (kinds[i] !== KIND.histogram) continue
        row.histograms[i] = base.histograms.get(series * base.steps + i)
        row.hasHistograms = true
      }
  }

  /**
   * The info series that can belong to any of the base series, with the times of their samples (s) as values.
   */
  #fetch(base: Block, ignored: readonly boolean[]): InfoSeries | undefined {
    const { context, grid, node } = this.#call
    const values = IDENTIFYING.map((label) => {
      const own = base.series.filter((_, i) => !ignored[i]).map(({ labels }) => labels.get(label))
      return [...new Set(own)].filter((value) => value !== '')
    })
    if (values.every((list) => list.length === 0)) return undefined
    const identifying = IDENTIFYING.flatMap((label, i) =>
      values[i]!.length === 0 ? [] : [new Matcher('=~', label, values[i]!.map(quoteMeta).join('|'))],
    )
    const shift = shiftOf(node.args[0]!)
    const start = (shift.atMs ?? grid.startMs) - shift.offsetMs
    const end = (shift.atMs ?? grid.startMs + (grid.steps - 1) * grid.stepMs) - shift.offsetMs
    const selector: SelectorNode = {
      kind: 'selector',
      type: 'vector',
      position: node.position,
      matchers: [...identifying, ...[...this.#dataMatchers.values()].flat(), ...this.#nameMatchers],
      smoothed: false,
      anchored: false,
      statisticsOnly: false,
      hints: { start: start - context.lookbackMs + 1, end, step: grid.stepMs, func: 'info' },
      ...shift,
    }
    const block = drain(new InstantSelector(selector, context, grid, 'timestamp'), context, grid.steps)
    return new InfoSeries(block)
  }

  #enrich(base: Block, series: number, ignored: boolean, info: InfoSeries | undefined): Output[] {
    const { steps } = base
    const meta = base.series[series]!
    const outputs = new Map<string, Output>()
    for (let step = 0; step < steps; step++) {
      const kind = base.kinds[series * steps + step]!
      if (kind === KIND.absent) continue
      const labels = ignored ? meta.labels : this.#labelsAt(meta.labels, step, info)
      if (labels === undefined) continue
      let output = outputs.get(labels.key())
      if (output === undefined) {
        this.#call.context.chargeHeap(steps + SERIES_BYTES)
        const own = { labels, dropName: meta.dropName }
        output = { meta: own, base: series, kinds: new Uint8Array(steps) }
        outputs.set(labels.key(), output)
      }
      output.kinds[step] = kind
    }
    return [...outputs.values()]
  }

  /** A series' labels with those of its info series; undefined when it must have some and has none. */
  #labelsAt(labels: Labels, step: number, info: InfoSeries | undefined): Labels | undefined {
    const found = info?.at(labels, step) ?? []
    if (found.length === 0) {
      const optional = [...this.#dataMatchers.values()].flat().every((matcher) => matcher.matchesEmpty())
      return optional ? labels : undefined
    }
    const added = new Map<string, string>()
    for (const own of found)
      for (const [name, value] of own) {
        if (name === NAME || (this.#dataMatchers.size > 0 && !this.#dataMatchers.has(name))) continue
        const other = added.get(name)
        if (other !== undefined && other !== value) throw executionError(`conflicting label: ${name}`)
        if (!labels.has(name)) added.set(name, value)
      }
    return added.size === 0 ? labels : Labels.from([...labels, ...added])
  }
}

/** Info series by what they identify. */
class InfoSeries {
  readonly #block: Block
  /** Metric name → identifying labels → rows of the block. */
  readonly #rows = new Map<string, Map<string, number[]>>()

  constructor(block: Block) {
    this.#block = block
    block.series.forEach(({ labels }, i) => {
      let byKey = this.#rows.get(labels.metricName)
      if (byKey === undefined) this.#rows.set(labels.metricName, (byKey = new Map<string, number[]>()))
      const key = identity(labels)
      byKey.set(key, [...(byKey.get(key) ?? []), i])
    })
    this.#check()
  }

  /** Two info series that say the same thing at the same moment. */
  #check(): void {
    for (const byKey of this.#rows.values())
      for (const rows of byKey.values())
        if (rows.length > 1) for (let step = 0; step < this.#block.steps; step++) this.#newest(rows, step)
  }

  /** Labels of the newest info series of each metric for a series at a step. */
  at(labels: Labels, step: number): Labels[] {
    const key = identity(labels)
    const found: Labels[] = []
    for (const byKey of this.#rows.values()) {
      const row = this.#newest(byKey.get(key) ?? [], step)
      if (row !== undefined) found.push(this.#block.series[row]!.labels)
    }
    return found
  }

  #newest(rows: readonly number[], step: number): number | undefined {
    const { steps, kinds, values, series } = this.#block
    let best: number | undefined
    for (const row of rows) {
      if (kinds[row * steps + step] === KIND.absent) continue
      if (best === undefined) {
        best = row
        continue
      }
      const old = values[best * steps + step]!
      const own = values[row * steps + step]!
      if (own === old) {
        const at = Math.round(own * 1000)
        const [a, b] = [series[best]!.labels.toString(), series[row]!.labels.toString()]
        throw executionError(
          `found duplicate series for info metric: existing ${a} @ ${at}, new ${b} @ ${at}`,
        )
      }
      if (own > old) best = row
    }
    return best
  }
}

function identity(labels: Labels): string {
  return IDENTIFYING.map((label) => labels.get(label)).join('\u0000')
}

/**
 * Which metrics are info metrics: target_info unless something is said; only exclusions leave all that end in
 * _info.
 */
function effectiveNameMatchers(matchers: readonly Matcher[]): readonly Matcher[] {
  if (matchers.some(({ type }) => type === '=' || type === '=~')) return matchers
  if (matchers.length > 0) return [new Matcher('=~', NAME, '.+_info'), ...matchers]
  return [new Matcher('=', NAME, 'target_info')]
}

/** The time modifiers of the first selector, with those of the subqueries around it. */
function shiftOf(root: PlanNode): TimeShift {
  const search = (node: PlanNode): TimeShift | undefined => {
    if (node.kind === 'selector') return { atMs: node.atMs, offsetMs: node.offsetMs }
    if (node.kind !== 'subquery') {
      for (const child of childrenOf(node)) {
        const found = search(child)
        if (found) return found
      }
      return undefined
    }
    const inner = search(node.expr)
    if (inner === undefined || inner.atMs !== undefined) return inner
    return { atMs: node.atMs, offsetMs: inner.offsetMs + node.offsetMs }
  }
  return search(root) ?? { atMs: undefined, offsetMs: 0 }
}

function childrenOf(node: PlanNode): readonly PlanNode[] {
  switch (node.kind) {
    case 'call':
      return node.args
    case 'aggregate':
      return node.param ? [node.expr, node.param] : [node.expr]
    case 'binary':
      return [node.lhs, node.rhs]
    case 'matrix':
      return [node.selector]
    case 'negate':
    case 'stepInvariant':
      return [node.expr]
    default:
      return []
  }
}

const quoteMeta = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')
