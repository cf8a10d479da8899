// Conformance of relabelling and of the regular expressions: relabel.jsonl and regex.jsonl of a `relabel` folder.
import { join } from 'node:path'
import { parseConfig } from '../../apps/server/dist/config/index.js'
import {
  compileRelabel,
  expand,
  matchWhole,
  parseTemplate,
  relabel,
} from '../../apps/server/dist/relabel/index.js'
import { Labels, compileAnchored, compileRe2 } from '../../packages/datamodel/dist/index.js'
import { readJsonLines } from './lines.mjs'

/** Runs the cases of a folder; one result a case. */
export async function run(folder) {
  const cases = [
    ...readJsonLines(join(folder, 'relabel.jsonl')).map((testCase) => [testCase, relabelProblem]),
    ...readJsonLines(join(folder, 'regex.jsonl')).map((testCase) => [testCase, regexProblem]),
  ]
  return cases.map(([testCase, check]) => {
    const problem = check(testCase)
    return { name: testCase.id, passed: problem === undefined, ...(problem && { problem }) }
  })
}

/** Rules as the configuration reads them. */
function compile(rules, validation) {
  const indented = rules.replace(/^(?=.)/gm, '      ')
  const text = `scrape_configs:\n  - job_name: x\n    metric_name_validation_scheme: ${validation}\n    metric_relabel_configs:\n${indented}\n`
  return compileRelabel(parseConfig(text, 'prometheus.yml').scrapeConfigs[0].metricRelabelConfigs, {
    validation,
  })
}

function relabelProblem({ labels, relabel_configs: configs, validation, keep, output, error }) {
  let rules
  try {
    rules = compile(configs, validation)
  } catch (thrown) {
    if (error === undefined) return `refused: ${thrown.message}`
    return error === 'null relabel rule' ||
      thrown.message.includes(
        error
          .split('\n')
          .at(-1)
          .replace(/^ *line \d+: /, ''),
      )
      ? undefined
      : `refused with ${JSON.stringify(thrown.message)}, want ${JSON.stringify(error)}`
  }
  if (error !== undefined) return `accepted, want ${JSON.stringify(error)}`
  const got = relabel(Labels.from(labels), rules)
  if ((got !== undefined) !== keep) return keep ? 'dropped' : 'kept'
  if (!keep) return undefined
  return got.equals(Labels.from(output)) ? undefined : `got ${got}, want ${Labels.from(output)}`
}

function regexProblem({ regex, results, error }) {
  let matcher
  let re
  try {
    matcher = compileAnchored(regex)
    re = compileRe2(`^(?s:${regex})$`, regex)
  } catch (thrown) {
    return error === undefined ? `refused: ${thrown.message}` : undefined
  }
  if (error !== undefined) return `accepted, want ${JSON.stringify(error)}`
  const template = parseTemplate('<$0|$1|$2|${n}>')
  for (const [text, want] of Object.entries(results)) {
    const match = matchWhole(re, text)
    const got = match === undefined ? null : expand(template, match)
    if (got !== want) return `${JSON.stringify(text)}: got ${got}, want ${want}`
    if (matcher.matches(text) !== (want !== null))
      return `${JSON.stringify(text)}: fast path ${matcher.matches(text)}`
  }
  return undefined
}
