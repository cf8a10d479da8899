// `promtool check service-discovery`: the targets of a job before and after relabelling, from the discoveries that the
// server itself uses.
import { setTimeout as delay } from 'node:timers/promises'
import { Labels, LabelsBuilder } from '@watchfire/datamodel'
import { loadConfig } from '../../config/index.ts'
import type { ScrapeConfig } from '../../config/types.ts'
import type { TargetGroup } from '../../discovery/contract.ts'
import { DiscoveryManager } from '../../discovery/index.ts'
import { createLogger } from '../../logger.ts'
import { compileRelabel, relabel } from '../../relabel/index.ts'
import { buildTargets } from '../../scrape/index.ts'
import { messageOf } from './check-config.ts'
import { EXIT, type Io } from './io.ts'

interface SdResult {
  readonly discoveredLabels: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly error?: string
}

/** Answers with the exit code; prints JSON. */
export async function checkServiceDiscovery(
  configFile: string,
  job: string,
  timeoutMs: number,
  io: Io,
): Promise<number> {
  let scrapes: readonly ScrapeConfig[]
  try {
    scrapes = loadConfig(configFile, { allowUnsupported: true }).scrapeConfigs
  } catch (error) {
    io.err(`Cannot load config ${messageOf(error)}\n`)
    return EXIT.failure
  }
  const scrape = scrapes.find(({ jobName }) => jobName === job)
  if (!scrape) {
    io.err(`Job ${job} not found. Select one of:\n${scrapes.map(({ jobName }) => `\t${jobName}\n`).join('')}`)
    return EXIT.failure
  }
  const groups = await discover(scrape, timeoutMs, io)
  const results = new Map<string, SdResult>()
  for (const group of groups)
    for (const target of group.targets) {
      const result = resultOf({ ...group, targets: [target] }, scrape)
      results.set(JSON.stringify(result), result)
    }
  io.out(JSON.stringify([...results.values()], undefined, 2))
  return EXIT.success
}

/** What the discoveries of a job find; those over the network are given all of the time. */
async function discover(scrape: ScrapeConfig, timeoutMs: number, io: Io): Promise<readonly TargetGroup[]> {
  let found: readonly TargetGroup[] = []
  let changed = () => {}
  const first = new Promise<void>((resolve) => (changed = resolve))
  const manager = new DiscoveryManager({
    logger: createLogger({ write: (line) => io.err(line) }),
    userAgent: 'promtool/3.14.0',
    onGroups: (_pool, groups) => {
      found = groups
      changed()
    },
  })
  const { staticConfigs, fileSdConfigs, ...others } = scrape.discovery
  const remote = Object.values(others).some((list) => Array.isArray(list) && list.length > 0)
  const local = staticConfigs.length + fileSdConfigs.length > 0
  const ended = new AbortController()
  try {
    const timeout = delay(timeoutMs, undefined, { signal: ended.signal }).catch(() => undefined)
    await Promise.race([manager.apply(new Map([[scrape.jobName, scrape.discovery]])), timeout])
    if (remote) await timeout
    else if (local) await Promise.race([first, timeout])
  } finally {
    manager.stop()
    ended.abort()
  }
  return found
}

/** Of a group with one target. */
function resultOf(group: TargetGroup, scrape: ScrapeConfig): SdResult {
  const rules = compileRelabel(scrape.relabelConfigs)
  const { targets, dropped, failures } = buildTargets([group], scrape, rules)
  const discovered = targets[0]?.discovered ?? dropped[0] ?? { ...group.labels, ...group.targets[0] }
  const discoveredLabels = sorted(discovered)
  const error = failures[0]
  if (error !== undefined) return { discoveredLabels, labels: {}, error }
  const labels = relabel(Labels.from(discovered), rules)
  if (!labels) return { discoveredLabels, labels: {} }
  const kept = new LabelsBuilder(labels.drop(new Set(labels.names().filter(isMeta))))
  if (kept.get('instance') === '') kept.set('instance', labels.get('__address__'))
  return { discoveredLabels, labels: kept.labels().toObject() }
}

function isMeta(name: string): boolean {
  return name.startsWith('__meta_')
}

function sorted(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}
