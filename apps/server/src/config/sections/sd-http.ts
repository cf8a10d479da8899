// http_sd_configs: targets from an endpoint that answers JSON.
import type { HttpSdConfig } from '../types.ts'
import { duration, field, struct, text, type StructPlaces, type ValueOf } from '../schema.ts'
import { checkHttpClient, httpClientConfig, httpClientFields, resolveHttpClient } from './http-client.ts'

export const httpSd = struct(
  'http.plain',
  {
    ...httpClientFields(),
    refresh_interval: field(duration, { default: 60_000 }),
    url: field(text(), { always: true }),
  },
  {
    check(value, places) {
      checkUrl(value.url, places)
      checkHttpClient(value, places)
    },
  },
)

export type HttpSdRaw = ValueOf<typeof httpSd>

function checkUrl(url: string, places: StructPlaces): void {
  if (url === '') places.fail('url', 'URL is missing')
  if (/^[^a-zA-Z/?#.]*:/.test(url))
    places.fail('url', `parse ${JSON.stringify(url)}: missing protocol scheme`)
  if (!/^https?:/i.test(url)) places.fail('url', "URL scheme must be 'http' or 'https'")
  if (!/^https?:\/\/[^/?#]/i.test(url)) places.fail('url', 'host is missing in URL')
  if (!URL.canParse(url)) places.fail('url', `parse ${JSON.stringify(url)}: invalid URL`)
}

export const resolveHttpSd = (raw: HttpSdRaw, dir: string): HttpSdRaw => resolveHttpClient(raw, dir)

export function httpSdConfig(raw: HttpSdRaw): HttpSdConfig {
  return { url: raw.url, refreshIntervalMs: raw.refresh_interval, http: httpClientConfig(raw) }
}
