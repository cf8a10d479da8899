// npm run conformance -- DIR [KIND…]: runs the cases of a data folder, which has a subfolder a kind, against the built
// code. Each kind has a runner in tools/conformance/KIND.mjs whose `run(folder)` gives
// [{ name, passed, problem? }] with names that stay the same from run to run.
//
// Prints the failures and then a line a kind, `promql: 1200 passed, 3 failed`. Ends with code 1 when a case fails that
// docs/conformance-known-gaps.json does not list; that list may only shrink.
//   --no-known-gaps  no failure is excused
//   --strict         a listed case that passes is an error too
//   --no-build       takes the code as it was built last
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build, install, root } from './prepare.mjs'

const KNOWN_GAPS = join(root, 'docs', 'conformance-known-gaps.json')
const PROBLEM_CHARACTERS_MAX = 2000
const FLAGS = ['--no-known-gaps', '--strict', '--no-build']

const flags = new Set(process.argv.slice(2).filter((argument) => argument.startsWith('--')))
const [directory, ...wanted] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))

/** Names of the cases of each kind that are known to fail. */
function readKnownGaps() {
  if (flags.has('--no-known-gaps') || !existsSync(KNOWN_GAPS)) return {}
  return JSON.parse(readFileSync(KNOWN_GAPS, 'utf8'))
}

function kindsOf(folder) {
  if (wanted.length > 0) return wanted
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

/** Prints what a case has to say and returns true when it must make the run fail. */
function report(kind, { name, passed, problem = '' }, known) {
  if (passed) {
    if (!known.has(name)) return false
    console.log(`${kind}: ${name}: listed but passes: remove it`)
    return flags.has('--strict')
  }
  const text =
    problem.length > PROBLEM_CHARACTERS_MAX ? `${problem.slice(0, PROBLEM_CHARACTERS_MAX)} …` : problem
  console.log(`${known.has(name) ? 'known gap' : 'FAIL'} ${kind}: ${name}: ${text}`)
  return !known.has(name)
}

/** Runs one kind; returns its summary line and whether it makes the run fail. */
async function runKind(kind, folder, known) {
  if (!existsSync(folder)) return { line: `${kind}: no such folder: ${folder}`, failed: true }
  const runner = join(import.meta.dirname, 'conformance', `${kind}.mjs`)
  if (!existsSync(runner)) return { line: `${kind}: skipped (no runner yet)`, failed: wanted.includes(kind) }
  let results
  try {
    const { run } = await import(runner)
    results = await run(folder)
  } catch (error) {
    return { line: `${kind}: cannot run: ${error.stack ?? error}`, failed: true }
  }
  const verdicts = results.map((result) => report(kind, result, known))
  const passed = results.filter((result) => result.passed).length
  const line = `${kind}: ${passed} passed, ${results.length - passed} failed`
  return { line, failed: verdicts.includes(true) }
}

async function runAll() {
  const folder = resolve(directory)
  const knownGaps = readKnownGaps()
  const summaries = []
  for (const kind of kindsOf(folder))
    summaries.push(await runKind(kind, join(folder, kind), new Set(knownGaps[kind] ?? [])))
  for (const { line } of summaries) console.log(line)
  return summaries.some(({ failed }) => failed) ? 1 : 0
}

async function start() {
  const unknownFlag = [...flags].find((flag) => !FLAGS.includes(flag))
  if (directory === undefined || unknownFlag !== undefined) {
    console.error(`usage: npm run conformance -- DIR [KIND…] ${FLAGS.map((flag) => `[${flag}]`).join(' ')}`)
    return 2
  }
  if (!flags.has('--no-build')) {
    try {
      install()
      build()
    } catch (error) {
      console.error(error.message)
      return error.exitCode ?? 1
    }
  }
  return runAll()
}

process.exitCode = await start()
