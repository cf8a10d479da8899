// Conformance of the PromQL parser: expressions.jsonl, selectors.jsonl and series_descriptions.jsonl of a `parser` folder.
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { formatValue, histogramLiteral } from '../../packages/datamodel/dist/index.js'
import {
  ALL_EXPERIMENTS,
  ParseError,
  exprToJson,
  parseExpr,
  parseMetricSelector,
  parseSeriesDescription,
  prettyExpr,
  printExpr,
} from '../../packages/promql/dist/parser/index.js'
import { readJsonLines } from './lines.mjs'

const HINTS = ['unknown', 'reset', 'not_reset', 'gauge']
const ERROR_PREFIX = 'invalid parameter "query": '

/** Runs the cases of a folder; one result a case. */
export async function run(folder) {
  const cases = [
    ['expressions.jsonl', expressionProblem],
    ['selectors.jsonl', selectorProblem],
    ['series_descriptions.jsonl', seriesProblem],
  ].flatMap(([file, check]) => readJsonLines(join(folder, file)).map((testCase) => [testCase, check]))
  return cases.map(([testCase, check]) => {
    const problem = check(testCase)
    return { name: testCase.id, passed: problem === undefined, ...(problem && { problem }) }
  })
}

function expressionProblem({ input, inputHex, base, feat }) {
  const text = inputHex === undefined ? input : Buffer.from(inputHex, 'hex').toString('utf8')
  return (
    modeProblem('default features', text, base, undefined) ??
    modeProblem('all features', text, feat === 'same' ? base : feat, ALL_EXPERIMENTS)
  )
}

function modeProblem(mode, text, want, options) {
  const got = attempt(() => {
    const expr = parseExpr(text, options)
    return { ast: exprToJson(expr), pretty: prettyExpr(expr), string: printExpr(expr) }
  })
  const wanted = {}
  // A tree that JSON cannot hold is compared by its text alone.
  if (want.ok === false) wanted.error = want.error.slice(ERROR_PREFIX.length)
  else for (const key of ['ast', 'pretty', 'string']) if (want[key] !== undefined) wanted[key] = want[key]
  const problem = difference(text, got, wanted)
  return problem && `with ${mode}: ${problem}`
}

function selectorProblem({ input, matchers, error }) {
  const got = attempt(() => ({
    matchers: parseMetricSelector(input).map(({ name, type, value }) => [name, type, encoded(value)]),
  }))
  return difference(input, got, error === undefined ? { matchers } : { error })
}

function seriesProblem({ input, labels, values, error }) {
  const got = attempt(() => {
    const described = parseSeriesDescription(input)
    return { labels: described.labels.toObject(), values: described.values.map(shownValue) }
  })
  return difference(input, got, error === undefined ? { labels, values } : { error })
}

function shownValue(value) {
  switch (value.kind) {
    case 'omitted':
      return { omitted: true }
    case 'stale':
      return { value: 'StaleNaN' }
    case 'float':
      return { value: formatValue(value.value) }
    default:
      return { histogram: shownHistogram(value) }
  }
}

function shownHistogram({ histogram, hintSet }) {
  return {
    schema: histogram.schema,
    count: formatValue(histogram.count),
    sum: formatValue(histogram.sum),
    zeroCount: formatValue(histogram.zeroCount),
    zeroThreshold: formatValue(histogram.zeroThreshold),
    hint: HINTS[histogram.counterResetHint],
    hintSet,
    testExpression: histogramLiteral(histogram),
  }
}

/** Strings as they come out of JSON in UTF-8. */
function encoded(text) {
  return Buffer.from(text, 'utf8').toString('utf8')
}

function attempt(work) {
  try {
    return JSON.parse(JSON.stringify(work()))
  } catch (error) {
    if (!(error instanceof ParseError)) return { error: `not a ParseError: ${error.stack}` }
    return { error: error.message }
  }
}

/** Compares the fields that are wanted; an error that is not wanted shows as one. */
function difference(input, got, want) {
  for (const key of got.error === undefined ? Object.keys(want) : ['error', ...Object.keys(want)])
    if (!isDeepStrictEqual(got[key], want[key]))
      return `${JSON.stringify(input)}: ${key}: got ${JSON.stringify(got[key])}, want ${JSON.stringify(want[key])}`
  return undefined
}
