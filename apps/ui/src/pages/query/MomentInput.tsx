// A moment, or now.
import { DateTimePicker } from '@mantine/dates'
import type { ReactNode } from 'react'

export function MomentInput({
  label,
  value,
  onChange,
}: {
  label: string
  value: number | undefined
  onChange: (ms: number | undefined) => void
}): ReactNode {
  return (
    <DateTimePicker
      aria-label={label}
      placeholder={`${label}: now`}
      valueFormat="YYYY-MM-DD HH:mm:ss"
      withSeconds
      clearable
      size="xs"
      w={210}
      value={value === undefined ? null : localText(value)}
      onChange={(text) => onChange(text === null ? undefined : new Date(text.replace(' ', 'T')).getTime())}
    />
  )
}

/** Local time as the picker wants it. */
function localText(ms: number): string {
  const date = new Date(ms)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
