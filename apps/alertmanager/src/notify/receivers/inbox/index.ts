// The built-in inbox as a receiver.
import { flag, section, shown } from '../../../config/schema.ts'
import { NotifyError } from '../../integration.ts'
import { receiverKind } from '../kit.ts'

export const inbox = receiverKind({
  kind: 'inbox',
  section: section('config.InboxConfig', { send_resolved: shown(flag(true), false) }),
  create:
    (_config, tools) =>
    async ({ message }) => {
      try {
        tools.inbox.add(message)
      } catch (error) {
        throw new NotifyError(`the inbox cannot be written: ${(error as Error).message}`, true, 'other')
      }
    },
})
