// Errors of the network in the words of Go's HTTP client, which users know from the targets page.
import { BodyError, ScrapeError } from './errors.ts'

interface SystemError extends Error {
  readonly code?: string
  readonly syscall?: string
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
  readonly errors?: readonly Error[]
}

/** The error to show for a request of `url`. */
export function networkError(error: unknown, url: string): ScrapeError {
  if (error instanceof BodyError)
    return error.cause instanceof ScrapeError
      ? error.cause
      : new ScrapeError(describe(error.cause), { cause: error })
  return new ScrapeError(`Get ${JSON.stringify(url)}: ${describe(error)}`, { cause: error })
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, address, port, hostname, errors, message } = error as SystemError
  // Several addresses were tried; the first one speaks for all.
  if (errors?.[0] !== undefined && code !== undefined) return describe(errors[0])
  const where =
    address === undefined ? '' : `${address.includes(':') ? `[${address}]` : address}:${port ?? ''}`
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${where}: connect: connection refused`
    case 'EHOSTUNREACH':
      return `dial tcp ${where}: connect: no route to host`
    case 'ENETUNREACH':
      return `dial tcp ${where}: connect: network is unreachable`
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'context deadline exceeded'
    case 'ENOTFOUND':
      return `dial tcp: lookup ${hostname ?? ''}: no such host`
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${hostname ?? ''}: temporary failure in name resolution`
    case 'ECONNRESET':
      return 'read: connection reset by peer'
    case 'EPIPE':
      return 'write: broken pipe'
    case 'UND_ERR_SOCKET':
      return 'EOF'
    default:
      if (code?.startsWith('HPE_'))
        return `net/http: HTTP/1.x transport connection broken: malformed HTTP response (${message})`
      return message
  }
}
