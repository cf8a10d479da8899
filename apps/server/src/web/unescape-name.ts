// Names in URLs: `U__my_2e_name` stands for `my.name` (values escaping).

/** Undoes values escaping; a name that is not escaped correctly is returned as it is. */
export function unescapeName(name: string): string {
  if (!name.startsWith('U__')) return name
  let out = ''
  for (let i = 3; i < name.length; i++) {
    if (name[i] !== '_') {
      out += name[i]
      continue
    }
    if (name[i + 1] === '_') {
      out += '_'
      i++
      continue
    }
    const end = name.indexOf('_', i + 1)
    const hex = end < 0 ? '' : name.slice(i + 1, end)
    const code = /^[0-9a-fA-F]{1,6}$/.test(hex) ? parseInt(hex, 16) : -1
    if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return name
    out += String.fromCodePoint(code)
    i = end
  }
  return out
}
