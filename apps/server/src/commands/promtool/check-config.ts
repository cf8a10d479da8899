// `promtool check config`: the configuration as the server loads it, but also with sections that this server cannot
// serve; then the files it names, the targets it lists, and the rules.
import { statSync } from 'node:fs'
import { parse } from 'yaml'
import { formatDuration, quoteString } from '@watchfire/datamodel'
import type { ParserOptions } from '@watchfire/promql/parser'
import { ConfigError, glob, loadConfig, readText, type Config } from '../../config/index.ts'
import type { ScrapeConfig } from '../../config/types.ts'
import { parseTargetFile } from '../../discovery/target-file.ts'
import { compileRelabel } from '../../relabel/index.ts'
import { buildTargets } from '../../scrape/index.ts'
import { checkRuleFiles, exitCode, parseRuleLint } from './check-rules.ts'
import { fileErrorText, type Io } from './io.ts'
import { checkOtherDiscoveries } from './other-discovery.ts'

export interface CheckConfigOptions {
  /** Leave alone what lies in other files. */
  readonly syntaxOnly: boolean
  /** The file is for agent mode, which forbids some sections. */
  readonly agent: boolean
  /** Words separated by commas. */
  readonly lint: string
  readonly lookbackMs: number
  readonly fatal: boolean
  readonly ignoreUnknownFields: boolean
  readonly parser: ParserOptions
}

/** What the effective configuration shows of files that are to be there. */
interface Effective {
  readonly rule_files?: readonly string[]
  readonly alerting?: {
    readonly alert_relabel_configs?: readonly unknown[]
    readonly alertmanagers?: readonly { readonly file_sd_configs?: readonly FileSd[] }[]
  }
  readonly remote_read?: readonly unknown[]
  readonly scrape_configs?: readonly { readonly kubernetes_sd_configs?: readonly { tls_config?: Tls }[] }[]
}

interface FileSd {
  readonly files?: readonly string[]
}

interface Tls {
  readonly cert_file?: string
  readonly key_file?: string
}

/** The command; prints how each file went and answers with the exit code. */
export function checkConfigs(files: readonly string[], options: CheckConfigOptions, io: Io): number {
  const { intervalLint, ruleLint } = lintOptions(options, io)
  let failed = false
  let errors = false
  for (const path of files) {
    io.out(`Checking ${path}\n`)
    let found: Checked | undefined
    try {
      found = checkConfig(path, options, io)
      if (found.ruleFiles.length > 0) io.out(`  SUCCESS: ${found.ruleFiles.length} rule files found\n`)
      io.out(` SUCCESS: ${path} is valid prometheus config file syntax\n`)
    } catch (error) {
      io.err(`  FAILED: ${messageOf(error)}\n`)
      failed = true
      errors = true
    }
    io.out('\n')
    if (options.syntaxOnly || !found) continue
    if (intervalLint && hasLongInterval(found.scrapeConfigs, options.lookbackMs, io)) failed = true
    const { fatal, ignoreUnknownFields, parser } = options
    const rules = checkRuleFiles(
      found.ruleFiles,
      { duplicates: ruleLint, fatal, ignoreUnknownFields, parser },
      io,
    )
    failed ||= rules.failed
    errors ||= rules.errors
  }
  return exitCode({ failed, errors }, options.fatal)
}

interface Checked {
  readonly ruleFiles: readonly string[]
  readonly scrapeConfigs: readonly ScrapeConfig[]
}

/** Throws an Error with the text to show. */
function checkConfig(path: string, options: CheckConfigOptions, io: Io): Checked {
  checkOtherDiscoveries(readText(path), path)
  const main = loadConfig(path, { allowUnsupported: true, withoutIncluded: true })
  const effective = parse(main.effectiveYaml, { logLevel: 'silent' }) as Effective
  if (options.agent) checkAgent(effective)
  if (options.syntaxOnly) {
    for (const scrape of main.scrapeConfigs) checkStaticTargets(scrape)
    return { ruleFiles: [], scrapeConfigs: main.scrapeConfigs }
  }
  const ruleFiles = (effective.rule_files ?? []).flatMap(filesOf)
  const whole = loadIncluded(path)
  for (const scrape of whole.scrapeConfigs) checkScrape(scrape, io)
  for (const { kubernetes_sd_configs: sds = [] } of effective.scrape_configs ?? [])
    for (const { tls_config: tls = {} } of sds) checkTls(tls.cert_file, tls.key_file)
  for (const { file_sd_configs: sds = [] } of effective.alerting?.alertmanagers ?? [])
    for (const pattern of sds.flatMap(({ files = [] }) => files)) {
      if (readTargetFiles(pattern).length === 0)
        io.out(`  WARNING: file ${quoteString(pattern)} for file_sd in alertmanager config does not exist\n`)
    }
  return { ruleFiles, scrapeConfigs: whole.scrapeConfigs }
}

