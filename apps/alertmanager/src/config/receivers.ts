// The receivers section: names, labels, and the integrations, whose sections belong to their kinds.
import { RECEIVER_KINDS } from '../notify/receivers/index.ts'
import type { GlobalConfig } from './global.ts'
import type { ReceiverConfig } from './types.ts'
import type { YamlCursor } from './yaml-cursor.ts'

/** Reads `receivers`; names are unique and not empty. */
export function readReceivers(cursor: YamlCursor, global: GlobalConfig): ReceiverConfig[] {
  const seen = new Set<string>()
  const fields = ['name', 'labels', ...RECEIVER_KINDS.map(({ field }) => field)]
  return cursor.items().map((item) => {
    const at = item.mapping('config.Receiver', fields)
    const name = at.name!.string()
    if (name === '') item.fail('missing name in receiver')
    if (seen.has(name)) at.name!.fail(`notification config name "${name}" is not unique`)
    seen.add(name)
    return {
      name,
      labels: Object.fromEntries(at.labels!.entries().map(([label, value]) => [label, value.string()])),
      integrations: RECEIVER_KINDS.flatMap((kind) =>
        at[kind.field]!.items().map((section) => kind.configure(section, global)),
      ),
    }
  })
}
