// Loading prometheus.yml: read, decode, check across sections, resolve paths, and hand over what the server uses.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError, ValueError, type Place } from './errors.ts'
import { glob } from './glob.ts'
import { printYaml, rootSchema, scrapeFileSchema, type RootRaw } from './root.ts'
import type { StructSchema } from './schema.ts'
import { alertmanagerConfigs, checkAlerting, resolveAlerting } from './sections/alerting.ts'
import {
  expandExternalLabels,
  fillGlobal,
  globalConfig,
  globalSection,
  resolveGlobal,
  DEFAULT_GLOBAL,
} from './sections/global.ts'
import { joinDir } from './sections/http-client.ts'
import { operatorConfig } from './sections/kubernetes-operator.ts'
import { relabelConfig } from './sections/relabel.ts'
import { resolveAccess } from './sections/sd-kubernetes.ts'
import { completeScrape, resolveScrape, scrapeConfig, type ScrapeRaw } from './sections/scrape.ts'
import { fillStorage, strategyFault, trimOtlp } from './sections/storage.ts'
import type { Config, ScrapeConfig } from './types.ts'
import { YamlDocument, isNull } from './yaml-document.ts'

const DAY_MS = 86_400_000
/** Exemplars kept when the file does not say how many. */
const EXEMPLARS_MAX = 100_000
/** Largest configuration file, in bytes. */
const FILE_BYTES_MAX = 64 * 1024 * 1024

export interface LoadOptions {
  /** For `${NAME}` in external labels. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Retention by flags, used when the file says nothing. Default 15 days, no limit of size. */
  readonly retentionMs?: number
  readonly retentionBytes?: number
  /** Accept what this build cannot do (only to check a file's syntax). */
  readonly allowUnsupported?: boolean
  /** Leave the files of `scrape_config_files` unread (only to check this one file). */
  readonly withoutIncluded?: boolean
}

/** Loads a file. Throws `ConfigError` with file, line and column. */
export function loadConfig(path: string, options: LoadOptions = {}): Config {
  return parseConfig(readText(path), path, options)
}

/** As `loadConfig` for a text; `path` is used for messages and relative paths. */
export function parseConfig(text: string, path: string, options: LoadOptions = {}): Config {
  const wrap = <T>(body: () => T): T => withFile(path, `parsing YAML file ${path}: `, body)
  const { root, document } = wrap(() => decode(text, rootSchema))
  const warnings: string[] = []
  const checked = wrap(() => complete(root, document))
  const dir = dirname(path)
  const labels = expandExternalLabels(
    checked.global.external_labels,
    options.environment ?? process.env,
    (name) => warnings.push(`Empty environment variable ${JSON.stringify(name)} in external_labels`),
  )
  const resolved: RootRaw = {
    ...checked,
    global: resolveGlobal({ ...checked.global, external_labels: labels }, dir),
    alerting: resolveAlerting(checked.alerting, dir),
    rule_files: checked.rule_files.map((file) => joinDir(dir, file)),
    scrape_config_files: checked.scrape_config_files.map((file) => joinDir(dir, file)),
    scrape_configs: checked.scrape_configs.map((config) => resolveScrape(config, dir)),
    kubernetes_operator: checked.kubernetes_operator && resolveAccess(checked.kubernetes_operator, dir),
    storage: fillStorage(checked.storage, {
      retentionMs: options.retentionMs ?? 15 * DAY_MS,
      retentionBytes: options.retentionBytes ?? 0,
    }),
  }
  if (!options.allowUnsupported) refuseUnsupported(document, path)
  const included = options.withoutIncluded ? [] : includedScrapes(resolved, options)
  const scrapes = [...resolved.scrape_configs, ...included]
  const config: Config = {
    path,
    text,
    global: globalConfig(resolved.global),
    scrapeConfigs: scrapes.map(scrapeConfig),
    ruleFiles: resolved.rule_files.flatMap(glob),
    scrapeConfigFiles: resolved.scrape_config_files.flatMap(glob),
    alertRelabelConfigs: resolved.alerting.alert_relabel_configs.map(relabelConfig),
    alertmanagers: alertmanagerConfigs(resolved.alerting),
    storage: {
      retentionMs: resolved.storage.tsdb?.retention?.time ?? 0,
      retentionBytes: resolved.storage.tsdb?.retention?.size ?? 0,
      retentionPercentage: resolved.storage.tsdb?.retention?.percentage ?? 0,
      outOfOrderWindowMs: resolved.storage.tsdb?.out_of_order_time_window ?? 0,
      exemplarsMax: resolved.storage.exemplars?.max_exemplars ?? EXEMPLARS_MAX,
    },
    ...(resolved.kubernetes_operator && {
      kubernetesOperator: operatorConfig(resolved.kubernetes_operator),
    }),
    effectiveYaml: printYaml(resolved),
    warnings,
  }
  globals.set(config, resolved.global)
  return config
}

/** The global sections, for scrape configs that come later. */
const globals = new WeakMap<Config, RootRaw['global']>()

/**
 * One scrape config that did not come from a file, as an object with Prometheus's names. Its defaults come from the
 * global section of `config`, its paths must be absolute. Throws `ConfigError`; the message names `job_name` only.
 */
export function parseScrapeJob(job: Readonly<Record<string, unknown>>, config: Config): ScrapeConfig {
  const name = typeof job.job_name === 'string' ? job.job_name : ''
  return withFile(name, `${name}: `, () => {
    const { root, document } = decode(JSON.stringify({ scrape_configs: [job] }), scrapeFileSchema)
    const completed = completeScrape(root.scrape_configs[0]!, globals.get(config) ?? DEFAULT_GLOBAL)
    refuseUnsupported(document, name)
    return scrapeConfig(resolveScrape(completed, '/'))
  })
}