function checkAgent({ alerting, rule_files, remote_read }: Effective): void {
  const filled = (list: readonly unknown[] | undefined) => list !== undefined && list.length > 0
  const forbidden = {
    alerting: filled(alerting?.alertmanagers) || filled(alerting?.alert_relabel_configs),
    rule_files: filled(rule_files),
    remote_read: filled(remote_read),
  }
  for (const [name, given] of Object.entries(forbidden))
    if (given) throw new Error(`field ${name} is not allowed in agent mode`)
}

/** Rule files that a pattern finds; one without wildcards has to be there. */
function filesOf(pattern: string): readonly string[] {
  if (hasBrokenBracket(pattern)) throw new Error('syntax error in pattern')
  const files = glob(pattern)
  if (files.length === 0 && !pattern.includes('*'))
    throw new Error(`${quoteString(pattern)} does not point to an existing file`)
  return files
}

/** True when a `[` of a pattern is not closed. */
function hasBrokenBracket(pattern: string): boolean {
  return /\[/.test(pattern.replace(/\\./g, '').replace(/\[\^?\]?[^\]]+\]/g, ''))
}

function loadIncluded(path: string): Config {
  try {
    return loadConfig(path, { allowUnsupported: true })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new Error(`error loading scrape configs: ${messageOf(error)}`, { cause: error })
  }
}

function checkScrape(scrape: ScrapeConfig, io: Io): void {
  const { authorization, tls } = scrape.http
  const what = 'authorization credentials or bearer token file'
  if (authorization?.credentialsFile !== undefined) checkFile(what, authorization.credentialsFile)
  checkTls(tls?.certFile, tls?.keyFile)
  const rules = compileRelabel(scrape.relabelConfigs)
  for (const pattern of scrape.discovery.fileSdConfigs.flatMap(({ files }) => files)) {
    const groups = readTargetFiles(pattern)
    if (groups.length === 0)
      io.out(
        `  WARNING: file ${quoteString(pattern)} for file_sd in scrape job ${quoteString(scrape.jobName)} does not exist\n`,
      )
    const [failure] = buildTargets(groups.flat(), scrape, rules).failures
    if (failure !== undefined) throw new Error(failure)
  }
  checkStaticTargets(scrape)
}

function checkStaticTargets(scrape: ScrapeConfig): void {
  const groups = scrape.discovery.staticConfigs.map(({ targets, labels }, i) => ({
    source: String(i),
    labels,
    targets: targets.map((target) => ({ __address__: target })),
  }))
  const [failure] = buildTargets(groups, scrape, compileRelabel(scrape.relabelConfigs)).failures
  if (failure !== undefined) throw new Error(failure)
}

/** Target groups of each file that a pattern finds. */
function readTargetFiles(pattern: string) {
  return glob(pattern).map((file) => {
    try {
      return parseTargetFile(readText(file), file)
    } catch (error) {
      throw new Error(`checking SD file ${quoteString(pattern)}: ${messageOf(error)}`, { cause: error })
    }
  })
}

function checkTls(cert = '', key = ''): void {
  if (cert !== '' && key === '')
    throw new Error(`client cert file ${quoteString(cert)} specified without client key file`)
  if (key !== '' && cert === '')
    throw new Error(`client key file ${quoteString(key)} specified without client cert file`)
  if (cert !== '') checkFile('client cert file', cert)
  if (key !== '') checkFile('client key file', key)
}

function checkFile(what: string, path: string): void {
  try {
    statSync(path)
  } catch (error) {
    const reason = fileErrorText('stat', path, error)
    throw new Error(`error checking ${what} ${quoteString(path)}: ${reason}`, { cause: error })
  }
}

/** Reads `--lint`. */
function lintOptions(options: CheckConfigOptions, io: Io): { intervalLint: boolean; ruleLint: boolean } {
  const words = options.lint.split(',')
  if (words.includes('none')) return { intervalLint: false, ruleLint: false }
  const forRules = words.filter((word) => word !== 'too-long-scrape-interval')
  return {
    intervalLint: words.includes('all') || words.includes('too-long-scrape-interval'),
    ruleLint: parseRuleLint(forRules.join(','), io),
  }
}

/** Series that are scraped more rarely than queries look back are stale most of the time. */
function hasLongInterval(configs: readonly ScrapeConfig[], lookbackMs: number, io: Io): boolean {
  const found = configs.find(({ scrapeIntervalMs }) => lookbackMs > 0 && scrapeIntervalMs >= lookbackMs)
  if (!found) return false
  io.err(
    `  FAILED: too long scrape interval found, data point will be marked as stale - job: ${found.jobName}, interval: ${formatDuration(found.scrapeIntervalMs)}\n`,
  )
  return true
}

/** Prometheus's text: the loader's without the places it adds. */
export function messageOf(error: unknown): string {
  return (error as Error).message.replace(/ \(line \d+, column \d+\)$/gm, '')
}
