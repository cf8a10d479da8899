// `promtool check service-discovery`: the targets of a job before and after relabelling. Lists and files are read;
// other discoveries need a running server.
import { Labels, LabelsBuilder } from '@watchfire/datamodel'
import { glob, loadConfig, readText } from '../../config/index.ts'
import type { ScrapeConfig } from '../../config/types.ts'
import type { TargetGroup } from '../../discovery/contract.ts'
import { parseTargetFile } from '../../discovery/target-file.ts'
import { compileRelabel, relabel } from '../../relabel/index.ts'
import { buildTargets } from '../../scrape/index.ts'
import { messageOf } from './check-config.ts'
import { EXIT, type Io } from './io.ts'

interface SdResult {
  readonly discoveredLabels: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly error?: string
}

export function checkServiceDiscovery(configFile: string, job: string, io: Io): number {
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
  let groups: TargetGroup[]
  try {
    groups = groupsOf(scrape)
  } catch (error) {
    io.err(`${(error as Error).message}\n`)
    return EXIT.failure
  }
  const results = new Map<string, SdResult>()
  for (const group of groups)
    for (const target of group.targets) {
      const result = resultOf({ ...group, targets: [target] }, scrape)
      results.set(JSON.stringify(result), result)
    }
  io.out(JSON.stringify([...results.values()], undefined, 2))
  return EXIT.success
}

function groupsOf({ discovery }: ScrapeConfig): TargetGroup[] {
  const lists = discovery.staticConfigs.map(({ targets, labels }, i) => ({
    source: String(i),
    labels,
    targets: targets.map((target) => ({ __address__: target })),
  }))
  const files = discovery.fileSdConfigs.flatMap((config) => config.files.flatMap(glob))
  return [...lists, ...files.flatMap((file) => parseTargetFile(readText(file), file))]
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
