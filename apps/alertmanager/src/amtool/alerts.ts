// `amtool alert` and `amtool silence`.
import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { parseDuration } from '@watchfire/datamodel'
import { MatcherError, parseMatcher } from '../config/index.ts'
import { ApiError } from './client.ts'
import { formatAlerts, formatSilences, type ApiAlert, type ApiMatcher, type ApiSilence } from './format.ts'
import type { CommandContext } from './run.ts'

/** A first word that is no matcher is the value of alertname. */
function withAlertName(words: readonly string[]): string[] {
  const [first, ...others] = words
  if (first === undefined) return []
  try {
    parseMatcher(first)
    return [first, ...others]
  } catch (error) {
    if (!(error instanceof MatcherError)) throw error
    return [`alertname=${JSON.stringify(first)}`, ...others]
  }
}

/** `key=value` pairs. */
export function readPairs(words: readonly string[], what: string): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const { type, name, value } = parseMatcher(word)
      if (type !== '=') throw new Error(`${what} must be specified as key=value pairs`)
      return [name, value]
    }),
  )
}

function readTime(text: string): string {
  if (
    !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ||
    Number.isNaN(Date.parse(text))
  )
    throw new Error(`parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse`)
  return new Date(text).toISOString()
}

export async function queryAlerts({ line, api, format, print }: CommandContext): Promise<void> {
  const states = ['active', 'inhibited', 'silenced', 'unprocessed'] as const
  const wanted = new Set<string>(states.filter((state) => line.isOn(state)))
  if (wanted.size === 0) wanted.add('active')
  const query = new URLSearchParams(states.map((state) => [state, String(wanted.has(state))]))
  for (const filter of withAlertName(line.args)) query.append('filter', filter)
  if (line.text('receiver') !== '') query.set('receiver', line.text('receiver'))
  const client = await api()
  const alerts = (await client.call('GET', `/alerts?${query}`, 'getAlerts')) as ApiAlert[]
  print(formatAlerts(alerts, format))
}

export async function addAlert({ line, api }: CommandContext): Promise<void> {
  const alert = {
    labels: readPairs(withAlertName(line.args), 'labels'),
    annotations: readPairs(line.list('annotation'), 'annotations'),
    generatorURL: line.text('generator-url'),
    ...(line.text('start') !== '' && { startsAt: readTime(line.text('start')) }),
    ...(line.text('end') !== '' && { endsAt: readTime(line.text('end')) }),
  }
  await (await api()).call('POST', '/alerts', 'postAlerts', [alert])
}

export async function querySilences({ line, api, format, print, now }: CommandContext): Promise<void> {
  const query = new URLSearchParams(withAlertName(line.args).map((filter) => ['filter', filter]))
  const client = await api()
  const found = (await client.call('GET', `/silences?${query}`, 'getSilences')) as ApiSilence[]
  const within = line.text('within') === '' ? 0 : parseDuration(line.text('within'))
  const wantsExpired = line.isOn('expired')
  const shown = found.filter((silence) => {
    const left = Date.parse(silence.endsAt) - now()
    if (wantsExpired ? left > 0 : left < 0) return false
    if (within > 0 && (wantsExpired ? left < -within : left > within)) return false
    const [author, id] = [line.text('created-by'), line.text('id')]
    return (author === '' || silence.createdBy === author) && (id === '' || silence.id === id)
  })
  print(line.isOn('quiet') ? shown.map(({ id }) => `${id}\n`).join('') : formatSilences(shown, format))
}

export async function addSilence({ line, api, print, now }: CommandContext): Promise<void> {
  const matchers = withAlertName(line.args).map((word): ApiMatcher => {
    const { type, name, value } = parseMatcher(word)
    return { name, value, isRegex: type.endsWith('~'), isEqual: type.startsWith('=') }
  })
  if (matchers.length === 0) throw new Error('no matchers specified')
  const startsAt = line.text('start') === '' ? new Date(now()).toISOString() : readTime(line.text('start'))
  const endsAt = line.text('end') === '' ? after(startsAt, line.text('duration')) : readTime(line.text('end'))
  if (startsAt > endsAt) throw new Error('silence cannot start after it ends')
  if (line.isOn('require-comment') && line.text('comment') === '')
    throw new Error('comment required by config')
  const annotations = readPairs(line.list('annotation'), 'annotations')
  const silence = {
    matchers,
    startsAt,
    endsAt,
    createdBy: line.text('author'),
    comment: line.text('comment'),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  }
  print(`${await postSilence(await api(), silence)}\n`)
}

