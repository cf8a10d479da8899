// Opens the listening sockets of the HTTP application.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** The server cannot listen. */
export class ListenError extends Error {
  override name = 'ListenError'
  readonly code = 'listen_failed'
  readonly address: string

  constructor(address: string, cause: NodeJS.ErrnoException) {
    super(`Unable to start web listener: listen tcp ${address}: ${reasonOf(cause)}`, { cause })
    this.address = address
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE') return 'bind: address already in use'
  if (code === 'EACCES') return 'bind: permission denied'
  if (code === 'EADDRNOTAVAIL') return 'bind: cannot assign requested address'
  return message
}

export interface ListenOptions {
  readonly addresses: readonly string[]
  readonly maxConnections: number
  readonly readTimeoutMs: number
}

export interface Listening {
  /** Of the first address, e.g. `127.0.0.1` and 9090. */
  readonly host: string
  readonly port: number
  /** Ends all sockets at once. */
  close(): Promise<void>
}

/** Listens on all addresses or none. Throws `ListenError`. */
export async function listen(app: FastifyInstance, options: ListenOptions): Promise<Listening> {
  await app.ready()
  const servers: Server[] = []
  const close = async () => {
    await Promise.all(
      servers.map((server) => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()))
        server.closeAllConnections()
        return closed
      }),
    )
  }
  for (const address of options.addresses) {
    const server = createServer((request, response) => app.routing(request, response))
    server.maxConnections = options.maxConnections
    server.requestTimeout = options.readTimeoutMs
    server.keepAliveTimeout = options.readTimeoutMs
    try {
      await bind(server, address)
    } catch (error) {
      await close()
      throw new ListenError(address, error as NodeJS.ErrnoException)
    }
    servers.push(server)
  }
  const { address, port } = servers[0]!.address() as AddressInfo
  return { host: address, port, close }
}

function bind(server: Server, address: string): Promise<void> {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: Number(address.slice(colon + 1)), ...(host !== '' && { host }) }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
