// Conformance of rules: unit tests of rule files (unit_tests.jsonl) and the templates in rules (templates.jsonl) of a
// `rules` folder. Templates named upstream run a bare text on a value of their own; the others are annotations of an
// alert.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readJsonLines } from './lines.mjs'
import { runTool, within } from './promtool.mjs'
import {
  AlertTemplate,
  GoSlice,
  TemplateSet,
  prometheusFunctions,
  templateSample,
} from '../../packages/template/dist/index.js'

/** Runs the cases of a folder; one result a case. */
export async function run(folder) {
  return [...(await runUnitTests(folder)), ...(await runTemplates(folder))]
}

/** `promtool test rules` has to give the same text and code. */
async function runUnitTests(folder) {
  const file = join(folder, 'unit_tests.jsonl')
  if (!existsSync(file)) return []
  const cases = readJsonLines(file)
  return within(join(folder, 'files'), async () => {
    const results = []
    for (const { id, args, file: path, exit, stdout, stderr } of cases) {
      const got = await runTool(['test', 'rules', ...args, path])
      const passed = got.exit === exit && got.stdout === stdout && got.stderr === stderr
      const problem = `got ${JSON.stringify(got)}, want ${JSON.stringify({ exit, stdout, stderr })}`
      results.push({ name: id, passed, ...(!passed && { problem }) })
    }
    return results
  })
}

async function runTemplates(folder) {
  const file = join(folder, 'templates.jsonl')
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  return Promise.all(lines.map(result))
}

async function result(line) {
  const testCase = JSON.parse(line)
  const want = testCase.error === undefined ? { output: testCase.output } : { error: testCase.error }
  const got = await attempt(testCase, line)
  const passed = got.output === want.output && got.error === want.error
  const problem = `${JSON.stringify(testCase.text)}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`
  return { name: testCase.id, passed, ...(!passed && { problem }) }
}

async function attempt(testCase, line) {
  let phase = 'parsing'
  try {
    if (testCase.html) return { error: 'templates of HTML are not there' }
    const context = contextOf(testCase)
    const execute =
      testCase.source === 'own' ? ownTemplate(testCase) : upstreamTemplate(testCase, line, context)
    phase = 'executing'
    return { output: await execute(context) }
  } catch (error) {
    return { error: `error ${phase} template test: ${error.message}` }
  }
}

function contextOf({ nowMs, alertData, externalUrlForPathPrefix, queryResult = [] }) {
  return {
    nowMs,
    externalUrl: alertData?.externalURL ?? externalUrlForPathPrefix,
    query: async () => queryResult.map(({ labels, value }) => ({ labels, value: Number(value) })),
  }
}

function ownTemplate({ text, alertData }) {
  const template = new AlertTemplate('test', text)
  const { labels, externalLabels, externalURL: externalUrl, value } = alertData
  return (context) =>
    template.expand(
      { labels, externalLabels, externalUrl, value: Number(value) },
      {
        ...context,
        externalUrl: 'http://testhost:9090/path/prefix',
      },
    )
}

function upstreamTemplate(testCase, line, context) {
  const set = new TemplateSet(prometheusFunctions(context))
  set.add('test', testCase.text)
  const missingKey = testCase.options?.includes('missingkey=error') ? 'error' : 'zero'
  return () => set.execute('test', inputOf(testCase, line), { missingKey })
}

/** The dot of a template, with integers as exact as the file has them. */
function inputOf({ input, inputType }, line) {
  const raw = /"input": ?(\[[^\]]*\]|"[^"]*"|[^,}]*)/.exec(line)?.[1] ?? ''
  switch (inputType) {
    case undefined:
      return input
    case 'int':
    case 'uint':
      return BigInt(raw)
    case '*template.sample':
      return templateSample({ labels: {}, value: `{count:${input.Value.Count}, sum:${input.Value.Sum}}` })
    case '[]string':
      return new GoSlice(inputType, input)
    case '[]float64':
      return new GoSlice(inputType, Array.isArray(input) ? input : input.slice(1, -1).split(' ').map(goFloat))
    default:
      return new GoSlice(
        inputType,
        raw
          .slice(1, -1)
          .split(',')
          .map((item) => BigInt(item.trim())),
      )
  }
}

function goFloat(text) {
  return Number(text.replace('Inf', 'Infinity'))
}
