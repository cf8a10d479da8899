// http_sd: a list of target groups from an endpoint.
import type { HttpSdConfig } from '../config/index.ts'
import { HttpFetcher } from '../outgoing/index.ts'
import type { DiscoveryContext } from './context.ts'
import type { Discoverer, TargetGroup } from './contract.ts'
import { RefreshDiscovery } from './refresh.ts'
import { parseTargetJson } from './target-file.ts'

/** Largest answer, in bytes. */
const BODY_BYTES_MAX = 64 * 1024 * 1024
const JSON_TYPE = /^application\/json(;\s*charset=("utf-8"|utf-8))?$/i

export function createHttpDiscovery(config: HttpSdConfig, context: DiscoveryContext): Discoverer {
  const fetcher = new HttpFetcher({ http: config.http, userAgent: context.userAgent })
  const headers = {
    Accept: 'application/json',
    'X-Prometheus-Refresh-Interval-Seconds': String(config.refreshIntervalMs / 1000),
  }
  const refresh = async (signal: AbortSignal): Promise<TargetGroup[]> => {
    try {
      const answer = await fetcher.get({
        url: config.url,
        headers,
        timeoutMs: config.refreshIntervalMs,
        bytesMax: BODY_BYTES_MAX,
        signal,
      })
      const given = answer.headers['content-type']
      const type = (typeof given === 'string' ? given : (given?.[0] ?? '')).trim()
      if (!JSON_TYPE.test(type)) throw new Error(`unsupported content type ${JSON.stringify(type)}`)
      return parseTargetJson(answer.body.toString('utf8'), config.url).map(({ targets, labels }, i) => ({
        source: `${config.url}:${i}`,
        labels: { ...labels, __meta_url: config.url },
        targets: targets.map((target) => ({ __address__: target })),
      }))
    } catch (error) {
      if (!signal.aborted) context.events.onHttpFailure?.()
      throw error
    }
  }
  return new RefreshDiscovery(
    { mechanism: 'http', intervalMs: config.refreshIntervalMs, refresh, onStop: () => fetcher.close() },
    context,
  )
}
