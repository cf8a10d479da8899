// Typed access to the query API. The same code asks the server itself and, from dashboards, its proxy.

export type LabelSet = Record<string, string>

/** [lower-bound rule, lower, upper, count] as the API gives buckets. */
export type ApiBucket = [number, string, string, string]

export interface ApiHistogram {
  count: string
  sum: string
  buckets?: ApiBucket[]
}

export interface VectorItem {
  metric: LabelSet
  value?: [number, string]
  histogram?: [number, ApiHistogram]
}

export interface MatrixItem {
  metric: LabelSet
  values?: [number, string][]
  histograms?: [number, ApiHistogram][]
}

export type QueryData =
  | { resultType: 'vector'; result: VectorItem[] }
  | { resultType: 'matrix'; result: MatrixItem[] }
  | { resultType: 'scalar' | 'string'; result: [number, string] }

export interface Answer<T> {
  data: T
  warnings: string[]
  infos: string[]
}

/** An error the API answered, or a connection that failed. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly errorType: string
  constructor(errorType: string, message: string) {
    super(message)
    this.errorType = errorType
  }
}

/** Asks an endpoint under `/api/v1`; `base` is '' for the server itself. */
export async function apiGet<T>(
  path: string,
  params: Record<string, string | string[]> = {},
  options: { base?: string; signal?: AbortSignal } = {},
): Promise<Answer<T>> {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params))
    for (const item of Array.isArray(value) ? value : [value]) search.append(name, item)
  const query = search.size > 0 ? `?${search}` : ''
  return read<T>(
    await request(
      `${options.base ?? ''}/api/v1/${path}${query}`,
      options.signal ? { signal: options.signal } : {},
    ),
  )
}

/** Posts a form, as queries can be longer than an address may be. */
export async function apiPost<T>(
  path: string,
  params: Record<string, string>,
  options: { base?: string; signal?: AbortSignal } = {},
): Promise<Answer<T>> {
  return read<T>(
    await request(`${options.base ?? ''}/api/v1/${path}`, {
      method: 'POST',
      body: new URLSearchParams(params),
      ...(options.signal && { signal: options.signal }),
    }),
  )
}

async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError('connection', 'The server cannot be reached. Is it running?')
  }
}

async function read<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text()
  let body: {
    status?: string
    data?: T
    errorType?: string
    error?: string
    message?: string
    warnings?: string[]
    infos?: string[]
  }
  try {
    body = JSON.parse(text) as typeof body
  } catch {
    const detail =
      response.status === 503 ? 'The server is starting.' : text.slice(0, 300) || response.statusText
    throw new ApiError(String(response.status), detail)
  }
  if (body.status !== 'success')
    throw new ApiError(
      body.errorType ?? String(response.status),
      body.error ?? body.message ?? response.statusText,
    )
  return { data: body.data as T, warnings: body.warnings ?? [], infos: body.infos ?? [] }
}
