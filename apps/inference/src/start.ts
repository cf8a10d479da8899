// The service on a port.
import type { AddressInfo } from 'node:net'
import { createInferenceApp } from './app.ts'
import type { InferenceApp, InferenceAppOptions } from './app.ts'

export const DEFAULT_PORT = 8000
export const DEFAULT_HOST = '127.0.0.1'

export interface InferenceOptions extends InferenceAppOptions {
  /** Default 8000; 0 takes a free one. */
  port?: number
  /** Default 127.0.0.1. */
  host?: string
}

export interface RunningInference extends InferenceApp {
  readonly port: number
  /** Address to reach it by, without a slash at the end. */
  readonly url: string
}

/** Loads the models, then listens. Throws if the port is in use or the models cannot be read. */
export async function startInference(options: InferenceOptions = {}): Promise<RunningInference> {
  const inference = await createInferenceApp(options)
  const host = options.host ?? DEFAULT_HOST
  try {
    await inference.app.listen({ port: options.port ?? DEFAULT_PORT, host })
  } catch (error) {
    await inference.close()
    throw error
  }
  const { port } = inference.app.server.address() as AddressInfo
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host
  const named = reachable.includes(':') && !reachable.startsWith('[') ? `[${reachable}]` : reachable
  return { ...inference, port, url: `http://${named}:${port}` }
}
