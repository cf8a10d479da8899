// Asks two servers that hold the same samples the same random queries and lists where their answers differ:
//   node e2e/differential/differential.mjs --reference http://127.0.0.1:9090 --own http://127.0.0.1:9091
//     [--queries 1000] [--seed 1] [--show 20]
// Ends with 1 when differences are left that `known.mjs` does not explain. Both servers are expected to be at rest
// (nothing scraped meanwhile): names, labels and the time range are learnt from the reference.
import { parseArgs } from 'node:util'
import { difference } from './compare.mjs'
import { explain } from './known.mjs'
import { createQueries } from './queries.mjs'

const { values: args } = parseArgs({
  options: {
    reference: { type: 'string' },
    own: { type: 'string' },
    queries: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    show: { type: 'string', default: '20' },
  },
})
if (!args.reference || !args.own) throw new Error('--reference and --own are needed')

async function ask(base, { path, params }) {
  const body = new URLSearchParams({ ...params, timeout: '20s' })
  const reply = await fetch(new URL(path, base), {
    method: 'POST',
    body,
    signal: AbortSignal.timeout(30_000),
  })
  return reply.json()
}

/** The metrics with their series, and from when to when there are samples. */
async function learn(base) {
  const at = Math.floor(Date.now() / 1000)
  const params = { query: '{__name__=~".+"}', time: String(at) }
  const span = await ask(base, {
    path: '/api/v1/query_range',
    params: { query: 'group({__name__=~".+"})', start: String(at - 86_400), end: String(at), step: '60' },
  })
  const times = span.data.result[0].values.map(([time]) => time)
  params.time = String(times.at(-1))
  const { data } = await ask(base, { path: '/api/v1/query', params })
  const metrics = new Map()
  for (const { metric } of data.result) {
    const name = metric.__name__
    if (!metrics.has(name)) metrics.set(name, [])
    metrics.get(name).push(metric)
  }
  return { metrics, startSeconds: times[0], endSeconds: times.at(-1) }
}

const known = await learn(args.reference)
console.log(`${known.metrics.size} metrics, ${known.endSeconds - known.startSeconds} s of samples`)
const queries = createQueries({ ...known, seed: Number(args.seed) })
const counts = { same: 0, errors: 0, explained: new Map(), different: 0 }
for (let i = 0; i < Number(args.queries); i++) {
  const query = queries.next()
  const [reference, own] = await Promise.all([ask(args.reference, query), ask(args.own, query)])
  const found = difference(reference, own)
  if (found === undefined) {
    counts.same++
    if (reference.status === 'error') counts.errors++
    continue
  }
  const reason = explain(query, found)
  if (reason !== undefined) {
    counts.explained.set(reason, (counts.explained.get(reason) ?? 0) + 1)
    continue
  }
  if (counts.different++ < Number(args.show)) console.log(`${JSON.stringify(query)}\n  ${found}`)
}
console.log(`${counts.same} the same (${counts.errors} of them errors), ${counts.different} different`)
for (const [reason, count] of counts.explained) console.log(`${count} explained: ${reason}`)
process.exitCode = counts.different > 0 ? 1 : 0
