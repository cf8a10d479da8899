// Conformance of the query engine: the test scripts of a `promql` folder, one case an evaluation, and the scripts that
// test the runner itself.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as promql from '../../packages/promql/dist/index.js'
import { runScript } from '../../packages/promql/dist/script/index.js'

/** Runs the cases of a folder; one result a case. */
export async function run(folder) {
  if (typeof promql.createEngine !== 'function') throw new Error('packages/promql has no createEngine yet')
  const files = readdirSync(folder).filter((name) => name.endsWith('.test'))
  const results = files.sort().flatMap((name) => runFile(name, readFileSync(join(folder, name), 'utf8')))
  const selfTests = join(folder, 'runner_self_tests.json')
  if (existsSync(selfTests)) results.push(...JSON.parse(readFileSync(selfTests, 'utf8')).map(runSelfTest))
  return results
}

function runFile(file, text) {
  const { evals, error } = runScript(text, promql.createEngine)
  const results = evals.map(({ line, expr, failure }) => ({
    name: `${file}:${line} ${expr}`,
    passed: failure === undefined,
    ...(failure !== undefined && { problem: failure }),
  }))
  if (error) results.push({ name: `${file}:${error.line}`, passed: false, problem: error.message })
  return results
}

/** A script that must pass when `error` is empty, and must fail (in whatever words) otherwise. */
function runSelfTest({ name, input, error: wanted }) {
  const { evals, error } = runScript(input, promql.createEngine)
  const got = error?.message ?? evals.find(({ failure }) => failure !== undefined)?.failure
  const passed = (got === undefined) === (wanted === '')
  const problem = got === undefined ? `passes, but must fail with: ${wanted}` : `fails: ${got}`
  return { name: `self test: ${name}`, passed, ...(!passed && { problem }) }
}
