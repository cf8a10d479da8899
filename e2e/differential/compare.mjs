// Whether two answers of the query API mean the same: equal errors, or equal series and times with values that differ
// by rounding only.

/** Undefined when they agree, else what differs. */
export function difference(reference, own) {
  if (reference.status !== own.status)
    return `${reference.status} (${reference.error ?? ''}), but ${own.status} (${own.error ?? ''})`
  if (reference.status === 'error')
    return reference.errorType === own.errorType
      ? undefined
      : `error ${reference.errorType}, but ${own.errorType}`
  const [a, b] = [reference.data, own.data]
  if (a.resultType !== b.resultType) return `${a.resultType}, but ${b.resultType}`
  if (a.resultType === 'scalar' || a.resultType === 'string') return differentValue(a.result, b.result)
  const want = byLabels(a.result)
  const got = byLabels(b.result)
  for (const key of want.keys()) if (!got.has(key)) return `series missing: ${key}`
  for (const key of got.keys()) if (!want.has(key)) return `series too many: ${key}`
  for (const [key, points] of want) {
    const others = got.get(key)
    if (points.length !== others.length) return `${points.length} points, but ${others.length}, of ${key}`
    for (let i = 0; i < points.length; i++) {
      const found = differentValue(points[i], others[i])
      if (found !== undefined) return `${found} of ${key}`
    }
  }
  return undefined
}

function byLabels(result) {
  const sorted = (metric) => JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)))
  return new Map(result.map(({ metric, value, values }) => [sorted(metric), values ?? [value]]))
}

/** Of results that cancel out only rounding errors are left: they are measured against `SMALL` too. */
const RELATIVE = 1e-9
const SMALL = 1e-9

function differentValue([time, value], [ownTime, ownValue]) {
  if (time !== ownTime) return `time ${time}, but ${ownTime}`
  if (value === ownValue) return undefined
  const [a, b] = [Number(value.replace('Inf', 'Infinity')), Number(ownValue.replace('Inf', 'Infinity'))]
  if (Math.abs(a - b) <= SMALL + RELATIVE * Math.abs(a)) return undefined
  return `${value}, but ${ownValue} at ${time}`
}
