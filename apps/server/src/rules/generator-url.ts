// The link from an alert back to its expression.

/** `<externalUrl>/graph?g0.expr=…&g0.tab=1`, escaped as Go's url.QueryEscape does. */
export function generatorUrl(externalUrl: string, expr: string): string {
  const escaped = encodeURIComponent(expr)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
  return `${externalUrl.replace(/\/$/, '')}/graph?g0.expr=${escaped}&g0.tab=1`
}
