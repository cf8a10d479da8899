// The state of an alert and the health of a rule, as badges.
import { Badge } from '@mantine/core'
import type { ReactNode } from 'react'
import type { AlertState, Rule } from '../api/types.ts'

const STATE_COLOR: Record<AlertState, string> = {
  firing: 'red',
  pending: 'yellow',
  inactive: 'green',
  unknown: 'gray',
}

export function StateBadge({ state, count }: { state: AlertState; count?: number }): ReactNode {
  return (
    <Badge color={STATE_COLOR[state]} variant={state === 'firing' ? 'filled' : 'light'}>
      {state}
      {count !== undefined && count > 0 ? ` (${count})` : ''}
    </Badge>
  )
}

export function HealthBadge({ rule }: { rule: Rule }): ReactNode {
  const color = rule.health === 'ok' ? 'green' : rule.health === 'err' ? 'red' : 'gray'
  return (
    <Badge color={color} variant="light">
      {rule.health}
    </Badge>
  )
}
