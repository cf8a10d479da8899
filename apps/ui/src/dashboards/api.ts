// Grafana's own endpoints (search, dashboards, data sources).
import { ApiError } from '../api/client.ts'

export interface DataSource {
  uid: string
  name: string
  isDefault: boolean
}

export interface SearchHit {
  uid: string
  title: string
  url: string
  tags: string[]
}

export async function getJson<T>(path: string): Promise<T> {
  let response: Response
  try {
    response = await fetch(path)
  } catch {
    throw new ApiError('connection', 'The dashboards server cannot be reached. Is it running?')
  }
  const body = (await response.json()) as T & { message?: string }
  if (!response.ok) throw new ApiError(String(response.status), body.message ?? response.statusText)
  return body
}
