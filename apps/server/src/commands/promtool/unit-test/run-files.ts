// `promtool test rules`: runs test files and prints what failed.
import { writeFileSync } from 'node:fs'
import { compileRe2, quoteString } from '@watchfire/datamodel'
import type { ParserOptions } from '@watchfire/promql/parser'
import type { EngineFeatures } from '@watchfire/promql'
import { EXIT, type Io } from '../io.ts'
import { junitXml, type JunitCase, type JunitSuite } from './junit.ts'
import { runGroup } from './run-group.ts'
import { readTestFile } from './test-file.ts'

export interface TestRulesOptions {
  readonly files: readonly string[]
  /** Only groups whose name matches one of these regular expressions; empty = all. */
  readonly run: readonly string[]
  readonly diff: boolean
  readonly debug: boolean
  readonly ignoreUnknownFields: boolean
  /** Where results go as JUnit XML; '' = nowhere. */
  readonly junit: string
  readonly parser: ParserOptions
  readonly features: EngineFeatures
}

/** Answers with the exit code. */
export async function testRules(options: TestRulesOptions, io: Io): Promise<number> {
  const suites: JunitSuite[] = []
  let failed = false
  for (const path of options.files) {
    const suite = await runFile(path, options, io)
    suites.push(suite)
    const problems = suite.cases.flatMap(({ failures, error }) => (error === '' ? failures : [error]))
    if (problems.length === 0) io.out('  SUCCESS\n')
    else {
      failed = true
      io.err('  FAILED:\n')
      for (const problem of problems) {
        io.err(`${problem}\n`)
        io.out('\n')
      }
    }
    io.out('\n')
  }
  if (options.junit !== '') {
    try {
      writeFileSync(options.junit, junitXml(suites))
    } catch (error) {
      io.err(`failed to write JUnit XML: ${(error as Error).message}\n`)
    }
  }
  return failed ? EXIT.failure : EXIT.success
}

async function runFile(path: string, options: TestRulesOptions, io: Io): Promise<JunitSuite> {
  let file
  try {
    file = readTestFile(path)
  } catch (error) {
    return {
      name: path,
      timestamp: '',
      cases: [{ name: 'unknown', failures: [], error: (error as Error).message }],
    }
  }
  for (const pattern of file.unmatched) io.err(`  WARNING: no file match pattern ${pattern}\n`)
  const patterns = options.run.map((pattern) => compileRe2(pattern))
  const cases: JunitCase[] = []
  for (const [i, test] of file.tests.entries()) {
    if (patterns.length > 0 && !patterns.some((pattern) => pattern.test(test.name))) continue
    const name = test.name === '' ? `unnamed#${i}` : test.name
    const debug = options.debug ? (line: string) => io.err(`${line}\n`) : undefined
    debug?.(`DEBUG: Starting test ${name}`)
    const began = performance.now()
    const failures = await runGroup(test, file, { ...options, debug })
    debug?.(`DEBUG: Test ${name} finished, took ${(performance.now() - began).toFixed(3)}ms`)
    cases.push({ name, failures, error: '' })
  }
  const timestamp = new Date(io.now()).toISOString().slice(0, 19)
  return { name: path, timestamp, cases }
}

/** Throws an Error when a pattern of `--run` is no regular expression. */
export function checkRunPatterns(patterns: readonly string[]): void {
  for (const pattern of patterns) {
    try {
      compileRe2(pattern)
    } catch (error) {
      throw new Error(`invalid --run ${quoteString(pattern)}: ${(error as Error).message}`, { cause: error })
    }
  }
}
