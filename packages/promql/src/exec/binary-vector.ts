// Arithmetic and comparison between two vectors. The "one" side is held in memory; the "many" side (the left
// one, of one-to-one) streams unless duplicates on the "one" side make it necessary to look at single steps
// of both.
import type { Labels } from '@watchfire/datamodel'
import type { BinaryNode, Matching } from '../plan/nodes.ts'
import { BinarySamples, IMPOSSIBLE, arithmeticRows, changesMeaning } from './binary-samples.ts'
import { SERIES_BYTES, drain, loadRow, type Block } from './block.ts'
import { executionError, type QueryContext } from './context.ts'
import { dropMetadata, withLabel } from './labels.ts'
import { MatchGroups, matchLabels } from './matching.ts'
import { KIND, clearRow, createRow, type Grid, type Operator, type Row, type SeriesMeta } from './operator.ts'

/** An announced result: series `many` with series `one`, or with the fill value where that is −1. */
interface Pair {
  readonly many: number
  readonly one: number
  readonly group: number
  /** Pairs that must not both give a result at a step share these flags (1 = has one). */
  readonly flags: Uint8Array | undefined
}

export class VectorBinary implements Operator {
  readonly #node: BinaryNode
  readonly #matching: Matching
  readonly #many: Operator
  readonly #one: Operator
  /** The "many" side is the right one: operands are swapped back for the operation. */
  readonly #swapped: boolean
  readonly #fillMany: number | undefined
  readonly #fillOne: number | undefined
  readonly #context: QueryContext
  readonly #grid: Grid
  readonly #samples: BinarySamples
  #pairs: Pair[] = []
  #oneBlock: Block | undefined
  #manyBlock: Block | undefined
  #onesOfGroup: number[][] = []
  /** Steps at which a group got a result, for filling in the "many" side. */
  #matched: Uint8Array | undefined
  readonly #manyRow: Row
  #manyAt = -1
  #at = 0

  constructor(node: BinaryNode, left: Operator, right: Operator, context: QueryContext, grid: Grid) {
    const matching = node.matching!
    this.#node = node
    this.#matching = matching
    this.#swapped = matching.card === 'one-to-many'
    this.#many = this.#swapped ? right : left
    this.#one = this.#swapped ? left : right
    // Fill values are named by side of the text, sides here by role; Prometheus swaps the operands but not
    // the values.
    this.#fillOne = matching.fillRight
    this.#fillMany = matching.fillLeft
    this.#context = context
    this.#grid = grid
    this.#samples = new BinarySamples(node.op, context.annotations, node.position)
    this.#manyRow = createRow(grid.steps)
  }

