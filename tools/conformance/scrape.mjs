// Conformance of the exposition parsers: textparse.jsonl of a `scrape` folder.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createParser, formatGoG } from '../../apps/server/dist/exposition/index.js'

/** Runs the cases of a folder; one result a case. */
export async function run(folder) {
  return lines(join(folder, 'textparse.jsonl')).map((testCase) => {
    const problem = differs(testCase)
    return { name: testCase.id, passed: problem === undefined, ...(problem && { problem }) }
  })
}

function lines(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

function differs({ contentType, fallbackContentType, text, hex, options = {}, expect }) {
  const body = hex === undefined ? Buffer.from(text) : Buffer.from(hex, 'hex')
  const { parser, warning } = createParser(body, contentType, {
    typeAndUnitLabels: options.typeUnit,
    convertClassicToNhcb: options.nhcb,
    keepClassic: options.keepClassic,
    ignoreNativeHistograms: options.ignoreNative,
    skipStartTimestampSeries: options.skipST,
    fallbackContentType,
  })
  const got = { entries: [] }
  if (warning !== undefined) got.newError = warning
  try {
    for (let kind = parser?.next(); kind !== undefined; kind = parser.next())
      got.entries.push(entry(parser, kind))
  } catch (error) {
    if (error.name !== 'ExpositionError') throw error
    got.error = error.message
  }
  for (const key of ['error', 'newError'])
    if (got[key] !== expect[key]) return `${key}: got ${show(got[key])}, want ${show(expect[key])}`
  const want = expect.entries ?? []
  for (let i = 0; i < Math.max(want.length, got.entries.length); i++) {
    const a = canonical(got.entries[i])
    const b = canonical(want[i])
    if (a !== b) return `entry ${i}:\n    got  ${a}\n    want ${b}`
  }
  return undefined
}

function entry(parser, kind) {
  switch (kind) {
    case 'type':
      return { entry: kind, name: parser.familyName, type: parser.type }
    case 'help':
      return { entry: kind, name: parser.familyName, help: parser.help }
    case 'unit':
      return { entry: kind, name: parser.familyName, unit: parser.unit }
    case 'comment':
      return { entry: kind, comment: parser.comment }
    default:
      return sample(parser, kind)
  }
}

function sample(parser, kind) {
  const out = { entry: kind, labels: [...parser.labels()] }
  if (kind === 'series') out.value = formatGoG(parser.value)
  else {
    out.histogram = literal(parser.histogram)
    out.counterResetHint = parser.histogram.counterResetHint
    out.float = !parser.histogram.integer
  }
  if (parser.timestampMs !== undefined) out.timestampMs = parser.timestampMs
  const exemplars = parser.exemplars().map(({ labels, value, timestampMs }) => ({
    labels: labels.toObject(),
    value: formatGoG(value),
    ...(timestampMs !== undefined && { timestampMs }),
  }))
  if (exemplars.length > 0) out.exemplars = exemplars
  const start = parser.startTimestampMs()
  if (start !== 0) out.startTimestampMs = start
  return out
}

/** The notation of the PromQL test language. */
function literal(h) {
  const parts = []
  if (h.schema !== 0) parts.push(`schema:${h.schema}`)
  if (h.count !== 0) parts.push(`count:${formatGoG(h.count)}`)
  if (h.sum !== 0) parts.push(`sum:${formatGoG(h.sum)}`)
  if (h.zeroCount !== 0) parts.push(`z_bucket:${formatGoG(h.zeroCount)}`)
  if (h.zeroThreshold !== 0) parts.push(`z_bucket_w:${formatGoG(h.zeroThreshold)}`)
  if (h.schema === -53) parts.push(`custom_values:[${h.customValues.map(formatGoG).join(' ')}]`)
  const hint = ['', 'reset', 'not_reset', 'gauge'][h.counterResetHint]
  if (hint) parts.push(`counter_reset_hint:${hint}`)
  side(parts, 'offset', 'buckets', h.positiveSpans, h.positiveBuckets)
  side(parts, 'n_offset', 'n_buckets', h.negativeSpans, h.negativeBuckets)
  return `{{${parts.join(' ')}}}`
}

function side(parts, offsetKey, bucketsKey, spans, buckets) {
  if (buckets.length === 0) return
  const out = []
  let k = 0
  for (const [n, span] of spans.entries()) {
    if (n > 0) for (let gap = 0; gap < span.offset; gap++) out.push('0')
    for (let j = 0; j < span.length; j++) out.push(formatGoG(buckets[k++]))
  }
  if (spans[0].offset !== 0) parts.push(`${offsetKey}:${spans[0].offset}`)
  parts.push(`${bucketsKey}:[${out.join(' ')}]`)
}

function canonical(value) {
  return JSON.stringify(value, (_, inner) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

function show(value) {
  return value === undefined ? 'none' : JSON.stringify(value)
}
