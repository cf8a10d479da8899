// Targets, their metadata, scrape pools, Alertmanagers.
import type { FastifyInstance } from 'fastify'
import { Labels, matchesAll, type Matcher } from '@watchfire/datamodel'
import { parseMetricSelector } from '@watchfire/promql/parser'
import type { TargetMetadata } from '../ingest/contract.ts'
import { ApiError, param } from './errors.ts'
import type { WebOptions } from './options.ts'
import { Params, parseInteger } from './params.ts'
import { sendData } from './reply.ts'
import { timeText } from './time-text.ts'

/** Registers the routes under `/api/v1`. */
export function registerTargetsApi(app: FastifyInstance, options: WebOptions): void {
  app.get('/targets', async (request, reply) => {
    const params = new Params(request)
    const pool = params.url('scrapePool')
    const state = params.url('state').toLowerCase()
    const showActive = ['', 'any', 'active'].includes(state)
    const showDropped = ['', 'any', 'dropped'].includes(state)
    const wanted = (target: { readonly scrapePool: string }) => pool === '' || target.scrapePool === pool
    const snapshot = await options.ingest.targets()
    const active = showActive ? snapshot.active.filter(wanted) : []
    const dropped = showDropped ? snapshot.dropped.filter(wanted) : []
    return sendData(reply, {
      activeTargets: byPool(active).map((target) => ({
        discoveredLabels: target.discoveredLabels,
        labels: target.labels,
        scrapePool: target.scrapePool,
        scrapeUrl: target.scrapeUrl,
        globalUrl: target.globalUrl,
        lastError: target.lastError,
        lastScrape: timeText(target.lastScrapeMs),
        lastScrapeDuration: target.lastScrapeDurationSeconds,
        health: target.health,
        scrapeInterval: target.scrapeInterval,
        scrapeTimeout: target.scrapeTimeout,
      })),
      droppedTargets: byPool(dropped).map(({ discoveredLabels, scrapePool }) => ({
        discoveredLabels,
        scrapePool,
      })),
      droppedTargetCounts: showDropped ? snapshot.droppedCounts : null,
    })
  })

  app.get('/targets/metadata', async (request, reply) => {
    const params = new Params(request)
    const limit = numberParam(params, 'limit')
    const matchTarget = params.get('match_target')
    const matchers: readonly Matcher[] =
      matchTarget === '' ? [] : param('match_target', () => parseMetricSelector(matchTarget))
    const metric = params.get('metric')
    const found = (await options.ingest.metadata()).filter(
      (entry) =>
        (metric === '' || entry.metric === metric) &&
        (matchers.length === 0 || matchesAll(matchers, Labels.from(entry.target))),
    )
    return sendData(
      reply,
      limitTargets(found, limit).map((entry) => ({
        target: entry.target,
        ...(metric === '' && { metric: entry.metric }),
        type: entry.type,
        help: entry.help,
        unit: entry.unit,
      })),
    )
  })

  app.get('/metadata', async (request, reply) => {
    const params = new Params(request)
    const limit = numberParam(params, 'limit')
    const perMetric = numberParam(params, 'limit_per_metric')
    const metric = params.get('metric')
    const families = new Map<string, Map<string, object>>()
    for (const entry of await options.ingest.metadata()) {
      if (metric !== '' && entry.metric !== metric) continue
      let known = families.get(entry.metric)
      if (!known) {
        if (limit >= 0 && families.size >= limit) continue
        families.set(entry.metric, (known = new Map()))
      }
      if (perMetric > 0 && known.size >= perMetric) continue
      const value = { type: entry.type, unit: entry.unit, help: entry.help }
      known.set(JSON.stringify(value), value)
    }
    return sendData(
      reply,
      Object.fromEntries([...families].map(([name, known]) => [name, [...known.values()]])),
    )
  })

  app.get('/scrape_pools', async (_request, reply) =>
    sendData(reply, { scrapePools: [...options.server.scrapePools].sort() }),
  )

  app.get('/alertmanagers', async (_request, reply) => {
    const urls = (list: readonly string[]) => list.map((url) => ({ url }))
    return sendData(reply, {
      activeAlertmanagers: urls(options.alertmanagers.active()),
      droppedAlertmanagers: urls(options.alertmanagers.dropped()),
    })
  })
}

function byPool<T extends { readonly scrapePool: string }>(targets: readonly T[]): T[] {
  return [...targets].sort((a, b) => (a.scrapePool < b.scrapePool ? -1 : a.scrapePool > b.scrapePool ? 1 : 0))
}

/** The limit is looked at between targets: what one target has is never cut. */
function limitTargets(found: readonly TargetMetadata[], limit: number): readonly TargetMetadata[] {
  if (limit < 0) return found
  for (let i = limit; i < found.length; i++) {
    const before = i === 0 ? undefined : JSON.stringify(found[i - 1]!.target)
    if (before !== JSON.stringify(found[i]!.target)) return found.slice(0, i)
  }
  return found
}

/** −1 when not given. */
function numberParam(params: Params, name: string): number {
  const text = params.get(name)
  if (text === '') return -1
  try {
    return parseInteger(text)
  } catch {
    throw new ApiError('bad_data', `${name} must be a number`)
  }
}
