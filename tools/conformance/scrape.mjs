// Conformance of scraping: the parsers (textparse.jsonl) and whole scrapes (scrapes.jsonl) of a `scrape` folder.
import { join } from 'node:path'
import { createParser } from '../../apps/server/dist/exposition/index.js'
import { formatGo, histogramLiteral } from '../../packages/datamodel/dist/index.js'
import { readJsonLines } from './lines.mjs'
import { runScrapes } from './scrape-runs.mjs'

/** Runs the cases of a folder; one result a case. */
export async function run(folder) {
  const parsed = readJsonLines(join(folder, 'textparse.jsonl')).map((testCase) => {
    const problem = differs(testCase)
    return { name: testCase.id, passed: problem === undefined, ...(problem && { problem }) }
  })
  return [...parsed, ...(await runScrapes(folder))]
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
  if (kind === 'series') out.value = formatGo(parser.value)
  else {
    out.histogram = histogramLiteral(parser.histogram)
    out.counterResetHint = parser.histogram.counterResetHint
    out.float = !parser.histogram.integer
  }
  if (parser.timestampMs !== undefined) out.timestampMs = parser.timestampMs
  const exemplars = parser.exemplars().map(({ labels, value, timestampMs }) => ({
    labels: labels.toObject(),
    value: formatGo(value),
    ...(timestampMs !== undefined && { timestampMs }),
  }))
  if (exemplars.length > 0) out.exemplars = exemplars
  const start = parser.startTimestampMs()
  if (start !== 0) out.startTimestampMs = start
  return out
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
