// Conformance of configuration files: prometheus.jsonl and rules.jsonl (is a file accepted?) and effective.jsonl (the
// configuration as the server shows it) of a `config` folder. Paths in the files are relative to the kind's folder.
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import { loadConfig, parseConfig } from '../../apps/server/dist/config/index.js'
import { loadRuleFile } from '../../apps/server/dist/rules/index.js'
import { readJsonLines } from './lines.mjs'

/** Runs the cases of a folder; one result a case. */
export async function run(folder) {
  return [
    ...within(join(folder, 'files', 'prometheus'), () =>
      readJsonLines(join(folder, 'prometheus.jsonl')).map((testCase) => accepts(testCase, loadConfig)),
    ),
    ...within(join(folder, 'files', 'rules'), () =>
      readJsonLines(join(folder, 'rules.jsonl')).map((testCase) => accepts(testCase, loadRuleFile)),
    ),
    ...within(join(folder, 'files', 'prometheus'), () =>
      readJsonLines(join(folder, 'effective.jsonl')).map(effective),
    ),
  ]
}

function within(dir, body) {
  const before = process.cwd()
  try {
    process.chdir(dir)
    return body()
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  } finally {
    process.chdir(before)
  }
}

/** The first run of a case checks the syntax of its file. */
function accepts({ id, runs: [{ args, exit, stderr }] }, load) {
  let fault
  try {
    load(args.at(-1))
  } catch (error) {
    fault = error.message
  }
  const passed = (fault === undefined) === (exit === 0)
  const problem = fault === undefined ? `accepted, want: ${stderr.trim()}` : `refused: ${fault}`
  return { name: id, passed, ...(!passed && { problem }) }
}

function effective({ id, input, yaml }) {
  let got
  try {
    got = parseConfig(input, 'prometheus.yml', { allowUnsupported: true }).effectiveYaml
  } catch (error) {
    return { name: id, passed: false, problem: `refused: ${error.message}` }
  }
  const passed = isDeepStrictEqual(parse(got), parse(yaml))
  return { name: id, passed, ...(!passed && { problem: differences(got, yaml) }) }
}

function differences(got, want) {
  const only = (a, b) => a.split('\n').filter((line) => line.trim() !== '' && !b.split('\n').includes(line))
  return `only in ours: ${JSON.stringify(only(got, want))}, only in theirs: ${JSON.stringify(only(want, got))}`
}