/** The configuration as `/api/v1/status/config` shows it, secrets as `<secret>`. */
export function effectiveConfigYaml(config: Config): string {
  return config.effectiveYaml
}

/** Reads a file with a limit. Throws `ConfigError`. */
export function readText(path: string): string {
  try {
    const bytes = readFileSync(path)
    if (bytes.length > FILE_BYTES_MAX) throw new Error(`larger than ${FILE_BYTES_MAX} bytes`)
    return bytes.toString('utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const reason =
      code === 'ENOENT'
        ? 'no such file or directory'
        : code === 'EACCES'
          ? 'permission denied'
          : code === 'EISDIR'
            ? 'is a directory'
            : (error as Error).message
    throw new ConfigError('config_unreadable', `open ${path}: ${reason}`, path, undefined, error)
  }
}

function decode<T>(text: string, schema: StructSchema<T>): { root: T; document: YamlDocument } {
  const document = new YamlDocument(text)
  const node = document.resolve(document.root)
  const root = isNull(node) ? schema.defaults : schema.decode(node, document)
  if (document.problems.length > 0) {
    const lines = document.problems.map(
      ({ line, column, text: what }) => `\n  line ${line}: ${what} (line ${line}, column ${column})`,
    )
    throw new ValueError(`yaml: unmarshal errors:${lines.join('')}`, undefined)
  }
  return { root, document }
}

/** Runs `body` and gives what it throws the file's name and the place. */
function withFile<T>(path: string, prefix: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    const { place } = error
    const listed = /^ {2}line (\d+): .*\(line \d+, column (\d+)\)$/m.exec(error.message)
    const at: Place | undefined =
      place ?? (listed ? { line: Number(listed[1]), column: Number(listed[2]) } : undefined)
    const suffix = place ? ` (line ${place.line}, column ${place.column})` : ''
    throw new ConfigError('config_invalid', `${prefix}${error.message}${suffix}`, path, at, error)
  }
}

const PATH_PATTERN = /^[^*]*(\*[^/]*)?$/

/** Defaults and checks that need more than one section. */
function complete(raw: RootRaw, document: YamlDocument): RootRaw {
  const global = raw.global === globalSection.zero ? DEFAULT_GLOBAL : fillGlobal(raw.global)
  const place = document.place(document.root)
  for (const file of raw.rule_files)
    if (!PATH_PATTERN.test(file))
      throw new ValueError(`invalid rule file path ${JSON.stringify(file)}`, place)
  for (const file of raw.scrape_config_files)
    if (!PATH_PATTERN.test(file))
      throw new ValueError(`invalid scrape config file path ${JSON.stringify(file)}`, place)
  const jobs = new Set<string>()
  const scrapes = raw.scrape_configs.map((config) => {
    const completed = completeScrape(config, global)
    const name = completed.value.job_name
    if (jobs.has(name))
      throw new ValueError(
        `found multiple scrape configs with job name ${JSON.stringify(name)}`,
        completed.place,
      )
    jobs.add(name)
    return completed
  })
  checkAlerting(raw.alerting, global.metric_name_validation_scheme || 'utf8')
  for (const [kind, list] of [
    ['write', raw.remote_write],
    ['read', raw.remote_read],
  ] as const) {
    const names = list.map(({ name }) => name).filter((name) => name !== '')
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined)
      throw new ValueError(
        `found multiple remote ${kind} configs with job name ${JSON.stringify(twice)}`,
        place,
      )
  }
  const fault = strategyFault(raw.otlp.translation_strategy, global.metric_name_validation_scheme)
  if (fault) throw new ValueError(fault, place)
  const runtime = raw.runtime.gogc === 0 ? { gogc: 75 } : raw.runtime
  return { ...raw, global, runtime, otlp: trimOtlp(raw.otlp), scrape_configs: scrapes }
}

/** Scrape configs of the files that scrape_config_files finds. */
function includedScrapes(root: RootRaw, options: LoadOptions): ScrapeRaw[] {
  const first = new Map(root.scrape_configs.map(({ value }) => [value.job_name, 'main config file']))
  const out: ScrapeRaw[] = []
  for (const file of root.scrape_config_files.flatMap(glob)) {
    const path = resolve(file)
    const quoted = JSON.stringify(path)
    const text = readText(path)
    withFile(path, `${quoted}: `, () => {
      const { root: included, document } = decode(text, scrapeFileSchema)
      for (const config of included.scrape_configs) {
        const completed = completeScrape(config, root.global)
        const name = completed.value.job_name
        const before = first.get(name)
        if (before !== undefined)
          throw new ValueError(
            `found multiple scrape configs with job name ${JSON.stringify(name)}, first found in ${before}`,
            completed.place,
          )
        first.set(name, quoted)
        out.push(resolveScrape(completed, dirname(file)))
      }
      if (!options.allowUnsupported) refuseUnsupported(document, file)
    })
  }
  return out
}

function refuseUnsupported(document: YamlDocument, path: string): void {
  const [first] = document.unsupported
  if (!first) return
  const all = document.unsupported.map(
    ({ what, line, column }) => `${what} is not supported yet (line ${line}, column ${column})`,
  )
  throw new ConfigError('config_unsupported', `parsing YAML file ${path}: ${all.join('; ')}`, path, first)
}
