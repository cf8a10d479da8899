// The records of Alertmanager's two snapshot files, `silences` and `nflog`: MeshSilence and MeshEntry messages.
import { Matcher, type MatchType } from '@watchfire/datamodel'
import type { LogEntry } from '../nflog/index.ts'
import type { Silence } from '../silence/index.ts'
import { ProtoWriter, protoFields, protoHexes, protoText, protoTime, type ProtoField } from './protobuf.ts'

/** Numbers of the matcher types on disk. */
const MATCH_TYPES: readonly MatchType[] = ['=', '=~', '!=', '!~']

export function encodeSilence(silence: Silence, retentionMs: number): Uint8Array {
  const matcher = (w: ProtoWriter, m: Matcher) =>
    w.uint(1, MATCH_TYPES.indexOf(m.type)).text(2, m.name).text(3, m.value)
  return new ProtoWriter()
    .message(1, (w) => {
      w.text(1, silence.id)
      for (const m of silence.matchers) w.message(2, (inner) => matcher(inner, m))
      w.time(3, silence.startsAt).time(4, silence.endsAt).time(5, silence.updatedAt)
      w.text(8, silence.createdBy).text(9, silence.comment)
    })
    .time(2, silence.endsAt + retentionMs)
    .finish()
}

/** Throws on damaged bytes. */
export function decodeSilence(bytes: Uint8Array): Silence {
  const matchers: Matcher[] = []
  const texts = { id: '', createdBy: '', comment: '' }
  const times = { startsAt: 0, endsAt: 0, updatedAt: 0 }
  for (const outer of protoFields(bytes)) {
    if (outer.number !== 1) continue
    for (const field of protoFields(outer.bytes)) {
      if (field.number === 1) texts.id = protoText(field)
      else if (field.number === 2) matchers.push(decodeMatcher(field))
      else if (field.number === 3) times.startsAt = protoTime(field)
      else if (field.number === 4) times.endsAt = protoTime(field)
      else if (field.number === 5) times.updatedAt = protoTime(field)
      else if (field.number === 8) texts.createdBy = protoText(field)
      else if (field.number === 9) texts.comment = protoText(field)
    }
  }
  if (texts.id === '' || matchers.length === 0) throw new Error('a silence without id or matchers')
  return { ...texts, ...times, matchers, annotations: {} }
}

function decodeMatcher(message: ProtoField): Matcher {
  let type: MatchType = '='
  let name = ''
  let value = ''
  for (const field of protoFields(message.bytes)) {
    if (field.number === 1) type = MATCH_TYPES[Number(field.value)] ?? '='
    else if (field.number === 2) name = protoText(field)
    else if (field.number === 3) value = protoText(field)
  }
  return new Matcher(type, name, value)
}

export function encodeLogEntry(entry: LogEntry): Uint8Array {
  return new ProtoWriter()
    .message(1, (w) =>
      w
        .bytes(1, entry.groupKey)
        .message(2, (r) => r.text(1, entry.receiver).text(2, entry.integration).uint(3, entry.index))
        .time(5, entry.timestamp)
        .packedHex(6, entry.firing)
        .packedHex(7, entry.resolved),
    )
    .time(2, entry.expiresAt)
    .finish()
}

/** Throws on damaged bytes. */
export function decodeLogEntry(bytes: Uint8Array): LogEntry {
  const entry = {
    groupKey: '',
    receiver: '',
    integration: '',
    index: 0,
    timestamp: 0,
    expiresAt: 0,
    firing: [] as string[],
    resolved: [] as string[],
  }
  for (const outer of protoFields(bytes)) {
    if (outer.number === 2) entry.expiresAt = protoTime(outer)
    if (outer.number !== 1) continue
    for (const field of protoFields(outer.bytes)) {
      if (field.number === 1) entry.groupKey = protoText(field)
      else if (field.number === 2) {
        for (const part of protoFields(field.bytes)) {
          if (part.number === 1) entry.receiver = protoText(part)
          else if (part.number === 2) entry.integration = protoText(part)
          else if (part.number === 3) entry.index = Number(part.value)
        }
      } else if (field.number === 5) entry.timestamp = protoTime(field)
      else if (field.number === 6) entry.firing.push(...protoHexes(field))
      else if (field.number === 7) entry.resolved.push(...protoHexes(field))
    }
  }
  return entry
}
