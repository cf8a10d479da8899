// Rules and alerts: filters and paging over what the rules show.
import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { Labels, matchesAll, quoteString, type Matcher } from '@watchfire/datamodel'
import { parseSelector } from '../query/index.ts'
import type { RuleGroupJson, RuleJson } from './contract.ts'
import { ApiError, invalidParam, param } from './errors.ts'
import type { WebOptions } from './options.ts'
import { Params, parseInteger } from './params.ts'
import { sendData } from './reply.ts'

/** Registers the routes under `/api/v1`. */
export function registerRulesApi(app: FastifyInstance, options: WebOptions): void {
  app.get('/alerts', async (_request, reply) => sendData(reply, { alerts: options.rules.alerts() }))

  app.get('/rules', async (request, reply) => {
    const params = new Params(request)
    const filter = ruleFilter(params)
    const page = pageOf(params)
    const all = options.rules.groups()
    let start = 0
    if (page.token !== '') {
      start = all.findIndex((group) => tokenOf(group) === page.token)
      if (start < 0)
        throw invalidParam(
          'group_next_token',
          `invalid group_next_token '${page.token}'. were rule groups changed?`,
        )
    }
    const groups: RuleGroupJson[] = []
    let next: string | undefined
    for (const group of all.slice(start)) {
      const kept = filter(group)
      if (!kept) continue
      if (page.limit > 0 && groups.length === page.limit) {
        next = tokenOf(group)
        break
      }
      groups.push(kept)
    }
    return sendData(reply, { groups, ...(next !== undefined && { groupNextToken: next }) })
  })
}

/** A function that keeps the wanted rules of a group, or nothing. */
function ruleFilter(params: Params): (group: RuleGroupJson) => RuleGroupJson | undefined {
  const names = new Set(params.all('rule_name[]'))
  const groups = new Set(params.all('rule_group[]'))
  const files = new Set(params.all('file[]'))
  const matcherSets = selectors(params.all('match[]'))
  const type = params.url('type').toLowerCase()
  if (!['', 'alert', 'record'].includes(type))
    throw invalidParam('type', `not supported value ${quoteString(type)}`)
  const excludeAlerts = param('exclude_alerts', () => parseExclude(params.url('exclude_alerts')))
  const wantedType = type === '' ? undefined : type === 'alert' ? 'alerting' : 'recording'
  const wanted = (rule: RuleJson) =>
    (wantedType === undefined || rule.type === wantedType) &&
    (names.size === 0 || names.has(rule.name)) &&
    (matcherSets.length === 0 || matcherSets.some((set) => matchesAll(set, Labels.from(rule.labels ?? {}))))
  return (group) => {
    if (groups.size > 0 && !groups.has(group.name)) return undefined
    if (files.size > 0 && !files.has(group.file)) return undefined
    const rules = group.rules
      .filter(wanted)
      .map((rule) => (excludeAlerts && rule.type === 'alerting' ? { ...rule, alerts: [] } : rule))
    return rules.length === 0 ? undefined : { ...group, rules }
  }
}

function selectors(texts: readonly string[]): (readonly Matcher[])[] {
  try {
    return texts.map(parseSelector)
  } catch (error) {
    throw new ApiError('bad_data', (error as Error).message)
  }
}

function parseExclude(text: string): boolean {
  const lower = text.toLowerCase()
  if (lower === '') return false
  if (['1', 't', 'true'].includes(lower)) return true
  if (['0', 'f', 'false'].includes(lower)) return false
  throw new Error(
    `error converting exclude_alerts: strconv.ParseBool: parsing ${quoteString(lower)}: invalid syntax`,
  )
}

function pageOf(params: Params): { limit: number; token: string } {
  const text = params.url('group_limit')
  const token = params.url('group_next_token')
  if (token !== '' && text === '')
    throw invalidParam(
      'group_next_token',
      'group_limit needs to be present in order to paginate over the groups',
    )
  if (text === '') return { limit: 0, token: '' }
  let limit: number
  try {
    limit = parseInteger(text, 'ParseInt')
  } catch (error) {
    throw invalidParam('group_limit', `group_limit needs to be a valid number: ${(error as Error).message}`)
  }
  if (limit <= 0) throw invalidParam('group_limit', 'group_limit needs to be greater than 0')
  return { limit, token }
}

function tokenOf({ file, name }: RuleGroupJson): string {
  return createHash('sha256').update(`${file};${name}`).digest('hex')
}
