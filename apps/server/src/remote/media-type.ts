// Which protocol a write request speaks, by its headers, with the words of Prometheus for what is not accepted.
import type { WriteProtocol } from './write-result.ts'

type Message = Exclude<WriteProtocol, 'none'>

export const PROTOCOLS: ReadonlyMap<string, Message> = new Map([
  ['prometheus.WriteRequest', 1],
  ['io.prometheus.write.v2.Request', 2],
])

const MEDIA_TYPE = 'application/x-protobuf'

/** The protocol of a content type, or why it is not accepted. `accepted` are names of messages. */
export function protocolOf(contentType: string, accepted: readonly string[]): Message | string {
  const name = messageOf(contentType === '' ? MEDIA_TYPE : contentType.trim())
  if (typeof name !== 'string') return name.fault
  const protocol = PROTOCOLS.get(name)
  if (protocol === undefined)
    return `got ${contentType.trim()} content type; unknown type for remote write protobuf message ${name}, supported: ${[...PROTOCOLS.keys()].join(', ')}`
  if (!accepted.includes(name))
    return `${name} protobuf message is not accepted by this server; only accepts ${accepted.join(', ')}`
  return protocol
}

/** What an encoding is refused with, or undefined. */
export function encodingFault(encoding: string): string | undefined {
  if (encoding === '' || encoding === 'snappy') return undefined
  return `${encoding} encoding (compression) is not accepted by this server; only snappy is acceptable`
}

function messageOf(contentType: string): string | { readonly fault: string } {
  const [media = '', ...parameters] = contentType.split(';')
  if (media !== MEDIA_TYPE)
    return {
      fault: `expected ${MEDIA_TYPE} as the first (media) part, got ${contentType} content-type`,
    }
  for (const parameter of parameters) {
    const [key = '', value, ...more] = parameter.split('=')
    if (value === undefined || more.length > 0)
      return {
        fault: `as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be key-values, got ${parameter} in ${contentType} content-type`,
      }
    if (key === 'proto') return value
  }
  return 'prometheus.WriteRequest'
}
