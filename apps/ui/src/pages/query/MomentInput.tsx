// A moment, or now.
import { DateTimePicker } from '@mantine/dates'
import type { ReactNode } from 'react'
import { formatTime } from '../../api/format.ts'

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
      value={value === undefined ? null : formatTime(value)}
      onChange={(text) => onChange(text === null ? undefined : new Date(text.replace(' ', 'T')).getTime())}
    />
  )
}
