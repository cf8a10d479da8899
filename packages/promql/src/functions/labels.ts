// label_replace and label_join: they look at labels only, samples pass through.
import { compileRe2, type Labels } from '@watchfire/datamodel'
import { SERIES_BYTES } from '../exec/block.ts'
import { executionError, type QueryContext } from '../exec/context.ts'
import { withLabel } from '../exec/labels.ts'
import type { Operator, Row, SeriesMeta } from '../exec/operator.ts'
import { stringArgument, type CallBuilder, type CallContext } from './call.ts'

export const LABEL_FUNCTIONS: ReadonlyMap<string, CallBuilder> = new Map<string, CallBuilder>([
  ['label_replace', labelReplace],
  ['label_join', labelJoin],
])

/** Gives every series new labels. */
class Relabel implements Operator {
  readonly #inner: Operator
  readonly #target: string
  /** Value of the target label; undefined leaves the series alone. */
  readonly #valueOf: (labels: Labels) => string | undefined
  readonly #context: QueryContext

  constructor(
    inner: Operator,
    context: QueryContext,
    target: string,
    valueOf: (labels: Labels) => string | undefined,
  ) {
    this.#inner = inner
    this.#context = context
    this.#target = target
    this.#valueOf = valueOf
  }

  open(): readonly SeriesMeta[] {
    const series = this.#inner.open()
    this.#context.chargeHeap(series.length * SERIES_BYTES)
    return series.map((meta) => {
      const value = this.#valueOf(meta.labels)
      if (value === undefined) return meta
      const dropName = this.#target === '__name__' ? false : meta.dropName
      return { labels: withLabel(meta.labels, this.#target, value), dropName }
    })
  }

  next(row: Row): void {
    this.#inner.next(row)
  }
}

function labelReplace({ node, build, context }: CallContext): Operator {
  const [target, replacement, source, pattern] = [1, 2, 3, 4].map((i) => stringArgument(node, i)) as [
    string,
    string,
    string,
    string,
  ]
  let regex: ReturnType<typeof compileRe2>
  try {
    regex = compileRe2(`^(?s:${pattern})$`, pattern)
  } catch {
    throw executionError(`invalid regular expression in label_replace(): ${pattern}`)
  }
  checkLabelName('destination', 'label_replace', target)
  const template = parseTemplate(replacement)
  const known = new Map<string, string | undefined>()
  return new Relabel(build(node.args[0]!), context, target, (labels) => {
    const value = labels.get(source)
    if (known.has(value)) return known.get(value)
    const matcher = regex.matcher(value)
    const result = matcher.find() ? expand(template, (group) => groupOf(matcher, group), context) : undefined
    known.set(value, result)
    return result
  })
}

interface Groups {
  group(group: number | string): string | null
  groupCount(): number
}

function groupOf(matcher: Groups, group: string): string {
  if (/^\d+$/.test(group))
    return Number(group) <= matcher.groupCount() ? (matcher.group(Number(group)) ?? '') : ''
  try {
    return matcher.group(group) ?? ''
  } catch {
    return '' // no such group
  }
}

/** A piece of text, or a reference to a group. */
type Piece = { readonly text: string } | { readonly group: string }

/** `$1`, `$name`, `${name}` and `$$`; anything else stays as it is. */
function parseTemplate(template: string): Piece[] {
  const pieces: Piece[] = []
  let rest = template
  for (;;) {
    const at = rest.indexOf('$')
    if (at < 0) break
    pieces.push({ text: rest.slice(0, at) })
    rest = rest.slice(at)
    const match = /^\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/u.exec(rest)
    if (match === null) {
      pieces.push({ text: '$' })
      rest = rest.slice(1)
      continue
    }
    const group = match[1] ?? match[2]
    pieces.push(group === undefined ? { text: '$' } : { group })
    rest = rest.slice(match[0].length)
  }
  pieces.push({ text: rest })
  return pieces
}

function expand(
  template: readonly Piece[],
  valueOf: (group: string) => string,
  context: QueryContext,
): string {
  const texts = template.map((piece) => ('text' in piece ? piece.text : valueOf(piece.group)))
  return joinAccounted(texts, '', context)
}

/** Joined texts count against the budget before they are made: nested calls may double them each time. */
function joinAccounted(texts: readonly string[], separator: string, context: QueryContext): string {
  let length = separator.length * texts.length
  for (const text of texts) length += text.length
  context.chargeHeap(length)
  return texts.join(separator)
}

function labelJoin({ node, build, context }: CallContext): Operator {
  const target = stringArgument(node, 1)
  const separator = stringArgument(node, 2)
  const sources = node.args.slice(3).map((_, i) => stringArgument(node, i + 3))
  for (const source of sources) checkLabelName('source', 'label_join', source)
  checkLabelName('destination', 'label_join', target)
  return new Relabel(build(node.args[0]!), context, target, (labels) =>
    joinAccounted(
      sources.map((source) => labels.get(source)),
      separator,
      context,
    ),
  )
}

function checkLabelName(role: string, name: string, label: string): void {
  const lone = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/
  if (label === '' || lone.test(label) || label.includes('\uFFFD'))
    throw executionError(`invalid ${role} label name in ${name}(): ${label}`)
}
