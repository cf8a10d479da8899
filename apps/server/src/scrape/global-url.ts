// The URL of a target as seen from elsewhere: local addresses are replaced by the server's external name.

/** How this server is reached. */
export interface OwnAddress {
  readonly externalUrl: string
  readonly listenPort: string
}

const LOCAL: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]'])

export function globalUrl(text: string, own: OwnAddress | undefined): string {
  if (own === undefined || !URL.canParse(text)) return text
  const url = new URL(text)
  if (!LOCAL.has(url.hostname)) return text
  const external = new URL(own.externalUrl)
  const rest = url.pathname + url.search
  if (url.port === own.listenPort) return `${external.protocol}//${external.host}${rest}`
  return `${url.protocol}//${external.hostname}${url.port === '' ? '' : `:${url.port}`}${rest}`
}