function after(startsAt: string, duration: string): string {
  const ms = parseDuration(duration)
  if (ms === 0) throw new Error('silence duration must be greater than 0')
  return new Date(Date.parse(startsAt) + ms).toISOString()
}

type Client = Awaited<ReturnType<CommandContext['api']>>

async function postSilence(client: Client, silence: object): Promise<string> {
  const answer = (await client.call('POST', '/silences', 'postSilences', silence)) as { silenceID?: string }
  return answer.silenceID ?? ''
}

const silencePath = (id: string) => `/silence/${encodeURIComponent(id)}`

export async function expireSilences({ line, api }: CommandContext): Promise<void> {
  if (line.args.length === 0) throw new Error('no silence IDs specified')
  const client = await api()
  for (const id of line.args) await client.call('DELETE', silencePath(id), 'deleteSilence')
}

export async function updateSilences({ line, api, format, print }: CommandContext): Promise<void> {
  if (line.args.length === 0) throw new Error('no silence IDs specified')
  const client = await api()
  const updated: ApiSilence[] = []
  for (const id of line.args) {
    const old = (await client.call('GET', silencePath(id), 'getSilence')) as ApiSilence
    const startsAt = line.text('start') === '' ? old.startsAt : readTime(line.text('start'))
    let { endsAt } = old
    if (line.text('end') !== '') endsAt = readTime(line.text('end'))
    else if (line.text('duration') !== '') endsAt = after(startsAt, line.text('duration'))
    if (Date.parse(startsAt) > Date.parse(endsAt)) throw new Error('silence cannot start after it ends')
    const changed = { ...old, startsAt, endsAt, comment: line.text('comment') || old.comment }
    updated.push({ ...changed, id: await postSilence(client, postable(changed)) })
  }
  print(line.isOn('quiet') ? updated.map(({ id }) => `${id}\n`).join('') : formatSilences(updated, format))
}

/** What the API takes of a silence it gave. */
function postable(silence: ApiSilence): Record<string, unknown> {
  const { id, matchers, startsAt, endsAt, createdBy, comment, annotations } = silence as ApiSilence & {
    annotations?: unknown
  }
  return {
    id,
    matchers,
    startsAt,
    endsAt,
    createdBy,
    comment,
    ...(annotations !== undefined && { annotations }),
  }
}

export async function importSilences({ line, api, print, warn }: CommandContext): Promise<void> {
  const [file] = line.args
  const text = file === undefined ? await readAll(process.stdin) : await readFile(file, 'utf8')
  let silences: ApiSilence[]
  try {
    const read = JSON.parse(text) as unknown
    if (!Array.isArray(read)) throw new Error('not a list')
    silences = read as ApiSilence[]
  } catch (error) {
    throw new Error(`couldn't unmarshal input data, is it JSON?: ${(error as Error).message}`, {
      cause: error,
    })
  }
  const client = await api()
  const queue = silences.map(postable)
  let failures = 0
  const work = async () => {
    for (let silence = queue.shift(); silence; silence = queue.shift()) {
      try {
        print(`${await importOne(client, silence, line.isOn('force'))}\n`)
      } catch (error) {
        failures++
        warn(`Error adding silence id='${String(silence.id)}': ${(error as Error).message}\n`)
      }
    }
  }
  const workers = Math.min(Math.max(Number(line.text('worker')) || 1, 1), 64)
  await Promise.all(Array.from({ length: workers }, work))
  if (failures > 0) throw new Error(`couldn't import ${failures} out of ${silences.length} silences`)
}

async function importOne(client: Client, silence: Record<string, unknown>, force: boolean): Promise<string> {
  if (force) return postSilence(client, { ...silence, id: '' })
  try {
    return await postSilence(client, silence)
  } catch (error) {
    // One the server does not know becomes a new one.
    if (!(error instanceof ApiError) || error.status !== 404) throw error
    return postSilence(client, { ...silence, id: '' })
  }
}
