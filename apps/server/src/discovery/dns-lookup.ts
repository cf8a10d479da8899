// Questions to the name servers of the system, with the search path of resolv.conf. Answers "no such name" and "no
// such records" are answers; only when a server fails it stays unknown what a name has.
import { readFile } from 'node:fs/promises'
import { Resolver } from 'node:dns/promises'
import type { DnsSdConfig } from '../config/index.ts'

/** One record. `host` has no dot at the end. */
export interface DnsRecord {
  readonly host: string
  /** Only of SRV. */
  readonly port?: number
}

export type DnsLookup = (name: string, type: DnsSdConfig['type']) => Promise<DnsRecord[]>

export interface SearchPath {
  readonly domains: readonly string[]
  readonly ndots: number
}

const ANSWERS: ReadonlySet<unknown> = new Set(['ENODATA', 'ENOTFOUND'])

/** Asks the servers of the system, or those given (`address:port`). */
export function createDnsLookup(servers?: readonly string[], search?: SearchPath): DnsLookup {
  return async (name, type) => {
    // A new resolver for every question reads resolv.conf again.
    const resolver = new Resolver({ timeout: 5000, tries: 2 })
    if (servers) resolver.setServers(servers)
    let unknown: unknown
    for (const candidate of candidates(name, search ?? (await systemSearchPath()))) {
      try {
        return await ask(resolver, candidate, type)
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code
        if (code === 'ENODATA') return []
        if (!ANSWERS.has(code)) unknown = error
      }
    }
    if (unknown === undefined) return []
    throw new Error(
      `could not resolve ${JSON.stringify(name)}: all servers responded with errors to at least one search domain`,
      { cause: unknown },
    )
  }
}

async function ask(resolver: Resolver, name: string, type: DnsSdConfig['type']): Promise<DnsRecord[]> {
  switch (type) {
    case 'SRV':
      return (await resolver.resolveSrv(name)).map((record) => ({ host: record.name, port: record.port }))
    case 'MX':
      return (await resolver.resolveMx(name)).map(({ exchange }) => ({ host: exchange }))
    case 'NS':
      return (await resolver.resolveNs(name)).map((host) => ({ host }))
    case 'A':
      return (await resolver.resolve4(name)).map((host) => ({ host }))
    case 'AAAA':
      return (await resolver.resolve6(name)).map((host) => ({ host }))
  }
}

/** The full names to try, in order. */
export function candidates(name: string, { domains, ndots }: SearchPath): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)]
  const searched = domains.map((domain) => `${name}.${domain}`)
  return name.split('.').length - 1 >= ndots ? [name, ...searched] : [...searched, name]
}

async function systemSearchPath(): Promise<SearchPath> {
  try {
    return parseResolvConf(await readFile('/etc/resolv.conf', 'utf8'))
  } catch {
    return { domains: [], ndots: 1 }
  }
}

/** The last `search` or `domain` line counts. */
export function parseResolvConf(text: string): SearchPath {
  let domains: string[] = []
  let ndots = 1
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/)
    if (word === 'search' || word === 'domain')
      domains = rest.map((domain) => domain.replace(/\.$/, '')).filter((domain) => domain !== '')
    if (word !== 'options') continue
    const given = rest.map((option) => /^ndots:(\d+)$/.exec(option)?.[1]).find((value) => value !== undefined)
    if (given !== undefined) ndots = Math.min(Number(given), 15)
  }
  return { domains, ndots }
}
