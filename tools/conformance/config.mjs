// Conformance of configuration files: prometheus.jsonl, rules.jsonl and web.jsonl (how promtool ends on each file) and
// effective.jsonl (the configuration as the server shows it) of a `config` folder. Paths in the files are relative to
// the kind's folder. Codes have to be the same; texts are counted, and
// shown where they differ when CONFORMANCE_TEXTS is set.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import { parseConfig } from '../../apps/server/dist/config/index.js'
import { readJsonLines } from './lines.mjs'
import { runTool, within } from './promtool.mjs'

/** Runs the cases of a folder; one result a case. */
export async function run(folder) {
  const results = []
  const texts = { same: 0, other: 0 }
  for (const kind of ['prometheus', 'rules', 'web']) {
    const file = join(folder, `${kind}.jsonl`)
    if (!existsSync(file)) continue
    const cases = readJsonLines(file)
    results.push(
      ...(await within(join(folder, 'files', kind), async () => {
        const done = []
        for (const testCase of cases) done.push(await check(testCase, texts))
        return done
      })),
    )
  }
  console.log(`config: ${texts.same} texts are the same, ${texts.other} differ`)
  const effectives = join(folder, 'effective.jsonl')
  if (existsSync(effectives))
    results.push(
      ...(await within(join(folder, 'files', 'prometheus'), () => readJsonLines(effectives).map(effective))),
    )
  return results
}

/** All runs of a file have to end with their code. */
async function check({ id, runs }, texts) {
  const problems = []
  for (const { args, exit, stdout, stderr } of runs) {
    const got = await runTool(args.slice(1))
    const same = got.stdout === stdout && got.stderr === stderr
    texts[same ? 'same' : 'other']++
    if (process.env.CONFORMANCE_TEXTS && !same)
      console.log(`config: ${id}: got ${JSON.stringify(got)}, want ${JSON.stringify({ stdout, stderr })}`)
    if (got.exit !== exit && !withoutCertificates(got))
      problems.push(`${args.slice(1).join(' ')}: got ${JSON.stringify(got)}, want ${exit} ${stderr.trim()}`)
  }
  const passed = problems.length === 0
  return { name: id, passed, ...(!passed && { problem: problems.join('; ') }) }
}

/** Certificates are not part of the data: a check ends where it wants to read one. */
function withoutCertificates({ stderr }) {
  return / FAILED: failed to read (cert|key)_file /.test(stderr)
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
