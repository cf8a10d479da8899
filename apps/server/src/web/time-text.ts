// Times in answers.

/** RFC 3339 with milliseconds; the zero time for 0 and NaN (never). */
export function timeText(ms: number): string {
  return ms > 0 ? new Date(ms).toISOString() : '0001-01-01T00:00:00Z'
}