  open(): readonly SeriesMeta[] {
    const { steps } = this.#grid
    const opened = this.#swapped
      ? this.#openBoth(this.#one, this.#many)
      : this.#openBoth(this.#many, this.#one)
    const [manySeries, oneSeries] = this.#swapped ? [opened[1], opened[0]] : opened
    const groups = this.#swapped
      ? new MatchGroups(oneSeries, manySeries, this.#matching)
      : new MatchGroups(manySeries, oneSeries, this.#matching)
    const [manyGroup, oneGroup] = this.#swapped ? [groups.right, groups.left] : [groups.left, groups.right]
    this.#oneBlock = drain(alreadyOpen(this.#one, oneSeries), this.#context, steps)
    this.#onesOfGroup = Array.from({ length: groups.count }, () => [])
    oneGroup.forEach((group, i) => this.#onesOfGroup[group]!.push(i))
    if (this.#onesOfGroup.some((ones) => ones.length > 1)) {
      this.#manyBlock = drain(alreadyOpen(this.#many, manySeries), this.#context, steps)
      this.#checkOneSide(this.#manyBlock, this.#oneBlock)
    }
    if (this.#fillMany !== undefined) {
      this.#context.chargeHeap(groups.count * steps)
      this.#matched = new Uint8Array(groups.count * steps)
    }
    return this.#announce(manySeries, oneSeries, manyGroup, oneGroup)
  }

  #openBoth(first: Operator, second: Operator): [readonly SeriesMeta[], readonly SeriesMeta[]] {
    const firstSeries = first.open()
    return [firstSeries, second.open()]
  }

  /** Lists the pairs and their labels. */
  #announce(
    many: readonly SeriesMeta[],
    one: readonly SeriesMeta[],
    manyGroup: Uint32Array,
    oneGroup: Uint32Array,
  ): readonly SeriesMeta[] {
    this.#context.chargeHeap((many.length + one.length) * SERIES_BYTES)
    const announced: SeriesMeta[] = []
    const flagsOf = new Map<string, { pairs: number; flags: Uint8Array | undefined }>()
    const planned: { many: number; one: number; group: number; key: string }[] = []
    const oneToOne = this.#matching.card === 'one-to-one'
    const add = (manyAt: number, oneAt: number, group: number): void => {
      const manyLabels = manyAt < 0 ? matchLabels(one[oneAt]!.labels, this.#matching) : many[manyAt]!.labels
      const oneLabels = oneAt < 0 ? matchLabels(many[manyAt]!.labels, this.#matching) : one[oneAt]!.labels
      const labels = this.#resultLabels(manyLabels, oneLabels)
      announced.push({ labels, dropName: this.#node.bool })
      const key = oneToOne ? String(group) : `${group} ${labels.key()}`
      const known = flagsOf.get(key)
      if (known) known.pairs++
      else flagsOf.set(key, { pairs: 1, flags: undefined })
      planned.push({ many: manyAt, one: oneAt, group, key })
    }
    for (let i = 0; i < many.length; i++) {
      const group = manyGroup[i]!
      for (const oneAt of this.#onesOfGroup[group]!) add(i, oneAt, group)
      if (this.#fillOne !== undefined) add(i, -1, group)
    }
    if (this.#fillMany !== undefined) for (let i = 0; i < one.length; i++) add(-1, i, oneGroup[i]!)
    for (const entry of flagsOf.values()) {
      if (entry.pairs < 2) continue
      this.#context.chargeHeap(this.#grid.steps)
      entry.flags = new Uint8Array(this.#grid.steps)
    }
    this.#pairs = planned.map(({ key, ...pair }) => ({ ...pair, flags: flagsOf.get(key)!.flags }))
    return announced
  }

  #resultLabels(many: Labels, one: Labels): Labels {
    const { card, on, labels, include } = this.#matching
    let result = many
    if ((this.#node.bool && !this.#context.delayedNames) || changesMeaning(this.#node.op))
      result = dropMetadata(result)
    if (card === 'one-to-one') result = on ? result.keep(new Set(labels)) : result.drop(new Set(labels))
    for (const name of include) result = withLabel(result, name, one.get(name))
    return result
  }

  /** Two series of one match group on the "one" side at one step: nobody can tell which is meant. */
  #checkOneSide(many: Block, one: Block): void {
    const { steps } = this.#grid
    const filled = this.#fillOne !== undefined || this.#fillMany !== undefined
    const anyMany = new Uint8Array(steps)
    for (let i = 0; i < many.kinds.length; i++) if (many.kinds[i] !== KIND.absent) anyMany[i % steps] = 1
    for (const ones of this.#onesOfGroup) {
      if (ones.length < 2) continue
      for (let step = 0; step < steps; step++) {
        if (anyMany[step] === 0 && !filled) continue
        const present = ones.filter((i) => one.kinds[i * steps + step] !== KIND.absent)
        if (present.length > 1) throw this.#ambiguous(one.series[present[0]!]!, one.series[present[1]!]!)
      }
    }
  }

  #ambiguous(first: SeriesMeta, second: SeriesMeta): Error {
    const group = matchLabels(second.labels, this.#matching).toString()
    const side = this.#swapped ? 'left' : 'right'
    const names = [first.labels.toString(), second.labels.toString()].sort().join(', ')
    return executionError(
      `found duplicate series for the match group ${group} on the ${side} hand-side of the operation: [${names}]` +
        ';many-to-many matching not allowed: matching labels must be unique on one side',
    )
  }

  next(row: Row): void {
    const pair = this.#pairs[this.#at++]!
    this.#context.poll()
    clearRow(row)
    if (pair.many >= 0) this.#loadMany(pair.many)
    const many = this.#manyRow
    const plain = pair.many >= 0 && pair.one >= 0 && pair.flags === undefined && this.#matched === undefined
    const noHistograms = !many.hasHistograms && this.#oneBlock!.histograms.size === 0
    if (plain && noHistograms && changesMeaning(this.#node.op)) this.#arithmeticRow(pair, row)
    else for (let step = 0; step < this.#grid.steps; step++) this.#step(pair, step, row)
  }

  #loadMany(index: number): void {
    while (this.#manyAt < index) {
      this.#manyAt++
      if (this.#manyBlock !== undefined) {
        this.#manyAt = index
        loadRow(this.#manyBlock, index, this.#manyRow)
      } else this.#many.next(this.#manyRow)
    }
  }

  /** Both sides are floats where they are anything. */
  #arithmeticRow(pair: Pair, row: Row): void {
    const { steps } = this.#grid
    const block = this.#oneBlock!
    const from = pair.one * steps
    const one = block.values.subarray(from, from + steps)
    const many = this.#manyRow
    if (this.#swapped) arithmeticRows(this.#node.op, one, many.values, row.values)
    else arithmeticRows(this.#node.op, many.values, one, row.values)
    for (let i = 0; i < steps; i++) row.kinds[i] = many.kinds[i]! & block.kinds[from + i]!
  }

  #step(pair: Pair, step: number, row: Row): void {
    const { steps } = this.#grid
    const one = this.#oneBlock!
    const many = this.#manyRow
    let manyKind: number = KIND.float
    let manyValue = this.#fillMany ?? 0
    if (pair.many >= 0) {
      manyKind = many.kinds[step]!
      manyValue = many.values[step]!
    } else if (this.#matched![pair.group * steps + step] !== 0) return
    let oneKind: number = KIND.float
    let oneValue = this.#fillOne ?? 0
    if (pair.one >= 0) {
      oneKind = one.kinds[pair.one * steps + step]!
      oneValue = one.values[pair.one * steps + step]!
    } else if (this.#hasOne(pair.group, step)) return
    if (manyKind === KIND.absent || oneKind === KIND.absent) return
    const manyH = manyKind === KIND.histogram ? many.histograms[step] : undefined
    const oneH = oneKind === KIND.histogram ? one.histograms.get(pair.one * steps + step) : undefined
    const samples = this.#samples
    const kind = this.#swapped
      ? samples.apply(oneValue, manyValue, oneH, manyH)
      : samples.apply(manyValue, oneValue, manyH, oneH)
    if (kind === IMPOSSIBLE) return
    if (pair.flags !== undefined) {
      if (pair.flags[step] !== 0) throw this.#multiple()
      pair.flags[step] = 1
    }
    if (this.#matched !== undefined && pair.many >= 0) this.#matched[pair.group * steps + step] = 1
    this.#put(kind, step, row)
  }

  #put(kind: number, step: number, row: Row): void {
    const samples = this.#samples
    if (this.#node.bool) {
      row.kinds[step] = KIND.float
      row.values[step] = samples.holds ? 1 : 0
    } else if (samples.holds) {
      row.kinds[step] = kind
      row.values[step] = samples.value
      if (kind === KIND.histogram) {
        row.histograms[step] = samples.histogram
        row.hasHistograms = true
      }
    }
  }

  #hasOne(group: number, step: number): boolean {
    const { kinds, steps } = this.#oneBlock!
    return this.#onesOfGroup[group]!.some((i) => kinds[i * steps + step] !== KIND.absent)
  }

  #multiple(): Error {
    return executionError(
      this.#matching.card === 'one-to-one'
        ? 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)'
        : 'multiple matches for labels: grouping labels must ensure unique matches',
    )
  }
}

function alreadyOpen(operator: Operator, series: readonly SeriesMeta[]): Operator {
  return { open: () => series, next: (row) => operator.next(row) }
}
