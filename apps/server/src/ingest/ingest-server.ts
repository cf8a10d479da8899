// The worker's side of the conversation: messages in, calls of the core, messages out.
import type { Ingest } from './contract.ts'
import type { CallArguments, CallName, FromWorker, ToWorker } from './messages.ts'

/** Serves a core over messages; `post` sends to the main thread. Returns what to do with a message. */
export function serveIngest(core: Ingest, post: (message: FromWorker) => void): (message: ToWorker) => void {
  core.ready.then(
    () => post({ kind: 'ready', handle: core.handle() }),
    (error: unknown) => post({ kind: 'failed', message: messageOf(error) }),
  )
  return (message) => {
    if (message.kind === 'targetGroups') {
      core.setTargetGroups(...message.args)
      return
    }
    const { id, name, args } = message
    call(core, name, args).then(
      (value) => post({ kind: 'result', id, value }),
      (error: unknown) => post({ kind: 'error', id, message: messageOf(error) }),
    )
  }
}

/** Arguments were checked by the types of the client, which is the only one that sends. */
async function call(core: Ingest, name: CallName, args: readonly unknown[]): Promise<unknown> {
  switch (name) {
    case 'applyConfig':
      return core.applyConfig(...(args as CallArguments<'applyConfig'>))
    case 'append':
      return core.append(...(args as CallArguments<'append'>))
    case 'write':
      return core.write(...(args as CallArguments<'write'>))
    case 'targets':
      return core.targets()
    case 'exemplars':
      return core.exemplars(...(args as CallArguments<'exemplars'>))
    case 'metadata':
      return core.metadata()
    case 'stats':
      return core.stats()
    case 'metricsText':
      return core.metricsText()
    case 'stop':
      return core.stop()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
