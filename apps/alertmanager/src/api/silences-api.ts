// `/api/v2/silences` and `/api/v2/silence/<id>`.
import { Matcher, type MatchType } from '@watchfire/datamodel'
import type { Alertmanager } from '../alertmanager.ts'
import { SilenceError, silenceState, type Silence, type SilenceState } from '../silence/index.ts'
import { ApiError, badRequest, readStringMap, readTime, schemaError } from './body.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Creates or changes a silence; returns its id. */
export function postSilence(manager: Alertmanager, body: unknown): { silenceID: string } {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest(
      'parsing silence body from "" failed, because json: cannot unmarshal into Go value of type models.PostableSilence',
    )
  const fields = body as Record<string, unknown>
  const startsAt = readTime('silence', fields.startsAt)
  const endsAt = readTime('silence', fields.endsAt)
  for (const field of ['comment', 'createdBy', 'endsAt', 'matchers', 'startsAt'])
    if (fields[field] === undefined || fields[field] === null)
      throw schemaError(602, `${field} in body is required`)
  const { id = '', comment, createdBy } = fields
  for (const text of [id, comment, createdBy])
    if (typeof text !== 'string')
      throw badRequest(
        'parsing silence body from "" failed, because json: cannot unmarshal into Go struct field of type string',
      )
  const annotations = readStringMap('silence', fields.annotations, 'Silence.annotations') ?? {}
  const matchers = readMatchers(fields.matchers)
  const now = manager.clock.now()
  if (startsAt > endsAt || startsAt === endsAt)
    throw new ApiError(400, 'Failed to create silence: start time must be before end time')
  if (endsAt < now) throw new ApiError(400, "Failed to create silence: end time can't be in the past")
  const draft = {
    id: id as string,
    comment: comment as string,
    createdBy: createdBy as string,
    startsAt,
    endsAt,
    matchers,
    annotations,
  }
  return { silenceID: withSilenceErrors(() => manager.silences.set(draft, now)) }
}

/** Most matchers of one silence. */
const MATCHERS_MAX = 100

function readMatchers(value: unknown): Matcher[] {
  if (!Array.isArray(value))
    throw badRequest(
      'parsing silence body from "" failed, because json: cannot unmarshal into Go struct field Silence.matchers of type models.Matchers',
    )
  if (value.length === 0) throw schemaError(612, 'matchers in body should have at least 1 items')
  if (value.length > MATCHERS_MAX)
    throw schemaError(611, `matchers in body should have at most ${MATCHERS_MAX} items`)
  return value.map((item: Record<string, unknown> | null, i) => {
    for (const field of ['isRegex', 'name', 'value'])
      if (item?.[field] === undefined || item[field] === null)
        throw schemaError(602, `matchers.${i}.${field} in body is required`)
    const { name, value: text, isRegex, isEqual = true } = item!
    if (typeof name !== 'string' || typeof text !== 'string' || typeof isRegex !== 'boolean')
      throw badRequest(
        'parsing silence body from "" failed, because json: cannot unmarshal into Go struct field Matcher',
      )
    const type =
      `${isEqual === false ? '!' : '='}${isRegex ? '~' : isEqual === false ? '=' : ''}` as MatchType
    try {
      return new Matcher(type, name, text)
    } catch (error) {
      throw new ApiError(
        400,
        `invalid silence: invalid label matcher ${i} in set 0: ${(error as Error).message}`,
      )
    }
  })
}

/** Active ones first (soonest end), then pending (soonest start), then expired (latest end). */
export function getSilences(
  manager: Alertmanager,
  filter: { matchers: readonly Matcher[]; states: ReadonlySet<SilenceState> },
): object[] {
  const now = manager.clock.now()
  const of = (state: SilenceState) =>
    manager.silences
      .all()
      .filter((silence) => silenceState(silence, now) === state && filter.states.has(state))
      .filter((silence) => filter.matchers.every((wanted) => hasMatcher(silence, wanted)))
  return [
    ...of('active').sort((a, b) => a.endsAt - b.endsAt),
    ...of('pending').sort((a, b) => a.startsAt - b.startsAt),
    ...of('expired').sort((a, b) => b.endsAt - a.endsAt),
  ].map((silence) => showSilence(silence, now))
}

/** A filter names a matcher of the silence, it does not ask what the silence would match. */
function hasMatcher(silence: Silence, wanted: Matcher): boolean {
  return silence.matchers.some((matcher) => String(matcher) === String(wanted))
}

export function getSilence(manager: Alertmanager, id: string): object {
  checkId(id)
  const silence = manager.silences.get(id)
  if (!silence) throw new ApiError(404, undefined)
  return showSilence(silence, manager.clock.now())
}

export function deleteSilence(manager: Alertmanager, id: string): void {
  checkId(id)
  if (!manager.silences.get(id)) throw new ApiError(404, undefined)
  withSilenceErrors(() => manager.silences.expire(id, manager.clock.now()))
}

function checkId(id: string): void {
  if (!UUID.test(id)) throw schemaError(601, `silenceID in path must be of type uuid: "${id}"`)
}

function withSilenceErrors<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (!(error instanceof SilenceError)) throw error
    throw new ApiError(error.kind === 'notFound' ? 404 : 400, error.message)
  }
}

function showSilence(silence: Silence, now: number): object {
  return {
    id: silence.id,
    status: { state: silenceState(silence, now) },
    updatedAt: new Date(silence.updatedAt).toISOString(),
    ...(Object.keys(silence.annotations).length > 0 && { annotations: silence.annotations }),
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: new Date(silence.endsAt).toISOString(),
    matchers: silence.matchers.map((matcher) => ({
      isEqual: !matcher.type.startsWith('!'),
      isRegex: matcher.type.endsWith('~'),
      name: matcher.name,
      value: matcher.value,
    })),
    startsAt: new Date(silence.startsAt).toISOString(),
  }
}
